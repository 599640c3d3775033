"""A writer's folder is made, moved and removed so that others never find half of it."""

import errno
from pathlib import Path

import pytest

from runstore.recording.adoption import QUARANTINE, adopt, put_away
from runstore.recording.cursor import DEAD_LETTERS
from runstore.recording.journal import Journal
from runstore.recording.writers import LOCK_NAME, leftovers

fcntl = pytest.importorskip("fcntl", reason="a lock is taken in another way there")


def test_a_new_folder_that_another_process_took_for_a_dead_writers_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = fcntl.flock, []

    def taken_at_first(file: int, operation: int) -> None:
        seen.append(file)
        if len(seen) <= 2:
            raise BlockingIOError(errno.EWOULDBLOCK, "held by another process")
        real(file, operation)

    monkeypatch.setattr(fcntl, "flock", taken_at_first)

    journal = Journal.create(tmp_path)
    position = journal.append(b"a record")

    assert position == 0
    assert len(seen) == 3
    monkeypatch.undo()
    others = [folder for folder in leftovers(tmp_path) if folder != journal.folder]
    for folder in others:
        adopted = adopt(folder)
        assert adopted is not None
        put_away(adopted.journal, is_drained=True)
    assert leftovers(tmp_path) == [journal.folder]
    assert len(others) == 2
    journal.close(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_what_a_stop_left_half_moved_to_the_quarantine_is_moved_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal.create(tmp_path)
    name = journal.folder.name
    (journal.staging / "1").mkdir(parents=True)
    (journal.staging / "1" / "bytes").write_bytes(b"of an artifact")
    (journal.folder / DEAD_LETTERS).write_bytes(b"{}\n")
    real = Path.rename

    def but_not_the_letters(path: Path, target: Path) -> Path:
        if path.name == DEAD_LETTERS:
            raise OSError(errno.EIO, "Input/output error")
        return real(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", but_not_the_letters)
        put_away(journal, is_drained=True)
    assert "the dead letters stay in" in caplog.text
    adopted = adopt(tmp_path / name)
    assert adopted is not None

    put_away(adopted.journal, is_drained=True)

    quarantined = tmp_path / QUARANTINE / name
    assert (quarantined / DEAD_LETTERS).read_bytes() == b"{}\n"
    assert (quarantined / "staged" / "1" / "bytes").read_bytes() == b"of an artifact"
    assert not (tmp_path / name).exists()
    assert not (quarantined / LOCK_NAME).exists()
