"""A disk that is full under what a command writes: it says so at once, and nothing is half written."""

import contextlib
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from newcomers.screens import check_told, typed
from runstore import open_store


@pytest.fixture
def source(fast_path: Path) -> str:
    """A store with an artifact of eight megabytes, on a disk that has room."""
    (fast_path / "weights.bin").write_bytes(bytes(range(256)) * 32_768)
    url = f"sqlite:///{fast_path / 'runs.db'}"
    with open_store(url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        store.log_artifact(run_id, fast_path / "weights.bin")
        store.finalize(run_id, "completed")
    return url


def test_a_file_and_an_export_that_do_not_fit_are_not_half_there(source: str, small_disk: Path) -> None:
    got = typed(f"runstore artifacts get @1 weights.bin {small_disk / 'weights.bin'} --store {source}")
    exported = typed(f"runstore export {small_disk / 'out'} --format csv --store {source}")

    check_told(got, "No space left on device; give another place", status=1)
    check_told(exported, "make room there, or name another place", status=1)
    assert list(small_disk.iterdir()) == []


def test_a_copy_that_does_not_fit_says_so_and_is_never_shown_as_complete(source: str, small_disk: Path) -> None:
    target = f"sqlite:///{small_disk / 'copy.db'}"

    copied = typed(f"runstore copy {source} {target}")

    check_told(copied, "No space left on device", status=1)
    assert '"in_progress"' in typed(f"runstore runs --json --store {target}").stdout


def test_a_store_that_cannot_be_made_is_told_at_once(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (small_disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(4096))
    pauses: list[float] = []
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=pauses.append)  # of that module alone: others have threads
    monkeypatch.setattr("runstore_sql.dialects.sqlite.journal.time", clock)

    made = typed(f"runstore migrate upgrade --yes --store sqlite:///{small_disk / 'runs.db'}")

    check_told(made, "the disk is full; free some space", status=1)
    assert pauses == []
