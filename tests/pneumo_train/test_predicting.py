"""``pneumo-train predict``: a row for each image, by the checkpoint that the store holds."""

import csv
import io
import math
import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pneumo_train.cli import main
from pneumo_train.evaluating.deciding import UNDECIDED
from pneumo_train.evaluating.figures import Decision
from pneumo_train.examining.checkpoint import write_decision
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.predicting.images import open_images
from runstore import open_store

pytestmark = pytest.mark.training

URL = "sqlite:///runs.db"
SIZE = 32


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))


def films(folder: str, count: int) -> list[Path]:
    """So many images of noise."""
    place = Path(folder)
    place.mkdir()
    rng = np.random.default_rng(len(folder))
    paths = [place / f"film-{index}.png" for index in range(count)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (40, 30), dtype=np.uint8)).save(path)
    return paths


def stored(decision: Decision | None = None, *, broken: bool = False) -> LitClassifier:
    """Stores a run with the checkpoint of a small network, and gives the network."""
    torch.manual_seed(0)
    model = LitClassifier(architecture="small").eval()
    if broken:
        torch.nn.init.constant_(next(model.head.parameters()), math.nan)
    content: dict[str, Any] = {"state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams)}
    torch.save(content, "best.ckpt")
    if decision is not None:
        write_decision(Path("best.ckpt"), decision)
    with open_store(URL, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"))
        store.log_config(run_id, {"data": {"image_size": SIZE}})
        store.log_artifact(run_id, "best.ckpt", name="checkpoints/best.ckpt", artifact_type="model")
    return model


def asked(*arguments: object, status: int = 0) -> None:
    assert main(["predict", "--run", "@1", "--store", URL, *map(str, arguments)]) == status


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_each_image_has_the_probability_that_the_stored_network_gives_it(capsys: pytest.CaptureFixture[str]) -> None:
    model, paths = stored(), films("films", 5)

    asked("films", "--batch_size", 2)

    rows = rows_of(capsys.readouterr().out)
    assert [row["image"] for row in rows] == [str(path) for path in paths]
    for path, row in zip(paths, rows, strict=True):
        square = Image.new("L", (40, 40))
        with Image.open(path) as image:
            square.paste(image, (5, 0))
        pixels = np.asarray(square.resize((SIZE, SIZE), Image.Resampling.BILINEAR, reducing_gap=3.0))
        with torch.no_grad():
            wanted = float(torch.sigmoid(model(torch.tensor(pixels)[None, None].float() / 255)))
        assert float(row["probability"]) == pytest.approx(wanted, abs=2e-6)
        assert row["decision"] == ("pneumonia" if wanted >= 0.5 else "normal")


@pytest.mark.parametrize(("threshold", "decision"), [(0.0, "pneumonia"), (1.0, "normal")])
def test_the_threshold_and_the_temperature_of_the_checkpoint_are_applied(
    threshold: float, decision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stored()
    films("films", 2)
    asked("films")
    plain = [float(row["probability"]) for row in rows_of(capsys.readouterr().out)]
    stored(replace(UNDECIDED, threshold=threshold, temperature=4.0, rule_in_words="of this test", notes=()))

    asked("films")

    told = capsys.readouterr()
    for row, before in zip(rows_of(told.out), plain, strict=True):
        logit = math.log(before / (1 - before)) / 4
        assert float(row["probability"]) == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-5)
        assert row["decision"] == decision
    assert f"threshold {threshold:.4f} (of this test)" in told.err


def test_an_image_that_cannot_be_read_is_a_row_with_the_reason_and_the_others_have_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stored()
    good = films("films", 3)[1]
    cut = Path("films/film-0.png")
    cut.write_bytes(cut.read_bytes()[:-20])
    Path("notes.txt").write_text("no image")

    asked("films", "notes.txt", status=1)

    rows = {row["image"]: row for row in rows_of(capsys.readouterr().out)}
    assert rows["notes.txt"]["error"] == "it is neither PNG nor JPEG nor DICOM"
    assert rows[str(cut)]["error"]
    assert rows[str(cut)]["probability"] == ""
    assert rows[str(good)]["error"] == ""
    assert rows[str(good)]["decision"] in {"pneumonia", "normal"}


@pytest.mark.parametrize("given", ["film", "folder"])
def test_an_image_whose_name_is_not_utf_8_has_an_answer_and_costs_the_others_none(given: str) -> None:
    stored()
    films("films", 2)
    place = Path("films") if given == "film" else Path(os.fsdecode(b"caf\xe9"))
    place.mkdir(exist_ok=True)
    odd = place / os.fsdecode(b"radiograf\xeda.png")
    shutil.copy("films/film-0.png", odd)

    asked(
        "films/film-1.png",
        str(odd if given == "film" else place),
        "--out",
        "out.csv",
        "--overlays",
        os.fsdecode(b"\xfcber"),
    )

    rows = {row["image"]: row for row in rows_of(Path("out.csv").read_text(encoding="utf-8"))}
    assert list(rows) == ["films/film-1.png", "films/radiografía.png" if given == "film" else "café/radiografía.png"]
    assert all(row["decision"] and not row["error"] for row in rows.values())


def test_a_zip_gives_what_the_folder_gives_and_nothing_is_left_of_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored()
    paths = films("films", 5)
    with zipfile.ZipFile("films.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

    asked("films", "films.zip", "--batch_size", 2)

    rows = rows_of(capsys.readouterr().out)
    by_source = {
        name: [row["probability"] for row in rows if row["image"].startswith(f"{name}/")]
        for name in ("films", "films.zip")
    }
    assert len(by_source["films"]) == 5
    assert by_source["films"] == by_source["films.zip"]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_only_a_batch_of_a_zip_is_unpacked_at_a_time() -> None:
    paths = films("films", 7)
    with zipfile.ZipFile("films.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    with open_images(["films.zip"]) as images:
        assert len(images) == 7
        places = []
        for batch in images.batches(3):
            places.append([named.path for named in batch])
            assert all(path.is_file() for path in places[-1])
            assert not any(path.exists() for earlier in places[:-1] for path in earlier)
    assert [len(batch) for batch in places] == [3, 3, 1]


def test_overlays_are_pictures_of_the_film_and_their_rows_name_them(capsys: pytest.CaptureFixture[str]) -> None:
    stored()
    films("films", 3)

    asked("films", "--overlays", "maps")

    rows = rows_of(capsys.readouterr().out)
    for row in rows:
        with Image.open(row["overlay"]) as picture:
            assert (picture.size, picture.mode) == ((SIZE, SIZE), "RGB")
    assert len(list(Path("maps").iterdir())) == 3


def test_the_file_is_whole_and_standard_output_holds_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    stored()
    films("films", 2)
    asked("films", "--out", "answers.csv")
    assert capsys.readouterr().out == ""
    assert len(rows_of(Path("answers.csv").read_text())) == 2
    assert not [path for path in Path().iterdir() if path.name.endswith(".part")]


def test_an_answer_that_is_no_number_is_an_error_of_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    stored(broken=True)
    films("films", 1)
    asked("films", status=1)
    assert [row["error"] for row in rows_of(capsys.readouterr().out)] == ["the network's answer is not a number"]


def test_a_checkpoint_that_was_changed_in_the_store_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    stored()
    films("films", 1)
    with open_store(URL, durable=False) as store:
        (run,) = store.search_runs().items
        (artifact,) = store.list_artifacts(run.id)
    place = Path(artifact.uri.removeprefix("file://"))
    place.chmod(0o644)
    place.write_bytes(b"x" * 100)
    asked("films", status=2)
    told = capsys.readouterr()
    assert told.out == ""
    assert "checkpoints/best.ckpt" in told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.png"], "image 'nowhere.png': is not there"),
        (["empty"], "holds no image"),
        (["torn.zip"], "is damaged"),
        (["films", "--batch_size", "0"], "wanted 1 to 4096, found 0"),
        (["films", "--out", "no/such/answers.csv"], "cannot be written"),
        (["films", "--overlays", "films/film-0.png"], "cannot be made"),
        (["films", "--run", "@9"], "@9 means the newest run but 8"),
    ],
)
def test_a_mistake_is_told_before_any_answer(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stored()
    films("films", 1)
    Path("empty").mkdir()
    Path("torn.zip").write_bytes(b"PK\x03\x04 torn")

    asked(*arguments, status=2)

    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert len(rows_of(told.out)) == 0


@pytest.mark.parametrize("content", [b"no checkpoint", None])
def test_a_run_without_a_checkpoint_of_this_trainer_is_refused(
    content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    films("films", 1)
    with open_store(URL, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"))
        store.log_config(run_id, {"data": {"image_size": SIZE}})
        if content is not None:
            Path("best.ckpt").write_bytes(content)
            store.log_artifact(run_id, "best.ckpt", name="checkpoints/best.ckpt", artifact_type="model")

    asked("films", status=2)

    assert ("is no checkpoint" if content else "has no artifact") in capsys.readouterr().err
