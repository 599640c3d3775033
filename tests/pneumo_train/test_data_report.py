"""The data report: what check prints and fit keeps, equal and nearly equal films, unreadable files by name."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from pneumo_train.cli import main
from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.demo.phantoms import write_phantoms
from pneumo_train.errors import DataError
from pneumo_train.images.sketch import near_pairs, sketch_of
from pneumo_train.preparing.checking import check_source
from pneumo_train.preparing.data_report import report_text
from pneumo_train.preparing.reading import read_source
from runstore import open_store

WriteSource = Callable[..., Path]
COLUMNS = ("patientId", "Target", "split", "age", "sex", "modality", "class")
ROWS = [
    ("a", 0, "train", "3", "M", "", "Normal"),
    ("b", 1, "train", "148", "F", "", "Lung Opacity"),
    ("c", 0, "val", "", "M", "", "Normal"),
    ("d", 1, "val", "5", "", "", "Lung Opacity"),
    ("e", 1, "test", "-1", "F", "", "Lung Opacity"),
]


def config_of(**options: object) -> TrainConfig:
    data = {"image_size": 32, "split_column": "split", **options}
    return load_config(overrides={f"data.{key}": value for key, value in data.items()})


@pytest.fixture
def source(write_source: WriteSource) -> Path:
    """Five films, each of its own; ages that are empty or impossible, and a column without any value."""
    root = write_source(ROWS, columns=COLUMNS)
    for number, row in enumerate(ROWS):
        noise = np.random.default_rng(number).integers(0, 255, (64, 64), dtype=np.uint8)
        Image.fromarray(noise).save(root / f"Training/Images/{row[0]}.png")
    return root


def test_the_report_counts_parts_classes_sex_and_ages_and_keeps_impossible_ones(source: Path) -> None:
    report = check_source(source, config_of())["data"]

    assert report["parts"]["train"] == {
        "images": 2, "positives": 1, "prevalence": 0.5, "patients": 2, "sex": {"F": 1, "M": 1}, "age": {"2-5": 1, "not known": 1},
    }  # fmt: skip
    assert report["parts"]["test"]["images"] == 1
    assert report["classes"] == {"Lung Opacity": 3, "Normal": 2}
    assert report["sex"] == {"M": 2, "F": 2, "not known": 1}
    assert report["ages"] == {
        "known": 4, "least": 3.0, "median": 4.0, "greatest": 5.0, "impossible": 2, "impossible_ages": [-1.0, 148.0],
    }  # fmt: skip
    assert report["empty_columns"] == ["modality"]
    text = report_text(report)
    assert "ages: 4 known, 3 to 5 years, median 4; 2 impossible, as -1, 148\n" in text
    assert "validation part: 2, 1 positive (50.0%), 2 patients\n" in text


@pytest.mark.parametrize("column", ["age", "Age (years)", "Patient Age", "age_in_years"])
def test_a_column_of_ages_is_known_by_its_usual_names_and_an_impossible_age_is_listed_once(
    write_source: WriteSource, column: str
) -> None:
    cells = ("042Y", "", "3.5", "?", "-1", "-1")
    rows = [(name, number % 2, cell) for number, (name, cell) in enumerate(zip("abcdef", cells, strict=True))]
    root = write_source(rows, columns=("patientId", "Target", column))

    report = check_source(root, load_config(overrides={"data.image_size": 32}))

    assert report["data"]["ages"] == {
        "known": 4, "least": 3.5, "median": 22.75, "greatest": 42.0, "impossible": 2, "impossible_ages": [-1.0],
    }  # fmt: skip


def test_every_unreadable_file_is_named_also_of_the_test_part(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "abcde":
        whole = (source / f"Training/Images/{name}.png").read_bytes()
        (source / f"Training/Images/{name}.png").write_bytes(whole[: len(whole) // 2])

    status = main(["check", "--source", str(source), "--data.split_column", "split", "--progress", "false"])

    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("unreadable: ")]
    assert status == 2
    assert [line.split()[1] for line in told] == ["a.png", "b.png", "c.png", "d.png", "e.png"]


def test_equal_films_in_the_test_part_are_told_and_refused_on_demand(source: Path) -> None:
    films = source / "Training/Images"
    (films / "e.png").write_bytes((films / "a.png").read_bytes())

    report = check_source(source, config_of())
    refused = check_source(source, config_of(equal_images="refuse"))

    assert report["data"]["duplicates"]["equal_pairs"] == ["a.png (train) and e.png (test)"]
    assert any(
        "1 images of the test part are in the training part, too, byte for byte" in note for note in report["notes"]
    )
    assert "1 images of the test part are in the training part" in refused["error"]


@pytest.mark.parametrize("change", ["saved anew", "smaller", "brighter"])
def test_a_copy_of_a_film_in_another_part_is_told_and_refused_on_demand(
    tmp_path: Path, source: Path, change: str
) -> None:
    drawn = next(write_phantoms(tmp_path / "drawn", patients=2, films_per_patient=1, size=128, seed=5).rglob("*.png"))
    with Image.open(drawn) as image:
        film = image.convert("L")
    stream = io.BytesIO()
    film.save(stream, "JPEG", quality=60)
    copies = {
        "saved anew": Image.open(stream),
        "smaller": film.resize((96, 96)),
        "brighter": ImageEnhance.Brightness(film).enhance(1.1),
    }
    film.save(source / "Training/Images/b.png")
    copies[change].save(source / "Training/Images/d.png")

    report = check_source(source, config_of())
    refused = check_source(source, config_of(equal_images="refuse"))

    assert report["data"]["duplicates"]["near_pairs"] == ["b.png (train) and d.png (validation)"]
    assert any(
        "1 images of the validation part look nearly like one of the training part" in note for note in report["notes"]
    )
    assert "look nearly like one of the training part" in refused["error"]


def test_different_drawn_films_and_blank_ones_are_no_copies(phantoms: Path) -> None:
    films = []
    for path in sorted(phantoms.rglob("*.png")):
        with Image.open(path) as image:
            films.append(sketch_of(np.asarray(image.convert("L"))))
    drawn, blank = np.stack(films), np.stack([sketch_of(np.full((32, 32), 7, np.uint8))] * 2)

    assert list(near_pairs(drawn, drawn)) == [(place, place) for place in range(len(drawn))]
    assert list(near_pairs(blank, blank)) == []


def test_a_patient_of_the_test_part_who_is_trained_on_is_an_error(write_source: WriteSource) -> None:
    rows = [
        ("a", 1, "train", "P1"),
        ("b", 0, "train", "P2"),
        ("c", 1, "val", "P4"),
        ("d", 0, "val", "P3"),
        ("e", 0, "test", "P2"),
    ]
    root = write_source(rows, columns=("patientId", "Target", "split", "person"))

    with pytest.raises(DataError, match=r"cuts 1 patients in two, as P2 \(train and test\)"):
        read_source(root, config_of(patient_column="person")).__enter__()


def test_check_prints_the_report_without_torch(source: Path) -> None:
    tell = "import sys; from pneumo_train.cli import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"

    told = subprocess.run(
        [sys.executable, "-c", tell, "check", "--source", str(source), "--data.split_column", "split"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip

    assert told.stdout.splitlines()[-1] == "0 False"
    assert "data: train part: 2, 1 positive (50.0%), 2 patients" in told.stdout


@pytest.mark.training
def test_fit_keeps_the_report_and_a_split_that_a_second_training_takes(
    phantoms: Path, tmp_path: Path, tiny_config: TrainConfig
) -> None:
    from pneumo_train import CentralizedTrainer  # noqa: PLC0415 - needs torch

    url = f"sqlite:///{tmp_path}/runs.db"

    def trained(**options: object) -> str:
        overrides = {"training.max_epochs": 1, **{f"data.{key}": value for key, value in options.items()}}
        config = load_config(overrides=overrides, base=tiny_config)
        trainer = CentralizedTrainer(checkpoint_dir=tmp_path / "c", logs_dir=tmp_path / "l", store=url, config=config)
        return trainer.train(phantoms, "x").run_id

    first = trained(test_fraction=0.2)
    (split_file,) = (tmp_path / "l").glob("*.split.csv")
    again = trained(split_file=str(split_file))

    with open_store(url) as store:
        names = {artifact.name for artifact in store.list_artifacts(first)}
        assert {"data/report.json", "data/report.txt", "data/split.csv"} <= names
        with store.open_artifact(first, "data/report.json") as stream:
            report = json.load(stream)
        assert sum(part["images"] for part in report["parts"].values()) == report["images"]
        assert set(report["parts"]) == {"train", "validation", "test"}
        assert store.get_config(first)["split"] == store.get_config(again)["split"]
        assert store.get_config(first)["split"]["hash"] == report["split_hash"]
