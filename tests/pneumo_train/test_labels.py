"""Labels in words: those of class folders are understood, any other is named by an option; what was taken for what is told."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pneumo_train.config.settings import load_config
from pneumo_train.errors import ConfigError, DataError
from pneumo_train.preparing.reading import Reading, read_source

WriteSource = Callable[..., Path]


def read(root: Path, **options: object) -> Reading:
    with read_source(
        root, load_config(overrides={f"data.{key}": value for key, value in options.items()}), is_split=False
    ) as reading:
        return reading


def targets(reading: Reading) -> str:
    return "".join(str(sample.target) for sample in reading.samples)


def test_the_words_of_class_folders_are_labels_and_what_they_were_taken_for_is_told(write_source: WriteSource) -> None:
    reading = read(write_source([("a", "NORMAL"), ("b", "Pneumonia"), ("c", "normal"), ("d", "1")]))

    assert targets(reading) == "0101"
    assert reading.notes == (
        "labels in 'Target': positive is Pneumonia (1 rows), 1 (1 rows); negative is NORMAL (1 rows), normal (1 rows)",
    )


def test_plain_numbers_need_no_note(write_source: WriteSource) -> None:
    assert read(write_source([("a", "1.0"), ("b", 0)])).notes == ()


@pytest.mark.parametrize(
    ("positive", "expected"),
    [("Pneumonia", "0110"), ("pneumonia | Consolidation", "0111"), ("Infiltration", "0010"), ("No Finding", "1000")],
)
def test_a_film_is_positive_when_any_of_its_findings_is_named(
    write_source: WriteSource, positive: str, expected: str
) -> None:
    cells = ["No Finding", "Pneumonia", "Infiltration|Pneumonia", "Consolidation"]
    root = write_source([(f"a{number}", cell) for number, cell in enumerate(cells)], columns=("patientId", "Finding"))

    assert targets(read(root, target_column="Finding", positive_value=positive)) == expected


def test_a_value_that_is_a_part_of_another_one_is_not_it(write_source: WriteSource) -> None:
    root = write_source([("a", "No Lung Opacity / Not Normal"), ("b", "Lung Opacity")], columns=("patientId", "class"))

    assert targets(read(root, target_column="class", positive_value="Lung Opacity")) == "01"


@pytest.mark.parametrize("positive", ["Penumonia", "Pneumonia|Penumonia"])
def test_a_value_that_no_row_has_is_refused_by_name(write_source: WriteSource, positive: str) -> None:
    root = write_source([("a", "Pneumonia"), ("b", "None")])

    with pytest.raises(
        DataError, match=r"none of 2 rows has 'penumonia'; the column 'Target' holds 2 different values"
    ):
        read(root, positive_value=positive)


@pytest.mark.parametrize("positive", [None, "Pneumonia"])
@pytest.mark.parametrize("cell", ["nan", "NaN", "N/A", "null"])
def test_a_label_that_says_nothing_is_no_negative(write_source: WriteSource, cell: str, positive: str | None) -> None:
    root = write_source([("a", "Pneumonia"), ("b", cell), ("c", "Normal")])

    with pytest.raises(DataError, match=rf"row 3: Target = '{cell}' says nothing \(3 rows\); fill it in"):
        read(root, positive_value=positive)


@pytest.mark.parametrize("positive", [None, "1"])
def test_a_label_of_a_row_that_is_not_used_is_not_read(write_source: WriteSource, positive: str | None) -> None:
    rows = [("a", "1", 1), ("b", "0", 1), ("c", "uncertain", 0), ("d", "-1", 0)]
    root = write_source(rows, columns=("patientId", "Target", "use"))

    reading = read(root, subset_column="use", positive_value=positive)

    assert targets(reading) == "10"
    assert not [note for note in reading.notes if "uncertain" in note or "-1" in note]


def test_a_positive_value_that_only_rows_have_that_are_not_used_is_refused(write_source: WriteSource) -> None:
    root = write_source([("a", "x", 1), ("b", "y", 1), ("c", "z", 0)], columns=("patientId", "Target", "use"))

    with pytest.raises(DataError, match="none of 2 rows has 'z'"):
        read(root, subset_column="use", positive_value="z")


@pytest.mark.parametrize(
    ("positive", "expected"), [("1", "11000"), ("1.0", "11000"), ("01", "11000"), ("2|1", "11001"), ("0.0", "00110")]
)
def test_equal_numbers_are_one_label(write_source: WriteSource, positive: str, expected: str) -> None:
    root = write_source([(f"a{number}", cell) for number, cell in enumerate(("1", "1.0", "0", "0.0", "2.00"))])

    assert targets(read(root, positive_value=positive)) == expected


@pytest.mark.parametrize("cell", ["-1", "-1.0", "0.5"])
def test_a_number_that_says_uncertain_is_no_negative(write_source: WriteSource, cell: str) -> None:
    root = write_source([("a", "1.0"), ("b", "0.0"), ("c", cell)])

    with pytest.raises(
        DataError, match=rf"row 4: Target = '{cell}': is not 1, and no number of another class"
    ) as refused:
        read(root, positive_value="1.0")
    (named,) = re.findall('--data.positive_value "(.*)"', str(refused.value))
    assert targets(read(root, positive_value=named)) == "101"


def test_numbers_beside_a_positive_word_are_negative_as_ever(write_source: WriteSource) -> None:
    assert targets(read(write_source([("a", "Pneumonia"), ("b", "-1")]), positive_value="Pneumonia")) == "10"


def test_a_value_of_blanks_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"data\.positive_value = '\|': must name a value"):
        load_config(overrides={"data.positive_value": " | "})


def test_rows_of_one_image_with_other_words_for_one_label_are_one_film(write_source: WriteSource) -> None:
    root = write_source([("a", "Pneumonia"), ("a", "Pneumonia|Effusion"), ("b", "None")])

    assert targets(read(root, positive_value="Pneumonia")) == "10"


def test_folders_of_classes_take_the_one_that_is_named(write_source: WriteSource) -> None:
    names = [f"{folder}/{name}.png" for folder in ("NORMAL", "BACTERIA", "VIRUS") for name in ("a", "b")]
    root = write_source([], images=names)
    (root / "stage2_train_metadata.csv").unlink()

    assert targets(read(root, positive_value="virus")) == "000011"
    assert targets(read(root)) == "110011"
