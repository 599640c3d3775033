"""``pneumo-train study``: rows that are runs of one experiment, stopped and gone on with at will, and their table."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from documentation.pages import blocks_of
from pneumo_train.cli import main
from pneumo_train.errors import ConfigError
from pneumo_train.studying.plan import load_study, study_names, tasks_of
from runstore import Run, RunStatus, open_reader, open_store
from runstore.training import RunSession
from support.processes import fast_directory
from support.waiting import wait_until

training = pytest.mark.training

STUDY = """
name: tiny
tables:
  - name: first
    about: Two rows that train, and two that look again.
    set: {data.image_size: 32, model.architecture: small, training.max_epochs: 2, training.batch_size: 8,
          data.patient_column: source_patient, data.validation_fraction: 0.3, data.test_fraction: 0.2, evaluation.bootstrap_draws: 20,
          evaluation.corruptions: true}
    seeds: [1, 2]
    rows:
      - name: plain
      - {name: exposed, set: {training.exposure_strength: 1, model.contrast: stretch}}
      - {name: three views, of: exposed, set: {model.tta_views: 3}}
      - {name: half, of: plain, set: {evaluation.threshold_rule: fixed}}
"""

URL = "sqlite:///runs.db"
MACHINE = ("--training.threads=1", "--training.accelerator=cpu")


def enter(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Makes a folder that in which commands are given, with the study in it."""
    patch.delenv("RUNSTORE_URL", raising=False)
    patch.setenv("RUNSTORE_STATE_DIR", str(folder / "state"))
    patch.chdir(folder)
    (folder / "tiny.yaml").write_text(STUDY, encoding="utf-8")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the study, in which commands are given."""
    enter(tmp_path, monkeypatch)
    return tmp_path


def study(*options: str) -> int:
    return main(["study", "tiny.yaml", "--store", URL, *options])


def runs_of(purpose: str) -> list[Run]:
    with open_reader(URL) as reader:
        return list(reader.iter_runs(f"tag.purpose = '{purpose}'", order_by=["start_time"]))


def table_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "table.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def complete(phantoms: Path) -> Iterator[Path]:
    """A folder in which the study was killed in its fifth row, gone on with, and exported; ``killed.json`` says how it stood."""
    with tempfile.TemporaryDirectory(dir=fast_directory()) as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        enter(folder, patch)
        kill_in_the_fifth_row(folder, phantoms)
        rows = [(run.id, run.status == "completed") for run in runs_of("study row")]
        (folder / "killed.json").write_text(json.dumps(rows), encoding="utf-8")
        assert study("--source", str(phantoms), "--export", "table.json", *MACHINE) == 0
        yield folder


@pytest.fixture
def again(complete: Path, here: Path) -> Path:
    """A copy of it, in which commands are given."""
    shutil.copytree(complete, here, dirs_exist_ok=True)
    return here


def kill_in_the_fifth_row(folder: Path, source: Path) -> None:
    command = [sys.executable, "-m", "pneumo_train", "study", "tiny.yaml", "--store", URL, "--source", str(source)]
    killed = subprocess.Popen([*command, *MACHINE], cwd=folder, stderr=subprocess.PIPE, text=True)
    assert killed.stderr is not None
    with killed.stderr:
        assert any(line.startswith("5 of 8") for line in killed.stderr)
        kept = folder / "results" / "checkpoints"
        wait_until(
            lambda: killed.poll() is not None or list(kept.glob("*/last.ckpt")),
            "a checkpoint of that row",
            pause_s=0.01,
        )
        assert killed.poll() is None
        killed.kill()
        killed.wait()


def leave_cut_off(folder: Path, digest: str) -> Path:
    """A run of a task that was cut off; the folder of its checkpoints, of which the last is damaged."""
    (whole,) = runs_of("study")
    with open_store(URL) as store:
        tags = {"purpose": "study row", "digest": digest}
        session = RunSession(store, experiment="tiny", parent_run_id=whole.id, tags=tags)
        session.begin()
        session.end(RunStatus.INTERRUPTED)
    left = folder / "results" / "checkpoints" / session.run_id
    left.mkdir()
    (left / "last.ckpt").write_bytes(b"half a file")
    return left


@training
def test_a_study_that_was_killed_goes_on_where_it_stood_and_every_row_is_a_run_below_it(again: Path) -> None:
    stood = json.loads((again / "killed.json").read_text(encoding="utf-8"))
    rows = runs_of("study row")
    (whole,) = runs_of("study")

    assert [is_complete for _, is_complete in stood] == [True, True, True, True, False]
    assert [run.id for run in rows][:5] == [run_id for run_id, _ in stood]
    assert [run.name for run in rows] == [
        f"first: {row}, seed {seed}" for seed in (1, 2) for row in ("plain", "exposed", "three views", "half")
    ]
    assert {run.parent_run_id for run in rows} == {whole.id}
    assert {run.status for run in (whole, *rows)} == {"completed"}


@training
@pytest.mark.usefixtures("again")
def test_a_row_that_was_cut_off_goes_on_from_its_last_checkpoint() -> None:
    assert [run.attempt for run in runs_of("study row")] == [1, 1, 1, 1, 2, 1, 1, 1]


@training
def test_a_row_that_cannot_go_on_is_trained_anew(
    again: Path, phantoms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = STUDY.replace("- name: plain", "- {name: plain, set: {model.dropout: 0.3}}")
    (again / "tiny.yaml").write_text(changed.replace("seeds: [1, 2]", "seeds: [1]"), encoding="utf-8")
    left = leave_cut_off(again, tasks_of(load_study("tiny.yaml"))[0].digest)

    assert study("--source", str(phantoms), *MACHINE) == 0

    anew, *_ = runs_of("study row")[-2:]
    assert f"cannot go on with {left.name}, which stays until the row is complete" in " ".join(
        capsys.readouterr().err.split()
    )
    assert (anew.name, anew.status, anew.attempt) == ("first: plain, seed 1", "completed", 1)
    assert not left.exists()


@training
def test_the_table_is_that_of_the_store(again: Path) -> None:
    plain, exposed, views, half = table_of(again)["tables"][0]["rows"]
    rows = [run for run in runs_of("study row") if run.status == "completed"]

    assert [row["runs"][turn]["run"] for turn in (0, 1) for row in (plain, exposed, views, half)] == [
        run.id for run in rows
    ]
    with open_reader(URL) as reader:
        kept = [
            series.last.value
            for run in (rows[0], rows[4])
            for series in reader.get_summaries(run.id)
            if series.name == "decision_sensitivity"
        ]
        views_of = [reader.get_config(run.id)["model"]["tta_views"] for run in rows]
    assert [run["sensitivity"] for run in plain["runs"]] == pytest.approx(kept, abs=1e-5)
    assert plain["mean"]["sensitivity"] == pytest.approx(sum(kept) / 2, abs=1e-5)
    assert views_of == [1, 1, 3, 1, 1, 1, 3, 1]
    assert [run["auroc"] for run in views["runs"]] != [run["auroc"] for run in exposed["runs"]]
    assert [run["threshold"] for run in half["runs"]] == [0.5, 0.5]
    assert [run["auroc"] for run in half["runs"]] == [run["auroc"] for run in plain["runs"]]


@training
def test_the_table_has_the_scores_on_the_test_part_at_the_threshold_of_the_row(again: Path) -> None:
    rows = {row["name"]: row for row in table_of(again)["tables"][0]["rows"]}

    with open_reader(URL) as reader:
        for row in rows.values():
            for run in row["runs"]:
                (child,) = reader.iter_runs(f"parent = '{run['run']}' and tag.purpose = 'evaluation'")
                kept = {
                    series.name: series.last.value
                    for series in reader.get_summaries(child.id)
                    if series.dataset_type == "test"
                }
                assert kept["threshold"] == pytest.approx(run["threshold"], abs=1e-5)
                for name in ("auroc", "sensitivity", "specificity", "balanced_accuracy", "ece"):
                    assert run[f"test_{name}"] == pytest.approx(kept[name], abs=1e-5)
    assert [run["test_auroc"] for run in rows["half"]["runs"]] == [run["test_auroc"] for run in rows["plain"]["runs"]]


@training
def test_films_that_are_evaluated_later_under_the_name_test_stand_in_the_table(again: Path, phantoms: Path) -> None:
    before = table_of(again)["tables"][0]["rows"][0]["runs"][0]
    arguments = ["--store", URL, "--name", "test", "--evaluation.bootstrap_draws", "0"]

    assert main(["evaluate", before["run"], "--source", str(phantoms), *arguments]) == 0
    assert study("--export", "table.json") == 0

    after = table_of(again)["tables"][0]["rows"][0]["runs"][0]
    with open_reader(URL) as reader:
        newest = next(iter(reader.iter_runs(f"parent = '{before['run']}' and tag.purpose = 'evaluation'")))
        kept = {series.name: series.last.value for series in reader.get_summaries(newest.id)}
    assert after["test_ece"] == pytest.approx(kept["ece"], abs=1e-5)
    assert after["test_ece"] != before["test_ece"]


@training
def test_what_is_complete_is_not_run_again_and_what_was_changed_is(again: Path, phantoms: Path) -> None:
    before = runs_of("study row")
    changed = STUDY.replace("model.tta_views: 3", "model.tta_views: 2").replace("seeds: [1, 2]", "seeds: [1]")
    (again / "tiny.yaml").write_text(changed, encoding="utf-8")

    assert study("--source", str(phantoms), "--training.threads=2", "--training.accelerator=cpu") == 0

    added = runs_of("study row")[len(before) :]
    assert [run.name for run in added] == ["first: three views, seed 1"]
    assert len(runs_of("study")) == 1


@training
def test_a_table_without_a_source_trains_nothing_and_says_what_is_missing(
    again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (again / "tiny.yaml").write_text(STUDY.replace("seeds: [1, 2]", "seeds: [1, 2, 3]"), encoding="utf-8")

    assert study() == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "### First"
    assert [line.split(" | ")[0] for line in lines if line.startswith("| ")][1:5] == [
        f"| {row} (2 of 3 runs)" for row in ("plain", "exposed", "three views", "half")
    ]


@training
def test_checkpoints_of_complete_rows_and_of_tries_that_another_one_stands_for_do_not_stay_on_disk(
    again: Path, phantoms: Path
) -> None:
    assert not list((again / "results" / "checkpoints").iterdir())
    left = leave_cut_off(again, tasks_of(load_study("tiny.yaml"))[0].digest)

    assert study("--source", str(phantoms), *MACHINE) == 0

    assert not left.exists()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("of: exposed", "of: half", "of = 'half': names no row before it that trains"),
        ("{model.tta_views: 3}", "{model.dropout: 0.5}", "set model.dropout: is decided in training"),
        ("name: exposed", "name: plain", "two rows have this name"),
        ("seeds: [1, 2]", "seeds: []", "length >= 1"),
        ("seeds: [1, 2]", "seeds: [1, 1]", "a seed is there twice"),
        ("name: tiny", "title: tiny", "title"),
    ],
)
def test_a_study_that_cannot_be_run_is_refused_by_name(here: Path, before: str, after: str, told: str) -> None:
    (here / "tiny.yaml").write_text(STUDY.replace(before, after, 1), encoding="utf-8")

    with pytest.raises(ConfigError) as refused:
        load_study("tiny.yaml")

    assert told in str(refused.value)


def test_an_unknown_key_in_a_row_is_refused_before_any_row_is_trained(here: Path) -> None:
    (here / "tiny.yaml").write_text(STUDY.replace("exposure_strength", "exposure_strenght"), encoding="utf-8")

    assert study("--source", "nowhere", *MACHINE) == 2
    assert not (here / "runs.db").exists()


@pytest.mark.usefixtures("here")
def test_an_option_that_the_study_decides_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert study("--source", "nowhere", "--data.image_size=64") == 2

    assert "--data.image_size: the study's table 'first' says it already" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_where_a_row_is_trained_does_not_change_what_it_is_called() -> None:
    known = load_study("tiny.yaml")

    elsewhere = tasks_of(known, {"training.threads": 7, "training.num_workers": 2, "training.accelerator": "auto"})

    assert [task.digest for task in elsewhere] == [task.digest for task in tasks_of(known)]
    assert len({task.digest for task in elsewhere}) == len(elsewhere)


@pytest.mark.usefixtures("here")
def test_the_study_that_the_page_shows_can_be_run() -> None:
    (shown,) = blocks_of("docs/study.md", "yaml")
    Path("mine.yaml").write_text(shown.text, encoding="utf-8")

    tasks = tasks_of(load_study("mine.yaml"))

    assert [task.name for task in tasks if task.seed == 1] == [
        f"losses: {row}, seed 1" for row in ("the recipe", "focal", "mixup", "five views")
    ]


@pytest.mark.parametrize("name", study_names())
def test_each_study_that_comes_with_the_trainer_can_be_run(name: str) -> None:
    tasks = tasks_of(load_study(name))

    assert len({task.digest for task in tasks}) == len(tasks)
