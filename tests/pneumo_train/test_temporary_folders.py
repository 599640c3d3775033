"""Temporary folders hold films: none stays, whoever was killed."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pneumo_train.temporary import own_folder

OWNER = """
import sys, tempfile
from pneumo_train.temporary import own_folder

tempfile.tempdir = sys.argv[1]
with own_folder() as folder:
    (folder / "film.png").write_bytes(b"a film")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@contextmanager
def another_process(place: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that has such a folder until it is told to end, and its folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process, Path(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


def test_the_folder_of_a_process_that_was_killed_goes_when_the_next_one_is_made(place: Path) -> None:
    with another_process(place) as (process, left):
        process.kill()
        process.wait()
        assert (left / "film.png").exists()

        with own_folder() as folder:
            assert folder.parent == place
            assert not left.exists()

    assert list(place.iterdir()) == []


def test_the_folder_of_a_process_that_lives_and_what_is_not_ours_stay(place: Path) -> None:
    foreign = place / "pneumo-notes"
    foreign.mkdir()
    (foreign / "diary.txt").write_text("mine", encoding="utf-8")
    (place / "pneumo-link").symlink_to(foreign)

    with another_process(place) as (_, theirs), own_folder():
        assert (theirs / "film.png").exists()

    assert (foreign / "diary.txt").exists()
    assert (place / "pneumo-link").is_symlink()
