"""Kaggle's folders: the class, the part and the patient without a table."""

import dataclasses
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.errors import DataError, SourceError
from pneumo_train.preparing.checking import check_source
from pneumo_train.preparing.reading import Reading, read_source
from pneumo_train.sources.class_folders import patient_of
from pneumo_train.splitting.split_file import write_split

WriteSource = Callable[..., Path]

KAGGLE = [
    *(f"train/NORMAL/IM-{number:04d}-0001.jpeg" for number in range(115, 125)),
    "train/NORMAL/IM-0115-0002.jpeg",
    *(f"train/PNEUMONIA/person{number}_virus_{number}.jpeg" for number in range(80, 90)),
    *(f"train/PNEUMONIA/person{number}_bacteria_{number + 900}.jpeg" for number in range(5)),
    "train/PNEUMONIA/person87_virus_99.jpeg",
    "val/NORMAL/NORMAL2-IM-1427-0001.jpeg",
    "val/PNEUMONIA/person1946_bacteria_4874.jpeg",
    "test/NORMAL/IM-0001-0001.jpeg",
    "test/PNEUMONIA/person1_virus_6.jpeg",
]


@pytest.fixture
def config() -> TrainConfig:
    return load_config(overrides={"data.image_size": 32})


@pytest.fixture
def write_folders(write_source: WriteSource, tmp_path: Path) -> Callable[..., Path]:
    """Writes images below a new directory, without any table."""

    def write(*names: str) -> Path:
        root = write_source([], images=names, root=tmp_path / "folders")
        (root / "stage2_train_metadata.csv").unlink()
        return root

    return write


def facts(reading: Reading, part: str) -> dict[str, tuple[int, str]]:
    return {sample.image_id: (sample.target, sample.patient) for sample in reading.part(part)}


def test_classes_and_parts_are_those_of_the_folders_and_patients_those_of_kermanys_names(
    write_folders: Callable[..., Path], config: TrainConfig
) -> None:
    root = write_folders(*(f"chest_xray/{name}" for name in KAGGLE))

    with read_source(root, config) as reading:
        rest = facts(reading, "train") | facts(reading, "validation")
        assert facts(reading, "test") == {
            "test/NORMAL/IM-0001-0001.jpeg": (0, "IM-0001"),
            "test/PNEUMONIA/person1_virus_6.jpeg": (1, "person1_virus"),
        }
        assert reading.source.table_name == "none (folders of classes)"
        assert len(rest) == len(KAGGLE) - 2
        assert rest["train/NORMAL/IM-0115-0002.jpeg"] == (0, "IM-0115")
        assert rest["train/PNEUMONIA/person87_virus_99.jpeg"] == (1, "person87_virus")
        assert rest["val/NORMAL/NORMAL2-IM-1427-0001.jpeg"] == (0, "NORMAL2-IM-1427")
        assert f"{len(KAGGLE)} of {len(KAGGLE)} names tell the patient" in reading.notes[0]


def test_a_folder_of_few_validation_images_is_pooled_and_that_is_said(
    write_folders: Callable[..., Path], config: TrainConfig
) -> None:
    with read_source(write_folders(*KAGGLE), config) as reading:
        assert len(reading.split.validation) > 2
        assert "the folder of validation has 2 images, too few" in reading.notes[1]


def test_a_folder_of_enough_validation_images_is_the_validation_part(
    write_folders: Callable[..., Path], config: TrainConfig
) -> None:
    validation = [f"val/{name}/v{number}.png" for name in ("NORMAL", "PNEUMONIA") for number in range(50)]
    train = [f"train/{name}/t{number}.png" for name in ("NORMAL", "PNEUMONIA") for number in range(3)]

    with read_source(write_folders(*train, *validation), config) as reading:
        assert {sample.image_id for sample in reading.split.validation} == set(validation)
        assert {sample.image_id for sample in reading.split.train} == set(train)
        assert "no name tells the patient" in reading.notes[0]


def test_a_split_file_says_the_parts_whatever_the_folders_say(
    write_folders: Callable[..., Path], config: TrainConfig, tmp_path: Path
) -> None:
    root, file = write_folders(*KAGGLE), tmp_path / "split.csv"
    with read_source(root, config) as reading:
        given = dataclasses.replace(reading.split, train=reading.split.validation, validation=reading.split.train)
        file.write_text(write_split(reading.samples, given), encoding="utf-8")

    with read_source(root, load_config(overrides={"data.split_file": str(file)}, base=config)) as again:
        assert [{sample.image_id for sample in part} for part in again.split.parts().values()] == [
            {sample.image_id for sample in part} for part in given.parts().values()
        ]


def test_classes_without_parts_are_divided_by_patient(write_folders: Callable[..., Path], config: TrainConfig) -> None:
    names = [f"{name}/{number}.png" for name in ("normal", "Pneumonia") for number in range(5)]

    with read_source(write_folders(*names), config) as reading:
        assert len(reading.split.train) + len(reading.split.validation) == 10
        assert reading.split.left_out == 0


def test_a_copy_further_down_and_foreign_folders_are_left_out_and_named(
    write_folders: Callable[..., Path], config: TrainConfig
) -> None:
    names = [*KAGGLE, *(f"chest_xray/{name}" for name in KAGGLE), "train/COVID19/c.png"]

    report = check_source(write_folders(*names), config)

    assert report["error"] is None
    assert report["images"] == len(KAGGLE)
    assert any("more images lie in class folders further down" in note for note in report["notes"])
    assert any(
        "1 images lie in no folder of a known class and are left out: COVID19" in note for note in report["notes"]
    )


def test_several_roots_and_half_a_layout_are_refused(write_folders: Callable[..., Path], config: TrainConfig) -> None:
    twice = write_folders("a/NORMAL/1.png", "a/PNEUMONIA/2.png", "b/NORMAL/1.png")
    with pytest.raises(SourceError, match=r"several folders hold classes: a, b; name one \(data.images_dir\)"):
        read_source(twice, config).__enter__()
    with read_source(twice, load_config(overrides={"data.images_dir": "a"}), is_split=False) as reading:
        assert len(reading.samples) == 2


def test_a_class_folder_beside_folders_of_parts_is_refused(
    write_folders: Callable[..., Path], config: TrainConfig
) -> None:
    root = write_folders("NORMAL/1.png", "train/NORMAL/1.png", "train/PNEUMONIA/2.png")

    with pytest.raises(SourceError, match="NORMAL lies beside folders of parts, as train/NORMAL"):
        read_source(root, config).__enter__()


def test_a_column_that_the_folders_do_not_give_is_refused_by_name(
    write_folders: Callable[..., Path],
) -> None:
    wrong = load_config(overrides={"data.patient_column": "child"})

    with pytest.raises(DataError, match=r"no column 'child' \(data.patient_column\); it has the columns image, class"):
        read_source(write_folders(*KAGGLE), wrong).__enter__()


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("person1004_virus_1686.jpeg", "person1004_virus"),
        ("person1004_bacteria_2935.jpeg", "person1004_bacteria"),
        ("person447_virus_921_1.jpeg", "person447_virus"),
        ("IM-0115-0001.jpeg", "IM-0115"),
        ("NORMAL2-IM-1196-0001-0002.jpeg", "NORMAL2-IM-1196"),
        ("IM-0115.jpeg", "IM-0115.jpeg"),
        ("scan_1_2.png", "scan_1_2.png"),
    ],
)
def test_kermanys_names_tell_the_patient_and_others_are_their_own(name: str, patient: str) -> None:
    assert patient_of(PurePosixPath(name)) == patient


def test_folders_of_unknown_classes_are_named_beside_those_that_are_known(write_folders: Callable[..., Path]) -> None:
    root = write_folders("NORMAL/a.png", "NORMAL/b.png", "COVID/c.png")

    with pytest.raises(
        SourceError, match=r"folders called NORMAL and PNEUMONIA say the class; the images lie in COVID, NORMAL"
    ):
        read_source(root, load_config()).__enter__()
