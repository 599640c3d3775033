"""Signs of several images of one child, and what is none."""

from pathlib import Path

import pytest

from pneumo_train.config.data import DataConfig
from pneumo_train.samples import Sample
from pneumo_train.sources.patients import patient_notes, twin_notes
from pneumo_train.sources.table import Header, Table


def notes_on(*names: str) -> list[str]:
    table = Table(path=Path("films.csv"), header=Header(columns=("patientId", "Target")), rows=[])
    samples = [Sample(image_id=name, path=Path(f"{name}.png"), target=0, patient=name) for name in names]
    return patient_notes(samples, table, {"films.csv": table.header}, DataConfig())


@pytest.mark.parametrize(
    "names",
    [
        ("person1_virus_1", "person1_virus_2", "person2_virus_1"),
        ("00000013_005", "00000013_026", "00000017_001"),
        ("P01-front", "P01-side", "P02-front"),
        ("IM-0115-0001.jpeg", "IM-0115-0002.jpeg", "IM-0117-0001.jpeg"),
    ],
)
def test_names_that_differ_in_their_last_part_alone_are_pointed_out(names: tuple[str, ...]) -> None:
    (note,) = notes_on(*names)

    assert f"as {names[0]}, {names[1]}" in note
    assert "(--data.patient_pattern)" in note
    assert "(--data.patient_column)" in note


def test_a_column_that_describes_patients_is_not_taken_to_name_them() -> None:
    rows = [("a", "4", "F", "7"), ("b", "4", "F", "7"), ("c", "5", "M", "8")]
    columns = ("image", "Patient Age", "PatientSex", "Patient ID")
    table = Table(
        path=Path("films.csv"),
        header=Header(columns=columns),
        rows=[(number, dict(zip(columns, row, strict=True))) for number, row in enumerate(rows, start=2)],
    )
    samples = [Sample(image_id=name, path=Path(name), target=0, patient=name) for name, *_ in rows]

    (note,) = patient_notes(samples, table, {}, DataConfig(image_column="image"))

    assert note.endswith('give --data.patient_column "Patient ID"')


@pytest.mark.parametrize(
    "names",
    [
        tuple(f"film_{number}" for number in range(30)),
        tuple(f"p{number:03d}" for number in range(30)),
        tuple(f"scan_{year}_{number}" for year in (2020, 2021) for number in range(100)),
        ("0004cfab-14fd-4e49-80ba-63a80b6bddd6", "000924cf-0f8d-42bd-9158-1af53881a557"),
    ],
)
def test_names_that_are_numbered_by_folder_year_or_not_at_all_are_not(names: tuple[str, ...]) -> None:
    assert notes_on(*names) == []


def test_equal_images_are_counted_with_the_parts_and_labels_that_they_lie_in() -> None:
    train = [Sample(image_id=name, path=Path(name), target=0, patient=name) for name in ("a", "b", "c")]
    validation = [Sample(image_id="d", path=Path("d"), target=1, patient="d")]

    (note,) = twin_notes([*train, *validation], ["1", "2", "2", "1"], validation)

    assert note.startswith(
        "2 images are there more than once under different names, as a, d; 1 of them lie in the training"
    )
    assert note.endswith("1 have different labels")
    assert twin_notes(train, ["1", "2", "3"], validation) == []
