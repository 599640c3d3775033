"""The films that were taken as those of the other class are: they are found, and held out by patient."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pneumo_train.cli import main
from pneumo_train.errors import DataError
from pneumo_train.examining.contrary import contrary_split
from pneumo_train.images.films import Films
from pneumo_train.samples import Sample, Split

SIZE = 32


def drawn(patients: int = 60, *, of_them_contrary: int = 6) -> Films:
    """Two films a patient. Positive ones are bright and soft and negative ones dark and sharp, but for some it is the other way round."""
    rng = np.random.default_rng(1)
    samples, pixels = [], []
    for number in range(patients):
        target, is_contrary = number % 2, number < of_them_contrary
        is_bright = bool(target) != is_contrary
        for film in range(2):
            noise = rng.normal(0, 5 if is_bright else 20, (SIZE, SIZE))
            pixels.append(np.clip((150 if is_bright else 90) + rng.normal(0, 8) + noise, 0, 255).astype(np.uint8))
            name = f"{'contrary' if is_contrary else 'usual'}-{number:03}"
            samples.append(
                Sample(image_id=f"{name}-{film}", path=Path(f"{name}-{film}.png"), target=target, patient=name)
            )
    return Films(
        samples=tuple(samples), size=SIZE, pixels=np.stack(pixels), hashes=tuple(str(n) for n in range(len(samples)))
    )


def split_of(films: Films) -> Split:
    """Every fifth patient is for validation; as films are told: those of training first."""
    count = len(films) * 4 // 5
    return Split(train=films.samples[:count], validation=films.samples[count:])


def test_the_films_that_were_taken_as_the_other_class_is_are_the_test_part() -> None:
    films = drawn()

    found = contrary_split(split_of(films), films, 0.1)

    assert {sample.patient for sample in found.split.test} == {
        sample.patient for sample in films.samples if sample.patient.startswith("contrary")
    }
    assert 0.8 < found.auroc < 0.95
    assert found.auroc_of_test < 0.1


def test_no_film_is_lost_and_no_patient_is_cut_in_two() -> None:
    films = drawn()

    parts = contrary_split(split_of(films), films, 0.3).split.parts()

    assert sorted(sample.image_id for part in parts.values() for sample in part) == sorted(
        sample.image_id for sample in films.samples
    )
    patients = [{sample.patient for sample in part} for part in parts.values()]
    assert sum(map(len, patients)) == len(set().union(*patients)) == 60
    assert [len({sample.patient for sample in parts["test"] if sample.target == label}) for label in (0, 1)] == [9, 9]


def test_where_films_of_both_classes_are_taken_alike_their_manner_says_nothing() -> None:
    films = drawn(100, of_them_contrary=50)

    assert abs(contrary_split(split_of(films), films, 0.1).auroc - 0.5) < 0.12


def test_films_of_one_grey_are_no_trouble() -> None:
    usual = drawn()
    films = Films(samples=usual.samples, size=SIZE, pixels=np.full((120, SIZE, SIZE), 7, np.uint8), hashes=usual.hashes)

    assert contrary_split(split_of(films), films, 0.1).auroc == pytest.approx(0.5)


def test_too_few_patients_are_refused_with_their_number() -> None:
    films = drawn(18)

    with pytest.raises(DataError, match=r"9 patients without pneumonia: .* needs 10 of each"):
        contrary_split(split_of(films), films, 0.1)


def test_a_test_part_that_is_there_already_is_refused() -> None:
    films = drawn()
    split = Split(train=films.samples[:80], validation=films.samples[80:110], test=films.samples[110:])

    with pytest.raises(DataError, match="a test part of 10 images already"):
        contrary_split(split, films, 0.1)


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What names the films, as files below the working directory."""
    films = drawn()
    monkeypatch.chdir(tmp_path)
    Path("films").mkdir()
    for index, sample in enumerate(films.samples):
        Image.fromarray(films[index]).save("films" / sample.path)
    rows = [[sample.image_id, sample.patient, sample.target] for sample in films.samples]
    with Path("films/films.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["patientId", "child", "Target"], *rows])
    return ["--source", "films", "--data.patient_column", "child", "--data.image_size", "32", "--progress", "false"]


def test_the_command_writes_a_split_that_check_takes(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contrary", *options, "--out", "split.csv", "--share", "0.1"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert main(["check", *options, "--data.split_file", "split.csv"]) == 0

    assert told[0].startswith("taken: exposure, sharpness and borders alone tell the classes apart with an AUROC of 0.")
    assert "test: 12 images, 6 patients, 6 positives" in told
    assert "test 12 images, 6 patients, 6 positives" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("--share=0.7", "--share 0.7: is of the patients of each class; give more than 0 and at most 0.5"),
        ("--out=nowhere/split.csv", "--out nowhere/split.csv: cannot be written"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(
    options: list[str], capsys: pytest.CaptureFixture[str], wrong: str, told: str
) -> None:
    assert main(["contrary", *options, "--out=split.csv", wrong]) == 2

    assert told in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["films"]
