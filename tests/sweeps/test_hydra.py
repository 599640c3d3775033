"""The recipe for Hydra of the page about sweeps, as it stands there, in a real multirun."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from documentation.pages import blocks_of
from runstore.model import Run
from runstore.opening.stores import open_reader

pytest.importorskip("hydra")

PAGE = "docs/sweeps.md"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The three files of the page."""
    sweeps, train = [block.text for block in blocks_of(PAGE, "py") if "hydra" in block.text]
    (settings,) = blocks_of(PAGE, "yaml")
    (tmp_path / "sweeps.py").write_text(sweeps)
    (tmp_path / "train.py").write_text(train)
    (tmp_path / "config.yaml").write_text(settings.text)
    return tmp_path


def train(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    state = {"RUNSTORE_URL": f"sqlite:///{folder}/runs.db", "RUNSTORE_STATE_DIR": f"{folder}/state"}
    return subprocess.run(
        [sys.executable, "train.py", *arguments],
        cwd=folder,
        env=dict(os.environ) | state,
        capture_output=True,
        text=True,
        check=False,
    )


def runs_of(folder: Path) -> list[tuple[Run, dict[str, object]]]:
    with open_reader(f"sqlite:///{folder}/runs.db") as reader:
        return [(run, reader.get_config(run.id)) for run in reader.search_runs(order_by=["start_time"]).items]


def test_a_multirun_is_a_run_with_its_jobs_below_it(project: Path) -> None:
    done = train(project, "-m", "lr=0.5,0.25", "+name=depth ${model.depth}")

    (sweep, told), *jobs = runs_of(project)
    assert done.returncode == 0, done.stderr
    assert (sweep.name, sweep.status) == ("sweep", "completed")
    assert told == {"overrides": ["lr=0.5,0.25", "+name=depth 18"]}
    assert [run.parent_run_id for run, _ in jobs] == [sweep.id] * 2
    assert [run.status for run, _ in jobs] == ["completed"] * 2
    assert [config for _, config in jobs] == [
        {"lr": lr, "model": {"depth": 18}, "name": "depth 18"} for lr in (0.5, 0.25)
    ]


def test_a_job_alone_is_a_run_without_a_sweep(project: Path) -> None:
    train(project)

    ((run, config),) = runs_of(project)
    assert (run.status, run.parent_run_id, config) == ("completed", None, {"lr": 0.1, "model": {"depth": 18}})


def test_a_job_that_fails_fails_its_run_and_the_sweep(project: Path) -> None:
    done = train(project, "-m", "lr=0.5,none")

    (sweep, _), *jobs = runs_of(project)
    assert done.returncode != 0
    assert (sweep.status, [run.status for run, _ in jobs]) == ("failed", ["completed", "failed"])
    assert sweep.failure is not None
    assert sweep.failure.type == "TypeError"
