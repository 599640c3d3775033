"""Points in tails and buckets: any order of arrival, any number of handles, and a stop between any two statements."""

import math
import random
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from pymongo import MongoClient

from runstore.model import MetricPoint, SeriesSummary
from runstore.series.summaries import summarize
from runstore_mongo.connection import ConflictingWriteError
from runstore_mongo.documents import summaries
from runstore_mongo.documents.names import BUCKETS, ROLLUPS, RUNS, SERIES
from runstore_mongo.points import pending, plans, writer
from runstore_mongo.points.writer import SeriesWriter
from runstore_mongo.store import MongoStore

Points = dict[int, float]
POINT_COLLECTIONS = (RUNS, SERIES, BUCKETS, ROLLUPS)


class StoppedError(Exception):
    """The writer stopped here."""


@pytest.fixture
def small_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs, tails and buckets that are full after a few points, so that few points show every way."""
    monkeypatch.setattr(pending, "MOVE_AT", 400)
    monkeypatch.setattr(plans, "SEAL_AT", 6)
    monkeypatch.setattr(plans, "BUCKET_POINTS", 8)
    monkeypatch.setattr(writer, "LARGE_TAIL", 40)


def log(store: MongoStore, run_id: str, points: Points) -> None:
    store.log_metrics(
        run_id,
        [MetricPoint(name="loss", value=value, step=step, dataset_type="train") for step, value in points.items()],
    )


def bits(points: Points) -> list[tuple[int, bytes]]:
    return [(step, struct.pack("<d", value)) for step, value in sorted(points.items())]


def stored(store: MongoStore, run_id: str) -> list[tuple[int, bytes]]:
    history = store.get_history(run_id, "loss", "train")
    return bits(dict(zip(history.steps, history.values, strict=True)))


def expected_summary(points: Points) -> SeriesSummary:
    steps = sorted(points)
    return summarize("loss", "train", steps, [points[step] for step in steps])


def shown(summary: SeriesSummary) -> str:
    return repr(summary)  # NaN is not equal to itself, its text is


def batches(seed: int) -> Iterator[Points]:
    chance = random.Random(seed)
    values = [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, *(chance.uniform(-9, 9) for _ in range(9))]
    at = 0
    steps: Iterable[int]
    for _ in range(30):
        way = chance.randrange(5)
        if way == 0:  # append
            steps = range(at, at + chance.randrange(1, 12))
        elif way == 1:  # resume from before
            at = chance.randrange(at + 1)
            steps = range(at, at + chance.randrange(1, 12))
        elif way == 2:  # far and wide
            steps = [chance.randrange(400) for _ in range(chance.randrange(1, 20))]
        elif way == 3:  # the ends of the range
            steps = [0, 2**63 - 1, chance.randrange(2**62)]
        else:  # many at once
            steps = range(at, at + 60)
        at = max([at, *(step + 1 for step in steps if step < 1000)])
        yield {step: chance.choice(values) for step in steps}


@pytest.mark.usefixtures("small_buckets")
@pytest.mark.parametrize("most_copied", [1_000, 0], ids=["narrow", "wide"])
@pytest.mark.parametrize("seed", range(3))
def test_two_handles_that_write_in_any_order_agree_with_a_dictionary(
    url: str, seed: int, most_copied: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "MOST_COPIED", most_copied)
    with MongoStore(url) as first, MongoStore(url) as second:
        run_id = first.ensure_run(first.get_or_create_experiment("pneumonia"))
        chance, model = random.Random(seed), Points()

        for batch in batches(seed):
            log(chance.choice([first, second]), run_id, batch)
            model |= batch
            reader = chance.choice([first, second])

            assert stored(reader, run_id) == bits(model)
            assert shown(reader.get_summaries(run_id)[0]) == shown(expected_summary(model))
            low, high = sorted(chance.choices(range(450), k=2))
            part = reader.get_history(run_id, "loss", "train", min_step=low, max_step=high)
            assert list(part.steps) == [step for step in sorted(model) if low <= step <= high]


@pytest.mark.usefixtures("small_buckets")
@pytest.mark.parametrize("most_copied", [1_000, 0], ids=["narrow", "wide"])
@pytest.mark.parametrize("seed", range(6))
def test_a_handle_goes_on_behind_what_its_database_was_brought_back_to(
    url: str, seed: int, most_copied: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a restored dump does it, or the election of a member that had not heard the last writes."""
    monkeypatch.setattr(summaries, "MOST_COPIED", most_copied)
    with MongoStore(url) as store, closing(MongoClient[dict[str, Any]](url)) as client:
        database = client.get_default_database()
        run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"))
        chance, model = random.Random(seed), Points()
        backup, backed_up = {name: list(database[name].find()) for name in POINT_COLLECTIONS}, Points()

        for batch in [*batches(seed), *batches(seed + 100)]:
            if chance.random() < 0.2:
                for name, documents in backup.items():
                    database[name].delete_many({})
                    if documents:
                        database[name].insert_many(documents)
                model = dict(backed_up)
            log(store, run_id, batch)
            model |= batch
            if chance.random() < 0.3:
                backup, backed_up = {name: list(database[name].find()) for name in POINT_COLLECTIONS}, dict(model)

            assert stored(store, run_id) == bits(model)
            assert shown(store.get_summaries(run_id)[0]) == shown(expected_summary(model))


@pytest.mark.parametrize("most_copied", [1_000, 0], ids=["narrow", "wide"])
def test_a_handle_knows_what_another_one_wrote_after_its_database_was_brought_back(
    url: str, most_copied: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The versions go up again from the copy's, so that the same number stands for something else."""
    monkeypatch.setattr(summaries, "MOST_COPIED", most_copied)
    with MongoStore(url) as store, MongoStore(url) as other, closing(MongoClient[dict[str, Any]](url)) as client:
        database = client.get_default_database()
        run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"))
        log(store, run_id, {0: 0.5})
        backup = {name: list(database[name].find()) for name in POINT_COLLECTIONS}
        log(store, run_id, {1: 1.0, 2: 2.0})
        for name, documents in backup.items():
            database[name].delete_many({})
            if documents:
                database[name].insert_many(documents)

        log(other, run_id, {9: 9.0})
        log(store, run_id, {1: 1.0, 2: 2.0})

        model = {0: 0.5, 1: 1.0, 2: 2.0, 9: 9.0}
        assert stored(store, run_id) == bits(model)
        assert shown(store.get_summaries(run_id)[0]) == shown(expected_summary(model))


def test_what_waits_is_let_go_of_once_its_series_is_on_a_majority(
    mongodb_replica_url: str, commands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver repeats a write at a newly elected member, which may have never heard of the series' write before it."""
    monkeypatch.setattr(pending, "MOVE_AT", 400)
    with MongoStore(mongodb_replica_url) as store, commands.heard() as heard:
        run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"))
        for step in range(6):
            log(store, run_id, {step: 0.5})

    let_go = [index for index, each in enumerate(heard) if "$pull" in str(each.get("updates"))]
    moved = [index for index, each in enumerate(heard) if each.get("update") == SERIES]
    assert let_go
    assert [heard[index].get("writeConcern", {}).get("w") for index in moved] == ["majority"] * len(let_go)
    assert all(one < other for one, other in zip(moved, let_go, strict=True))


@pytest.mark.usefixtures("small_buckets")
def test_a_filter_sees_the_statistics_that_the_summary_has(store: MongoStore, run_id: str) -> None:
    model = Points()

    for batch in batches(7):
        log(store, run_id, batch)
        model |= batch

    summary = expected_summary(model)
    (copy,) = store._connection.collection("runs").find_one({"_id": run_id})["metrics"].values()  # type: ignore[index]  # noqa: SLF001 - what filters read
    assert summary.min is not None
    assert summary.max is not None
    assert (copy["count"], copy["min"], copy["max"]) == (summary.count, summary.min.value, summary.max.value)
    assert bits({0: copy["last"], 1: copy["first"]}) == bits({0: summary.last.value, 1: summary.first.value})


@pytest.mark.usefixtures("small_buckets")
@pytest.mark.parametrize("stop", [1, 2, 3, 5, 8])
def test_a_writer_that_stops_between_two_statements_leaves_what_a_repeat_completes(
    url: str, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MongoStore(url) as first, MongoStore(url) as other:
        run_id = first.ensure_run(first.get_or_create_experiment("pneumonia"))
        model, statements = Points(), 0
        whole = SeriesWriter._compare_and_set  # noqa: SLF001 - the statement to stop after

        def stopping(self: SeriesWriter, *arguments: Any) -> None:
            nonlocal statements
            whole(self, *arguments)
            statements += 1
            if self is first._points._writer and statements == stop:  # noqa: SLF001 - only this writer stops
                raise StoppedError

        monkeypatch.setattr(SeriesWriter, "_compare_and_set", stopping)
        for batch in batches(3):
            before = dict(model)
            model |= batch
            try:
                log(first, run_id, batch)
            except StoppedError:
                assert stored(other, run_id) in (bits(before), bits(model))
                log(other, run_id, batch)

            assert stored(other, run_id) == bits(model)
            assert shown(other.get_summaries(run_id)[0]) == shown(expected_summary(model))


def test_a_wide_run_renews_the_statistics_that_it_holds_and_takes_no_more(
    store: MongoStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "MOST_COPIED", 1)
    log(store, run_id, {0: 0.5})

    for step in (1, 2):
        store.log_metrics(run_id, [MetricPoint(name=name, value=0.5, step=step) for name in ("a", "b")])
        log(store, run_id, {step: 0.5})

    run = store._connection.collection("runs").find_one({"_id": run_id})  # noqa: SLF001 - what people query
    assert run is not None
    assert {copy: held["count"] for copy, held in run["metrics"].items()} == {"train/loss": 3}
    assert {summary.name: summary.count for summary in store.get_summaries(run_id)} == {"a": 2, "b": 2, "loss": 3}


def test_tails_are_sealed_before_the_transaction_of_a_wide_call(
    mongodb_replica_url: str, commands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be more than a transaction can hold."""
    monkeypatch.setattr(summaries, "MOST_COPIED", 0)
    monkeypatch.setattr(plans, "SEAL_AT", 6)
    with MongoStore(mongodb_replica_url) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"))
        log(store, run_id, dict.fromkeys(range(7), 0.5))

        with commands.heard() as heard:
            log(store, run_id, {7: 0.5})

        assert [command["update"] for command in heard if "update" in command] == ["run_buckets", "runs", "run_series"]
        assert ["autocommit" in command for command in heard if "update" in command] == [False, True, True]


@pytest.mark.parametrize("series", [1, 1_000, 10_000, 300_000])
def test_the_tails_that_a_call_writes_again_stay_far_below_what_a_server_holds_in_memory(series: int) -> None:
    assert plans.seal_at(series) * series * 24 <= 12 * 2**20
    assert 1 <= plans.seal_at(series) <= plans.SEAL_AT


@pytest.mark.parametrize("error", [ConflictingWriteError, StoppedError])
def test_points_that_were_moved_and_not_taken_out_of_the_run_hide_no_later_ones(
    store: MongoStore, run_id: str, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr(pending, "MOVE_AT", 1)
    with monkeypatch.context() as patched:
        patched.setattr(SeriesWriter, "_let_go", raising(error))
        with suppress(StoppedError):
            log(store, run_id, {0: 0.5})

    for step in (1, 2):
        log(store, run_id, {step: 0.5})

        assert stored(store, run_id) == bits(dict.fromkeys(range(step + 1), 0.5))


def raising(error: type[Exception]) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_points_that_a_handle_has_written_are_moved_without_being_read_again(
    store: MongoStore, run_id: str, commands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "MOVE_AT", 1_000)
    points = {step: step / 8 for step in range(60)}

    with commands.heard() as heard:
        for step in range(0, 60, 3):
            log(store, run_id, {each: points[each] for each in range(step, step + 3)})

    assert sum(command.get("update") == SERIES for command in heard) >= 3
    assert not [command for command in heard if command.get("find") == RUNS]
    assert stored(store, run_id) == bits(points)


def test_a_point_is_written_in_one_command_however_long_the_series(
    store: MongoStore, run_id: str, commands: Any
) -> None:
    log(store, run_id, dict.fromkeys(range(3_000), 0.5))

    with commands.heard() as heard:
        log(store, run_id, {3_001: 0.5})

    assert [next(iter(command)) for command in heard] == ["update"]


@pytest.mark.parametrize("count", [1, 50, 20_000])
def test_the_commands_of_a_call_depend_neither_on_the_points_nor_on_the_series(
    store: MongoStore, run_id: str, commands: Any, count: int
) -> None:
    def points(start: int) -> list[MetricPoint]:
        return [
            MetricPoint(name=f"m{index % 50}", value=0.5, step=start + index, dataset_type="train")
            for index in range(count)
        ]

    store.log_metrics(run_id, points(0))
    with commands.heard() as heard:
        store.log_metrics(run_id, points(10**6))

    assert len(heard) <= 6, [next(iter(command)) for command in heard]


def test_two_hundred_thousand_points_in_twenty_series_take_under_forty_bytes_each(mongodb_url: str) -> None:
    chance = random.Random(1)
    with MongoStore(mongodb_url) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"))
        for start in range(0, 10_000, 500):
            store.log_metrics(
                run_id,
                [
                    MetricPoint(name=f"m{index}", value=chance.random(), step=step, dataset_type="train")
                    for index in range(20)
                    for step in range(start, start + 500)
                ],
            )
        database = store._connection.database  # noqa: SLF001 - asks the server itself
        database.client.admin.command("fsync")
        size = sum(
            database.command("collStats", name)[key]
            for name in ("run_series", "run_buckets")
            for key in ("storageSize", "totalIndexSize")
        )

    assert size / 200_000 < 40
