"""Exports of runs that go on while they are exported."""

import hashlib
from pathlib import Path
from typing import BinaryIO

import pyarrow.parquet as pq
import pytest

from runstore.errors import StoreFailureError
from runstore.exporting import export
from runstore.memory import MemoryDatabase, MemoryStore


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    """A store with a run that goes on and has logged its newest checkpoint."""
    store = MemoryStore(MemoryDatabase())
    store.ensure_run(store.get_or_create_experiment("x"), run_id="going-on")
    (tmp_path / "last.ckpt").write_bytes(b"of step 1")
    store.log_artifact("going-on", tmp_path / "last.ckpt")
    return store


def test_a_file_that_its_run_replaces_meanwhile_comes_with_its_own_bytes(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.open_artifact

    def as_late_as_can_be(run_id: str, name: str) -> BinaryIO:
        monkeypatch.undo()
        (tmp_path / "last.ckpt").write_bytes(b"of step 2")
        store.log_artifact("going-on", tmp_path / "last.ckpt")
        return real(run_id, name)

    monkeypatch.setattr(store, "open_artifact", as_late_as_can_be)

    written = export(store, tmp_path / "out")

    (row,) = pq.read_table(tmp_path / "out" / "artifacts.parquet").to_pylist()
    assert row["sha256"] == hashlib.sha256(b"of step 2").hexdigest()
    assert (tmp_path / "out" / row["file"]).read_bytes() == b"of step 2"
    assert written.bytes == 9


def test_bytes_that_are_not_those_that_were_recorded_are_never_exported(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").write_bytes(b"of another run")
    store.ensure_run(run_id="another", experiment_id=store.get_or_create_experiment("x"))
    store.log_artifact("another", tmp_path / "other")
    real = store.open_artifact
    monkeypatch.setattr(store, "open_artifact", lambda *_: real("another", "other"))

    with pytest.raises(StoreFailureError, match=r"cannot be exported.*--no-bytes"):
        export(store, tmp_path / "out")

    assert not (tmp_path / "out").exists()
