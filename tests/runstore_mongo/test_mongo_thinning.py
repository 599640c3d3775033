"""What a thinned history takes, and how it counts, on both kinds of server (CHG.13)."""

import math
from array import array
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runstore.model import MetricPoint
from runstore.series import Columns
from runstore_mongo.documents import summaries
from runstore_mongo.points import rollups, thinning
from runstore_mongo.store import MongoStore

LATER = datetime.now(UTC) + timedelta(days=1)
COUNT = 12_000
CLOSED = 8192
"""The first step of :func:`filled` that thinning leaves alone."""


@pytest.fixture
def run_id(store: MongoStore) -> str:
    return store.ensure_run(store.get_or_create_experiment("experiment"))


def filled(store: MongoStore, run_id: str, *, apart: int = 1) -> list[float]:
    """A series whose greatest and least value lie in what thinning removes points of."""
    values = [math.sin(step / 50) * (1 + step % 7) for step in range(COUNT)]
    values[1111], values[2222] = 99.0, -99.0
    steps = array("q", range(0, apart * COUNT, apart))
    store.append(run_id, {("loss", "train"): Columns(steps, array("d", values), array("q", range(COUNT)))})
    return values


def log(store: MongoStore, run_id: str, values: Mapping[int, float], *, name: str = "loss") -> None:
    points = [MetricPoint(name=name, value=value, step=step, dataset_type="train") for step, value in values.items()]
    store.log_metrics(run_id, points)


def thin(store: MongoStore, run_id: str) -> int:
    store.finalize(run_id, "completed")
    return store.thin_histories(ended_before=LATER).points


def told(store: MongoStore, run_id: str) -> Any:
    """Count, extremes and ends of the series, and its points."""
    (summary,) = [each for each in store.get_summaries(run_id) if each.name == "loss"]
    history = store.get_history(run_id, "loss", "train")
    return repr(summary), list(zip(history.steps, history.values, strict=True))


def counted(store: MongoStore, run_id: str) -> int:
    """How many points the cells of a grid have together; a sample and the summary say the same."""
    grid = store.sample_histories([(run_id, "loss", "train")], max_points=12)
    (summary,) = [each for each in store.get_summaries(run_id) if each.name == "loss"]
    (found,) = grid.series
    for most in (12, 5000, 100_000):
        assert store.sample_history(run_id, "loss", "train", max_points=most).represents == summary.count
    assert sum(found.counts) == summary.count
    return summary.count


@pytest.mark.parametrize("is_wide", [False, True])
def test_points_of_a_step_that_was_thinned_change_nothing_and_later_ones_count(
    store: MongoStore, url: str, run_id: str, monkeypatch: pytest.MonkeyPatch, *, is_wide: bool
) -> None:
    monkeypatch.setattr(summaries, "MOST_COPIED", 2 if is_wide else 1000)
    for name in ("a", "z"):  # the run holds a copy of the statistics of one of them alone, if it is wide
        log(store, run_id, {1: 0.5}, name=name)
    filled(store, run_id)
    assert thin(store, run_id) > 3000
    before = told(store, run_id)

    with MongoStore(url) as other:
        for each in (store, other):
            log(each, run_id, {1111: math.nan, 2222: 0.0})
            log(each, run_id, dict.fromkeys(range(CLOSED), 0.5))
    assert told(store, run_id) == before
    assert counted(store, run_id) == COUNT

    log(store, run_id, {CLOSED - 1: 1e9, CLOSED: 500.0, COUNT: 600.0})
    log(store, run_id, {CLOSED: 1.0, COUNT: 2.0})
    assert counted(store, run_id) == COUNT + 1
    (summary,) = [each for each in store.get_summaries(run_id) if each.name == "loss"]
    assert (summary.max and summary.max.value, summary.min and summary.min.value) == (99.0, -99.0)
    assert told(store, run_id)[1][-1] == (COUNT, 2.0)
    thin(store, run_id)
    assert counted(store, run_id) == COUNT + 1


@pytest.mark.parametrize("is_before", [True, False])
def test_a_thinning_that_was_cut_short_has_closed_the_history_and_is_done_by_the_next(
    store: MongoStore, url: str, run_id: str, monkeypatch: pytest.MonkeyPatch, *, is_before: bool
) -> None:
    filled(store, run_id)
    original = thinning._Thinner._raise_version_in_run  # noqa: SLF001 - the step between two others

    def cut(self: Any, *arguments: Any) -> None:
        if not is_before:
            original(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(thinning._Thinner, "_raise_version_in_run", cut)  # noqa: SLF001 - as above
    with MongoStore(url) as other, pytest.raises(KeyboardInterrupt):
        thin(other, run_id)
    monkeypatch.setattr(thinning._Thinner, "_raise_version_in_run", original)  # noqa: SLF001 - as above
    assert len(told(store, run_id)[1]) == COUNT

    log(store, run_id, {10: 50.0, CLOSED: 1.5, COUNT: 0.5})
    assert counted(store, run_id) == COUNT + 1
    assert store.thin_histories(ended_before=LATER).points > 3000
    log(store, run_id, {10: 60.0, 11: 60.0, CLOSED: 2.5})

    assert counted(store, run_id) == COUNT + 1
    (summary,) = store.get_summaries(run_id)
    assert (summary.max and summary.max.value, summary.min and summary.min.value) == (99.0, -99.0)
    assert dict(told(store, run_id)[1])[CLOSED] == 2.5


@pytest.mark.parametrize("by", ["step", "time"])
def test_a_grid_counts_the_points_that_were_logged_at_whatever_step_they_begin(
    store: MongoStore, run_id: str, by: str
) -> None:
    steps = array("q", range(3, COUNT + 3))
    times = array("q", [10**15 + step // 4096 * 10**12 for step in steps])
    store.append(run_id, {("loss", "train"): Columns(steps, array("d", [0.5]) * COUNT, times)})
    before = store.sample_histories([(run_id, "loss", "train")], max_points=24, by=by)

    assert thin(store, run_id) > 3000

    assert store.sample_histories([(run_id, "loss", "train")], max_points=24, by=by).series == before.series


def test_a_writer_that_remembers_a_series_from_before_it_was_thinned_makes_no_pack_of_what_is_left(
    store: MongoStore, url: str, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "ROLL_AT", 4000)
    filled(store, run_id)
    log(store, run_id, dict.fromkeys(range(100, 1100), 0.5))
    store.finalize(run_id, "completed")  # moves these points into the tail of the series, to be sealed by the next move
    with MongoStore(url) as other:
        assert thin(other, run_id) > 3000
    store.ensure_run(run_id=run_id, resume=True)

    log(store, run_id, dict.fromkeys(range(COUNT, COUNT + 1000), 0.5))
    store.finalize(run_id, "completed")

    assert counted(store, run_id) == COUNT + 1000


def test_points_far_denser_than_those_that_were_thinned_leave_its_roll_ups_as_they_are(
    store: MongoStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Narrower cells would have to be made of points that are gone."""
    monkeypatch.setattr(rollups, "POINTS_A_PIECE", 6000)
    monkeypatch.setattr(rollups, "ROLL_AT", 4000)
    filled(store, run_id, apart=8)
    assert thin(store, run_id) > 3000
    store.ensure_run(run_id=run_id, resume=True)

    for begin in range(8 * COUNT, 8 * COUNT + 44_000, 4000):
        log(store, run_id, dict.fromkeys(range(begin, begin + 4000), 0.25))
        assert counted(store, run_id) == COUNT + begin + 4000 - 8 * COUNT
    thin(store, run_id)

    assert counted(store, run_id) == COUNT + 44_000
    assert len(told(store, run_id)[1]) < 12_000
