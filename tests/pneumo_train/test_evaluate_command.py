"""``pneumo-train evaluate``: a stored run on any films, kept as a child run that leaves its parent as it was."""

import csv
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pneumo_train.cli import main
from pneumo_train.demo.phantoms import write_phantoms
from pneumo_train.examining.checkpoint import DECISION_KEY
from pneumo_train.result import BEST_CHECKPOINT
from runstore import open_reader
from runstore.predictions import read_predictions
from support.processes import fast_directory

pytestmark = pytest.mark.training

SMALL = (
    "--data.image_size=32", "--data.patient_column=source_patient", "--data.validation_fraction=0.3",
    "--training.batch_size=8", "--training.threads=1", "--training.accelerator=cpu", "--training.max_epochs=1",
    "--evaluation.bootstrap_draws=50", "--progress=false",
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(phantoms: Path) -> Iterator[Path]:
    """A folder with a store in which the run ``trained`` is, and films of other patients."""
    with tempfile.TemporaryDirectory(dir=fast_directory()) as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        patch.delenv("RUNSTORE_URL", raising=False)
        patch.setenv("RUNSTORE_STATE_DIR", str(folder / "state"))
        patch.chdir(folder)
        write_phantoms(folder / "others", patients=8, films_per_patient=2, positive_share=0.5, size=48, seed=9)
        assert (
            main(["fit", "--source", str(phantoms), "--store", "sqlite:///runs.db", "--run_id", "trained", *SMALL]) == 0
        )
        yield folder


@pytest.fixture
def here(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(trained / "state"))
    monkeypatch.chdir(trained)
    return trained


def run_evaluate(*options: str, run: str = "trained", store: str = "sqlite:///runs.db") -> int:
    return main(["evaluate", run, "--store", store, "--progress=false", *options])


def test_a_training_keeps_its_decision_in_the_checkpoint_and_the_predictions_of_the_validation_part(here: Path) -> None:
    with open_reader(f"sqlite:///{here}/runs.db") as reader:
        with reader.open_artifact("trained", BEST_CHECKPOINT) as stream:
            copy = here / "copy.ckpt"
            copy.write_bytes(stream.read())
        with reader.open_artifact("trained", "predictions/validation.csv.gz") as stream:
            predictions = read_predictions(stream)
        with reader.open_artifact("trained", "evaluation/validation.json") as stream:
            figures = json.load(stream)
        threshold = reader.get_history("trained", "decision_threshold", "validation").values[-1]
        images = reader.get_config("trained")["split"]["validation"]["images"]

    decision = torch.load(copy, weights_only=True)[DECISION_KEY]
    assert decision["threshold"] == threshold == predictions.thresholds[0].value == figures["decision"]["threshold"]
    assert len(decision["table"]["threshold"]) > 1
    assert len(predictions) == images == figures["scores"]["images"]


def test_an_evaluation_on_other_films_is_a_child_at_the_stored_threshold_and_leaves_its_parent_alone(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_reader(f"sqlite:///{here}/runs.db") as reader:
        before = (reader.get_run("trained"), reader.list_artifacts("trained"), reader.get_config("trained"))

    status = run_evaluate("--source", "others", "--name", "other ward", "--against", "trained")

    printed = capsys.readouterr().out
    with open_reader(f"sqlite:///{here}/runs.db") as reader:
        assert (reader.get_run("trained"), reader.list_artifacts("trained"), reader.get_config("trained")) == before
        child = reader.get_run(printed.split()[1])
        config = reader.get_config(child.id)
        artifacts = reader.list_artifacts(child.id)
        with reader.open_artifact(child.id, "predictions/other-ward.csv.gz") as stream:
            predictions = read_predictions(stream)
        threshold = reader.get_history("trained", "decision_threshold", "validation").values[-1]
        auroc, low, p = (
            reader.get_history(child.id, name, "test").values[-1] for name in ("auroc", "auroc_low", "against_p")
        )
        noted = {artifact.name: artifact.sha256 for artifact in before[1]}[BEST_CHECKPOINT]
    assert status == 0
    assert (child.parent_run_id, child.status, child.name) == ("trained", "completed", "evaluation: other ward")
    assert config["decision"]["threshold"] == threshold == predictions.thresholds[0].value
    assert config["checkpoint"] == {"run": "trained", "sha256": noted}
    assert len(predictions) == config["data_set"]["images"] > 8
    assert any(each.name.endswith(".png") for each in artifacts)
    assert set(predictions.subgroups) == {"sex", "age", "view"}
    assert low <= auroc
    assert p == 1
    assert f"auroc              {auroc:.4f}" in printed
    assert "DeLong p = 1" in printed
    assert "one class only" in printed
    assert "nan" not in printed


def test_the_validation_part_of_the_same_source_gives_the_scores_that_training_gave(
    here: Path, phantoms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run_evaluate("--source", str(phantoms), "--part", "validation")

    child = capsys.readouterr().out.split()[1]
    with open_reader(f"sqlite:///{here}/runs.db") as reader:
        for name, known in (("auroc", "final_auroc"), ("specificity", "decision_specificity")):
            (ours,) = reader.get_history(child, name, "validation").values
            assert ours == pytest.approx(reader.get_history("trained", known, "validation").values[-1], abs=1e-6)
    assert status == 0


def test_films_made_worse_are_scored_at_five_strengths_each(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run_evaluate("--source", "others", "--evaluation.corruptions", "true")

    child = capsys.readouterr().out.split()[1]
    with (
        open_reader(f"sqlite:///{here}/runs.db") as reader,
        reader.open_artifact(child, "evaluation/all.json") as stream,
    ):
        rows = json.load(stream)["corruptions"]
    assert status == 0
    assert len({(row["corruption"], row["strength"]) for row in rows}) == 25


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--source", "others", "--part", "validation"), "its split is not the one of the training"),
        (("--source", "others", "--part", "half"), "option --part: wanted one of all, train, validation, test"),
        (("--source", "others", "--part", "test"), "the part 'test' has no images"),
        # What would be drawn for a test now may have been learnt from.
        (("--source", "others", "--part", "test", "--data.test_fraction", "0.4"), "its split is not the one"),
        (("--source", "absent"), "absent"),
        (("--source", "others", "--data.patient_column", "nobody"), "nobody"),
        (("--source", "others", "--against", "nobody"), "nobody"),
        (("--source", "others", "--evaluation.bootstrap_draws", "many"), "evaluation.bootstrap_draws = 'many'"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_makes_no_run(
    here: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], told: str
) -> None:
    with open_reader(f"sqlite:///{here}/runs.db") as reader:
        before = len(reader.search_runs().items)

    status = run_evaluate(*options)

    said = capsys.readouterr().err
    assert status == 2
    assert told in said
    assert said.count("\n") == 1, said
    with open_reader(f"sqlite:///{here}/runs.db") as reader:
        assert len(reader.search_runs().items) == before


def test_a_source_without_the_column_of_patients_of_the_training_is_evaluated_once_that_is_taken_back(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(here / "others", tmp_path / "elsewhere")
    table = tmp_path / "elsewhere" / "stage2_train_metadata.csv"
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ("patientId", "Target"), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    evaluate = ("--source", str(tmp_path / "elsewhere"), "--evaluation.bootstrap_draws=0", "--name", "elsewhere")

    refused = run_evaluate(*evaluate)
    told = capsys.readouterr().err
    kept = run_evaluate(*evaluate, "--data.patient_column", "null")

    assert (refused, kept) == (2, 0)
    assert "the training had --data.patient_column source_patient: give what this source has" in told
    assert "as in --data.patient_column null" in told
    with open_reader(f"sqlite:///{here}/runs.db") as reader:
        config = reader.get_config(capsys.readouterr().out.split()[1])
    assert config["data_set"]["patients"] == config["data_set"]["images"]


@pytest.mark.usefixtures("here")
def test_all_films_of_the_training_are_evaluated_with_a_warning_that_they_were_learnt_from(
    phantoms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for source in (str(phantoms), "others"):
        assert run_evaluate("--source", source, "--evaluation.bootstrap_draws=0") == 0
        told.append(capsys.readouterr().err)

    assert "which has learnt from most of these films" in told[0]
    assert "learnt from" not in told[1]


def test_a_run_that_is_named_as_an_option_is_told_where_it_stands(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["evaluate", "--run", "trained", "--source", str(here / "others")])

    assert left.value.code == 2
    assert "the run stands before all options and without --run, as @1 for the newest" in capsys.readouterr().err


def test_a_store_that_is_not_there_is_not_made(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_evaluate("--source", "others", store="sqlite:///absent.db") == 2

    assert "absent.db" in capsys.readouterr().err
    assert not (here / "absent.db").exists()


def test_a_checkpoint_that_was_changed_in_the_store_is_refused_with_both_hashes(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(here, copy)
    monkeypatch.chdir(copy)
    with open_reader(f"sqlite:///{copy}/runs.db") as reader:
        noted = {each.name: each.sha256 for each in reader.list_artifacts("trained")}[BEST_CHECKPOINT]
    kept = [path for path in (copy / "runs.db.artifacts").rglob("*") if path.is_file()]
    changed = [path for path in kept if hashlib.sha256(path.read_bytes()).hexdigest() == noted]
    for path in changed:
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1] + b"!")

    assert changed
    assert run_evaluate("--source", "others") == 2
    assert "SHA-256" in capsys.readouterr().err


def test_a_test_part_that_the_table_names_is_evaluated_after_the_training_as_its_child(here: Path) -> None:
    films = write_phantoms(here / "divided", patients=24, films_per_patient=1, positive_share=0.5, size=48, seed=4)
    table = films / "stage2_train_metadata.csv"
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    patients = sorted({row["source_patient"] for row in rows})
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], "part"])
        writer.writeheader()
        for row in rows:
            place = patients.index(row["source_patient"]) % 3
            writer.writerow({**row, "part": ("train", "val", "test")[place]})

    url = f"sqlite:///{here}/divided.db"
    status = main(["fit", "--source", str(films), "--store", url, "--data.split_column=part", *SMALL])

    with open_reader(url) as reader:
        child, parent = sorted(reader.search_runs().items, key=lambda run: run.parent_run_id is None)
        images = reader.get_config(child.id)["data_set"]["images"]
    assert status == 0
    assert (child.parent_run_id, child.status, child.name) == (parent.id, "completed", "evaluation: test")
    assert images == len({row["patientId"] for row in rows if patients.index(row["source_patient"]) % 3 == 2})
