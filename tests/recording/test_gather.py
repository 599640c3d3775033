"""What waits in a journal goes to the store together, in columns."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recording.test_recorder import begin
from runstore.errors import StoreUnavailableError
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.model import MetricPoint
from runstore.recording import Recorder, source
from runstore.recording.gather import gather
from runstore.recording.journal import Journal
from runstore.recording.records import (
    ConfigRecord,
    MetricsRecord,
    Record,
    decode,
    encode_points,
)
from runstore.recording.source import JournalSource
from runstore.series import Points, Series, SeriesColumns

OpenRecorder = Callable[..., Recorder]

LOSS: Series = ("loss", "train")
AUROC: Series = ("auroc", "validation")


def record_of(run_id: str, points: Points) -> Record:
    return decode(encode_points(points, run_id))


@pytest.fixture
def journal(fast_path: Path) -> Iterator[Journal]:
    journal = Journal.create(fast_path)
    yield journal
    journal.close(remove=True)


class Notes(MemoryStore):
    """Notes the shape of each call: how many series, and how many points of the first one."""

    shapes: list[tuple[int, int]]

    def __init__(self, database: MemoryDatabase) -> None:
        super().__init__(database)
        self.shapes = []

    def append(self, run_id: str, series: SeriesColumns) -> None:
        self.shapes.append((len(series), len(next(iter(series.values())).steps)))
        super().append(run_id, series)


@pytest.mark.parametrize(("series", "calls"), [(1000, 60), (10_000, 12)])
def test_wide_calls_that_wait_are_few_calls_of_the_store_with_many_points_of_each_series(
    open_recorder: OpenRecorder, database: MemoryDatabase, series: int, calls: int
) -> None:
    is_back, store = threading.Event(), Notes(database)

    def open_store() -> MemoryStore:
        if not is_back.is_set():
            raise StoreUnavailableError("the database went away")
        return store

    recorder = open_recorder(open_store=open_store)
    run_id = begin(recorder)
    for step in range(calls):
        recorder.log_metrics(run_id, [MetricPoint(name=f"m{n}", value=1.0, step=step) for n in range(series)])
    is_back.set()
    recorder.flush()

    assert [each.count for each in recorder.get_summaries(run_id)] == [calls] * series
    assert max(points for _, points in store.shapes) >= min(50, 100_000 // series)
    assert len(store.shapes) <= 2


def test_the_points_of_consecutive_records_are_gathered_by_run_in_their_order() -> None:
    records = [
        record_of("a", Points([LOSS, AUROC], [1, 1], [0.5, 0.75], 10)),
        record_of("b", Points([LOSS], [1], [8.0], 11)),
        record_of("a", Points([LOSS, AUROC], [2, 3], [0.25, 0.5], [12, 13])),
        MetricsRecord(at_us=14, run_id="a", points=[("loss", "train", 4, 0.125, 14)]),
    ]

    found, stop = gather(records, 0, 1000)

    assert stop == 4
    assert {run_id: gathered.calls for run_id, gathered in found.items()} == {"a": 3, "b": 1}
    assert found["a"].points == Points(
        [LOSS, AUROC, LOSS, AUROC, LOSS], [1, 1, 2, 3, 4], [0.5, 0.75, 0.25, 0.5, 0.125], [10, 10, 12, 13, 14]
    )
    assert found["b"].points == Points([LOSS], [1], [8.0], [11])


def test_gathering_ends_at_a_record_of_another_kind_and_before_too_many_points() -> None:
    two = record_of("a", Points([LOSS, LOSS], [1, 2], [0.5, 0.5], 1))
    config = ConfigRecord(at_us=1, run_id="a", config="{}")

    assert gather([two, two, config, two], 0, 1000)[1] == 2
    assert gather([two, two, two], 0, 5)[1] == 2
    assert gather([two, two, two], 1, 1)[1] == 2  # one call stays whole
    assert gather([two, None], 0, 1000)[1] == 1


def test_more_is_read_at_once_where_records_are_large(journal: Journal) -> None:
    wide = Points(
        [(f"gradient norm of layer {number}", "train") for number in range(1000)], [1] * 1000, [0.5] * 1000, 1
    )
    for _ in range(80):
        journal.append(encode_points(wide, "a"))
    reader = JournalSource(journal, 0)

    read = reader.read()

    assert read is not None
    assert len(read[0].records) > 50
    assert sum(map(len, read[0].payloads)) < source.MOST_READ_BYTES
