"""The backend of the page "Write a backend" keeps the contract, bare and behind the recorder: the page tells enough."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from documentation.pages import ROOT, blocks_of, run_blocks
from runstore.backend import BackendStore
from runstore.hookspecs import Backend, OpenOptions
from runstore.recording import open_recorder
from runstore.testing import Harness, RunStoreConformance, age_files

PAGE = "docs/write-a-backend.md"
EXAMPLE = ROOT / "examples" / "third_party_backend"

NotesStore = cast("type[BackendStore]", run_blocks(PAGE, "python")["NotesStore"])


class NotesHarness(Harness):
    """A file in a folder. It has no URL: the backend is not installed, and no other process can open it."""

    effort = 0.2  # the page's backend reads every run to find one

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> BackendStore:
        return self._open(f"notes:///{self._folder}/runs.notes", OpenOptions())

    def open_recorded(self) -> BackendStore:
        backend = Backend(name="notes", schemes=("notes",), open=self._open)
        return cast("BackendStore", open_recorder(f"notes:///{self._folder}/runs.notes", backend, OpenOptions()))

    def fresh(self) -> "NotesHarness":
        folder = self._folder / "another"
        folder.mkdir()
        return NotesHarness(folder)

    def back_up(self) -> Callable[[], None]:
        kept = self._folder.with_name(f"{self._folder.name} as it was")
        shutil.copytree(self._folder, kept)

        def go_back() -> None:
            shutil.rmtree(self._folder)
            shutil.copytree(kept, self._folder)

        return go_back

    def age_artifacts(self, days: float) -> None:
        age_files(self._folder / "runs.notes.artifacts", days)

    @staticmethod
    def _open(url: str, options: OpenOptions) -> BackendStore:
        return NotesStore(url, artifacts=options.artifacts)  # type: ignore[call-arg]  # made by the page


class TestNaiveBackend(RunStoreConformance):
    backend = "naive (of the page)"

    @pytest.fixture
    def harness(self, fast_path: Path) -> NotesHarness:
        return NotesHarness(fast_path)


def test_the_page_and_the_example_import_faces_alone() -> None:
    sources = [block.text for block in blocks_of(PAGE, "python", "py")]
    sources += [path.read_text() for path in EXAMPLE.rglob("*.py")]

    assert len(sources) > 6
    assert [found for text in sources for found in re.findall(r"(?:from|import) runstore\.\w+\.\S+", text)] == []
