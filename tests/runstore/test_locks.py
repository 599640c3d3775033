"""Locks end with their holder; a file system that has none is told by name, with the cure."""

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runstore import open_store
from runstore.errors import SettingsError, StoreFailureError
from runstore.local.locks import are_bytes_locked, take_lock

NO_LOCKS = [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP]


def refuses(number: int) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_a_lock_keeps_others_out_until_it_is_released(tmp_path: Path) -> None:
    held = take_lock(tmp_path / "lock")
    assert held is not None
    assert take_lock(tmp_path / "lock") is None

    held.release()

    again = take_lock(tmp_path / "lock")
    assert again is not None
    again.release()


def test_a_lock_whose_file_its_holder_removed_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who had opened the file before that must not believe that it holds the lock of what lies there now."""
    held = take_lock(tmp_path / "lock")
    assert held is not None
    real = fcntl.flock

    def after_the_holder_has_left(file: int, operation: int) -> None:
        held.release_and_remove()
        real(file, operation)

    monkeypatch.setattr(fcntl, "flock", after_the_holder_has_left)

    assert take_lock(tmp_path / "lock") is None


def test_a_lock_in_a_folder_that_is_gone_is_nobodys(tmp_path: Path) -> None:
    assert take_lock(tmp_path / "gone" / "lock") is None


def test_bytes_that_nobody_locks_are_free(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"bytes")

    assert not are_bytes_locked(tmp_path / "file", 1, 2)


@pytest.mark.parametrize("number", NO_LOCKS, ids=errno.errorcode.get)
def test_a_journals_file_system_without_locks_is_told_by_name_and_nothing_is_left_there(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(fcntl, "flock", refuses(number))

    with pytest.raises(SettingsError) as raised:
        open_store(f"sqlite:///{tmp_path / 'runs.db'}")

    told = str(raised.value)
    assert "has no file locks, as Lustre mounted without the option flock, or NFS without its lock service" in told
    assert "RUNSTORE_STATE_DIR" in told
    assert "free some space" not in told
    assert [path for path in (tmp_path / "state").rglob("*") if "lock" in path.name] == []


@pytest.mark.parametrize("number", NO_LOCKS, ids=errno.errorcode.get)
@pytest.mark.parametrize("is_there", [False, True], ids=["a new file", "a file that is there"])
def test_a_sqlite_files_file_system_without_locks_is_told_by_name(
    number: int, fast_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    url = f"sqlite:///{fast_path / 'runs.db'}"
    if is_there:
        open_store(url, durable=False).close()
    monkeypatch.setattr(fcntl, "lockf", refuses(number))

    with pytest.raises(StoreFailureError, match=r"has no file locks \(.+\).*Lustre: the option flock; NFS"):
        open_store(url, durable=False)
