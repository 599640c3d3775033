"""A record that the server cuts off, as if it were away: it goes in smaller parts, or aside; the others go through."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from recording.conftest import IDENTITY
from recording.faulty import Away
from recording.test_recorder import begin, point, steps_of
from runstore.errors import StoreUnavailableError
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.model import MetricPoint
from runstore.opening.stores import open_store
from runstore.recording import Recorder, judge, sending, sync_leftovers
from runstore.series import SeriesColumns
from runstore.values import ConfigDocument
from support import session
from support.dying import die, wait_for
from support.servers import private_server

OpenRecorder = Callable[..., Recorder]


def size_of(series: SeriesColumns) -> int:
    return sum(len(columns.steps) for columns in series.values())


class CutsOff(MemoryStore):
    """Takes so many points at once, no large config, and ends the connection over anything larger."""

    most_points = 100
    is_away = False

    def append(self, run_id: str, series: SeriesColumns) -> None:
        if self.is_away or size_of(series) > self.most_points:
            raise StoreUnavailableError("the server has gone away")
        super().append(run_id, series)

    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        if self.is_away or "large" in config.values:
            raise StoreUnavailableError("the server has gone away")
        super().merge_config(run_id, config)

    def beat(self, run_id: str, lease_s: float) -> None:
        if self.is_away:
            raise StoreUnavailableError("the server has gone away")
        super().beat(run_id, lease_s)


def test_a_call_that_is_cut_off_is_stored_in_smaller_parts(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = open_recorder(open_store=lambda: CutsOff(database))
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(step) for step in range(5000)])
    for step in range(5000, 6000):
        recorder.log_metrics(run_id, [point(step)])
    recorder.finalize(run_id, "completed")

    recorder.close()

    assert steps_of(bare, run_id) == list(range(6000))
    assert recorder.health().is_all_stored
    assert caplog.text.count("smaller parts") == 1


def test_after_a_while_more_is_sent_at_once_again(
    open_recorder: OpenRecorder, database: MemoryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PASSES", 2)
    sizes: list[int] = []

    class Counts(CutsOff):
        def append(self, run_id: str, series: SeriesColumns) -> None:
            super().append(run_id, series)
            sizes.append(size_of(series))

    store: Any = Counts(database)
    recorder = open_recorder(open_store=lambda: store)
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(step) for step in range(400)])
    recorder.flush()
    store.most_points = 10_000
    for _ in range(20):
        recorder.log_metrics(run_id, [point(step) for step in range(400)])
        recorder.flush()

    assert max(sizes[:4]) <= 100
    assert sizes[-1] == 400


def test_what_is_cut_off_even_alone_is_set_aside_and_what_is_behind_it_is_stored(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "CUT_OFF_S", 0.05)
    recorder = open_recorder(open_store=lambda: CutsOff(database))
    run_id = begin(recorder)
    recorder.log_config(run_id, {"large": "x"})
    recorder.log_metrics(run_id, [point(1)])
    recorder.finalize(run_id, "completed")
    wait_for(lambda: recorder.health().quarantined_records == 1)
    recorder.close()

    run = bare.get_run(run_id)
    assert (run.status, steps_of(bare, run_id)) == ("completed", [1])
    assert recorder.health().runs[run_id].calls.quarantined == 1


def test_a_store_that_is_away_for_all_writes_takes_nothing_aside_however_long(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "CUT_OFF_S", 0.0)
    tries: list[int] = []
    store: Any = CutsOff(database)

    class Counts(CutsOff):
        def append(self, run_id: str, series: SeriesColumns) -> None:
            tries.append(1)
            store.append(run_id, series)

        def beat(self, run_id: str, lease_s: float) -> None:
            store.beat(run_id, lease_s)

    recorder = open_recorder(open_store=lambda: Counts(database))
    run_id = begin(recorder)
    recorder.flush()
    store.is_away = True
    recorder.log_metrics(run_id, [point(1)])
    wait_for(lambda: len(tries) > 5 * judge.FAILURE_TRIES)
    store.is_away = False
    recorder.flush()

    assert recorder.health().quarantined_records == 0
    assert steps_of(bare, run_id) == [1]


def test_a_sync_sends_what_is_cut_off_in_smaller_parts_as_well(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase, fast_path: Path
) -> None:
    dead = open_recorder(Away())
    run_id = begin(dead)
    dead.log_metrics(run_id, [point(step) for step in range(1000)])
    die(dead)

    done = sync_leftovers(CutsOff(database), IDENTITY, state_dir=fast_path)

    assert (done.journals, done.points, done.error) == (1, 1000, None)
    assert steps_of(bare, run_id) == list(range(1000))


@contextmanager
def recorded(url: str) -> Iterator[Recorder]:
    with open_store(url) as store:
        assert isinstance(store, Recorder)
        yield store


@pytest.mark.server
def test_a_call_that_takes_longer_than_the_server_allows_is_stored_in_smaller_parts(
    postgresql_url: str, fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path))
    open_store(postgresql_url, durable=False).close()
    separator = "&" if "?" in postgresql_url else "?"
    impatient = f"{postgresql_url}{separator}options=-cstatement_timeout%3D25"
    names = [f"metric {number}" for number in range(400)]
    points = [MetricPoint(name=name, value=0.5, step=step) for step in range(50) for name in names]

    with recorded(impatient) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        store.log_metrics(run_id, points)
        store.finalize(run_id, "completed")

    with open_store(postgresql_url, durable=False) as bare:
        assert sum(series.count for series in bare.get_summaries(run_id)) == len(points)
        assert bare.get_run(run_id).status == "completed"


@pytest.mark.server
def test_what_is_too_large_for_a_servers_packet_keeps_nothing_else_from_being_stored(
    fast_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path))
    session.server_or_skip("mariadb", request)
    points = [
        MetricPoint(name=f"{'m' * 200}{number}", value=0.5, step=step) for number in range(100) for step in (1, 2)
    ]

    with private_server("mariadb", durable=False, options=["--max-allowed-packet=1M"]) as server:
        url = server.new_database()
        with recorded(url) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("x"))
            store.log_config(run_id, {"large": "x" * (3 * 2**20)})
            store.log_metrics(run_id, points)
            store.finalize(run_id, "completed")

        with open_store(url, durable=False) as bare:
            assert sum(series.count for series in bare.get_summaries(run_id)) == len(points)
            assert bare.get_run(run_id).status == "completed"
        assert store.health().runs[run_id].calls.quarantined == 1
