"""Cells of a notebook: one that is run again ends the run that it began before. IPython's shell is in its own process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runstore import Run, open_reader

pytest.importorskip("IPython")

_NOTEBOOK = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell

class Kernel:
    def get_parent(self, channel):
        return {"metadata": {"cellId": self.cell} if self.cell else {}}

shell, kernel = InteractiveShell.instance(), Kernel()
shell.kernel = kernel
for kernel.cell, text in json.loads(sys.argv[1]):
    shell.run_cell(text, store_history=True)
"""
"""Runs cells as a kernel does, which tells the id of the cell that it was asked to run."""

_BEGIN = "run = runstore.start_run('e', store=url, packages=False, git_changes=False, console=False)\n"


class Notebook:
    """Runs cells in a process of its own, over a store of its own."""

    def __init__(self, folder: Path) -> None:
        self._url = f"sqlite:///{folder / 'runs.db'}"
        self._folder = folder

    def run(self, *cells: tuple[str, str]) -> str:
        """Runs the cells, each with its id; what they print."""
        first = ("setup", f"import runstore\nurl = {self._url!r}")
        done = subprocess.run(
            [sys.executable, "-c", _NOTEBOOK, json.dumps([first, *cells])],
            env={**os.environ, "IPYTHONDIR": str(self._folder), "RUNSTORE_STATE_DIR": str(self._folder / "state")},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout

    @property
    def runs(self) -> list[Run]:
        """The runs in the order of their beginning."""
        with open_reader(self._url) as reader:
            return sorted(reader.search_runs().items, key=lambda run: run.start_time)


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    return Notebook(tmp_path)


def test_a_cell_that_is_run_again_ends_the_run_that_it_began(notebook: Notebook) -> None:
    said = notebook.run(
        ("a", f"{_BEGIN}first = run\nrun.log({{'loss': 1}})"),
        ("a", f"{_BEGIN}# the cell was changed\nprint('first:', first.status, 'second:', run.status)"),
    )

    assert "first: completed second: in_progress" in said
    assert [run.status for run in notebook.runs] == ["completed", "completed"]


def test_runs_of_other_cells_and_of_one_cells_loop_go_on(notebook: Notebook) -> None:
    said = notebook.run(
        ("a", f"{_BEGIN}runs = [run]"),
        (
            "b",
            "for _ in range(2):\n    " + _BEGIN + "    runs.append(run)\nprint([each.status.value for each in runs])",
        ),
    )

    assert "['in_progress', 'in_progress', 'in_progress']" in said


def test_a_run_ends_as_its_cell_ended(notebook: Notebook) -> None:
    notebook.run(
        ("a", f"{_BEGIN}raise ValueError('bad data')"),
        ("a", f"{_BEGIN}raise KeyboardInterrupt"),
        ("a", _BEGIN),
    )

    first, second, third = notebook.runs
    assert [first.status, second.status, third.status] == ["failed", "interrupted", "completed"]
    assert first.failure is not None
    assert first.failure.message == "bad data"


def test_a_run_that_a_block_has_ended_is_left_alone(notebook: Notebook) -> None:
    cell = _BEGIN.replace("run = ", "with ").rstrip() + " as run: pass\n"

    notebook.run(("a", cell), ("a", cell))

    assert [run.status for run in notebook.runs] == ["completed", "completed"]


def test_an_error_of_a_cell_long_ago_does_not_end_the_run_of_the_notebook_as_failed(notebook: Notebook) -> None:
    notebook.run(("a", "1 / 0"), ("b", f"{_BEGIN}run.log({{'loss': 1}})"))

    assert [run.status for run in notebook.runs] == ["completed"]


def test_at_the_end_of_the_kernel_a_run_ends_as_the_last_cell_that_logged_to_it(notebook: Notebook) -> None:
    notebook.run(
        ("a", f"{_BEGIN}failed = run"),
        ("b", f"{_BEGIN}gone_on_with = run"),
        ("c", f"{_BEGIN}stopped = run"),
        ("d", "failed.log({'loss': 1})\nraise ValueError('bad data')"),
        ("e", "gone_on_with.log_text('note', 'a')\n1 / 0"),
        ("e", "gone_on_with.log({'loss': 1})"),
        ("f", "stopped.log_config({'lr': 1})\nraise KeyboardInterrupt"),
        ("g", "1 / 0  # and has nothing to do with any of them"),
    )

    failed, gone_on_with, stopped = notebook.runs
    assert [failed.status, gone_on_with.status, stopped.status] == ["failed", "completed", "interrupted"]
    assert failed.failure is not None
    assert (failed.failure.type, failed.failure.message) == ("ValueError", "bad data")
    assert gone_on_with.failure is None


def test_a_run_whose_own_cell_raised_ends_with_the_kernel_as_failed(notebook: Notebook) -> None:
    notebook.run(("a", f"{_BEGIN}run.log({{'loss': 1}})\nraise ValueError('bad data')"), ("b", "fine = 1"))

    assert [run.status for run in notebook.runs] == ["failed"]
