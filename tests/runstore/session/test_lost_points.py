"""A run says what was lost after it had been accepted: the disk was full, and the database did not answer."""

from collections.abc import Callable
from pathlib import Path

import pytest

import runstore
from runstore.errors import StoreUnavailableError
from runstore.memory.store import MemoryStore
from runstore.recording import Recorder, RecorderOptions


class AwayStore(MemoryStore):
    """Takes what it is told until it goes away."""

    is_away = False

    def _session(self):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the store's own
        if self.is_away:
            raise StoreUnavailableError("the database went away")
        return super()._session()


@pytest.fixture
def refuse_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    return lambda: monkeypatch.setattr("runstore.recording.journal.write_at", refuse)


def test_points_that_were_in_memory_alone_when_the_store_was_closed_are_told(
    fast_path: Path, refuse_disk: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    store = AwayStore()
    options = RecorderOptions(state_dir=fast_path, close_deadline_s=0.0, away_deadline_s=0.0, exit_deadline_s=0.0)
    recorder = Recorder(lambda: store, identity="test:lost", options=options)
    run = runstore.start_run("x", store=recorder, packages=False, git_changes=False, console=True)
    run.log({"a": 0.0, "b": 0.0}, step=0)
    recorder.flush()
    store.is_away = True
    refuse_disk()

    for step in range(1, 51):
        run.log({"a": 1.0, "b": 1.0}, step=step)
    before_closing = run.points_not_stored
    recorder.close(deadline_s=0.0)

    assert (before_closing, run.points_not_stored) == (0, 100)
    assert run.failures == 50
    run.finish()
    assert "51 of its calls were not stored" in capsys.readouterr().err
