"""A drawn test part, folds, and a split that comes from a file."""

from pathlib import Path

import pytest

from pneumo_train.config.data import DataConfig
from pneumo_train.config.settings import load_config
from pneumo_train.errors import ConfigError, DataError
from pneumo_train.samples import Sample, Split
from pneumo_train.splitting.by_patient import split_samples
from pneumo_train.splitting.split_file import take_split, write_split

SAMPLES = [
    Sample(image_id=f"{patient:02d}-{film}", path=Path(f"{patient:02d}-{film}.png"), target=patient % 2, patient=f"P{patient:02d}")
    for patient in range(40)
    for film in range(1 + patient % 3)
]  # fmt: skip


def config_of(**options: object) -> DataConfig:
    return load_config(overrides={f"data.{key}": value for key, value in options.items()}).data


def patients(samples: tuple[Sample, ...]) -> set[str]:
    return {sample.patient for sample in samples}


def test_a_drawn_test_part_has_its_share_of_the_patients_of_each_label_and_is_in_no_other_part() -> None:
    split = split_samples(SAMPLES, config_of(test_fraction=0.25), seed=1)

    assert len(patients(split.test)) == 10
    assert sum(int(patient[1:]) % 2 for patient in patients(split.test)) == 5
    assert len(patients(split.validation)) == 6
    assert not patients(split.test) & (patients(split.train) | patients(split.validation))
    assert sorted((*split.train, *split.validation, *split.test), key=lambda sample: sample.image_id) == SAMPLES


def test_without_folds_and_test_part_the_split_is_the_one_that_it_was() -> None:
    split = split_samples(SAMPLES, config_of(), seed=42)

    assert split.digest() == "b269f786d659173d1aa0904676dff405d16355dd9c6ef83e3f57394a1f7c0a36"


def test_every_patient_lies_in_the_validation_part_of_one_fold_and_the_test_part_is_the_same_in_all() -> None:
    splits = [split_samples(SAMPLES, config_of(folds=5, fold=fold, test_fraction=0.2), seed=7) for fold in range(5)]

    held_out = [patient for split in splits for patient in patients(split.validation)]
    assert len({split.test for split in splits}) == 1
    assert sorted(held_out) == sorted(patients(tuple(SAMPLES)) - patients(splits[0].test))
    for split in splits:
        assert sum(int(patient[1:]) % 2 for patient in patients(split.validation)) in {3, 4}
        assert not patients(split.validation) & patients(split.train)


def test_a_split_comes_back_from_its_file_also_where_images_were_left_out(tmp_path: Path) -> None:
    config = config_of(sample_fraction=0.7, test_fraction=0.2)
    split = split_samples(SAMPLES, config, seed=3)
    file = tmp_path / "split.csv"
    file.write_text(write_split(SAMPLES, split))

    again = split_samples(take_split(SAMPLES, str(file)), config_of(split_file=str(file)), seed=99)

    ids = [
        {name: [sample.image_id for sample in part] for name, part in each.parts().items()} for each in (split, again)
    ]
    assert ids[0] == ids[1]
    assert again.digest() == split.digest()
    assert "unused" in file.read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,part\n00-0,train\n", "images have no row in it, as 01-0"),
        ("image,part\n00-0,train\n00-0,validation\n", "row 3: image '00-0' is in train and in validation"),
        ("image,part\n00-0,exam\n", "row 2: image '00-0', part 'exam'; wanted the columns image and part"),
        ("patient,target\n00-0,1\n", "row 2: image '', part ''; wanted the columns image and part"),
        (None, "cannot be read as a CSV"),
    ],
)
def test_a_file_that_is_no_split_of_the_source_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "split.csv"
    if text is not None:
        file.write_text(text)

    with pytest.raises(DataError, match=message):
        take_split(SAMPLES, str(file))


def test_a_row_of_an_image_that_the_source_lacks_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "split.csv"
    file.write_text(write_split(SAMPLES, Split(train=tuple(SAMPLES), validation=())) + "zz,P99,1,train\n")

    with pytest.raises(DataError, match="1 images of its rows are not in the source, as zz"):
        take_split(SAMPLES, str(file))


@pytest.mark.parametrize(
    "options",
    [{"folds": 5, "fold": 5}, {"fold": 1}, {"split_file": "split.csv", "split_column": "split"}, {"folds": 1}],
)
def test_options_that_contradict_each_other_are_refused_at_the_front(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"data\.(folds?|split_file)"):
        config_of(**options)


def test_a_part_that_is_given_is_not_drawn_as_well() -> None:
    given = [Sample(image_id=name, path=Path(name), target=number % 2, patient=name, part=part)
             for number, (name, part) in enumerate(zip("abcdef", ["train", "train", "validation", "validation", "test", "test"], strict=True))]  # fmt: skip

    with pytest.raises(ConfigError, match=r"data.split_column gives a test part already"):
        split_samples(given, config_of(split_column="split", test_fraction=0.5), seed=1)
    with pytest.raises(ConfigError, match=r"data.folds, data.test_fraction: data.split_column gives the parts"):
        split_samples(given, config_of(split_column="split", folds=2), seed=1)
