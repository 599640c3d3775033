"""Summaries of many runs, read from the bytes of the runs that look alike and decoded where they do not."""

import math

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from runstore import MetricPoint
from runstore_mongo.documents.layouts import Layouts
from runstore_mongo.store import MongoStore

NAMES = ("loss", "a.b/c%d $x", "\U0001f600", "auroc")


def make_runs(store: MongoStore, count: int, *, first_step: int = 0) -> list[str]:
    """Runs of the same series, each of two points in an order of its own."""
    experiment = store.get_or_create_experiment("layouts")
    ids = []
    for number in range(count):
        run_id = store.ensure_run(experiment)
        points = [
            MetricPoint(name=name, value=number + 0.1 * place, step=first_step + step, dataset_type=kind)
            for place, name in enumerate(NAMES)
            for kind in ("validation", "train")
            for step in (0, 1)
        ]
        store.log_metrics(run_id, points)
        ids.append(run_id)
    return ids


def test_runs_that_look_alike_give_what_each_gives_by_itself(store: MongoStore) -> None:
    ids = make_runs(store, 6)

    together = store.get_summaries_of(ids)

    assert together == {run_id: store.get_summaries(run_id) for run_id in ids}
    assert [(one.name, str(one.dataset_type)) for one in together[ids[-1]]] == sorted(
        (name, kind) for name in NAMES for kind in ("train", "validation")
    )
    assert together[ids[4]][-1].last.value == 4.2


def test_the_plain_way_gives_the_same(store: MongoStore, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = make_runs(store, 6)
    store.log_metrics(ids[2], [MetricPoint(name="loss", value=math.inf, step=9)])
    monkeypatch.setenv("RUNSTORE_MONGO_PLAIN", "1")
    monkeypatch.setattr("runstore_mongo.reading.Layouts", None)  # nobody asks it

    with MongoStore(url) as plain:
        found = plain.get_summaries_of(ids)

    monkeypatch.undo()
    assert found == store.get_summaries_of(ids)


def test_of_many_runs_that_look_alike_two_are_decoded(store: MongoStore, url: str) -> None:
    make_runs(store, 6)
    layouts = Layouts()

    with MongoClient[RawBSONDocument](url, document_class=RawBSONDocument) as client:
        for run in client.get_default_database()["runs"].find():
            layouts.summaries(bytes(run["metrics"].raw))

    assert layouts.decoded == 2


def test_runs_of_equal_length_that_differ_in_more_than_numbers_are_told_apart(store: MongoStore) -> None:
    experiment = store.get_or_create_experiment("layouts")
    ids = [store.ensure_run(experiment) for _ in range(9)]
    for number, run_id in enumerate(ids):
        store.log_metrics(run_id, [MetricPoint(name=f"metric{number % 3}", value=float(number), step=number)])

    together = store.get_summaries_of(ids)

    found = [(one.name, one.last.value, one.last.step) for run_id in ids for one in together[run_id]]
    assert found == [(f"metric{number % 3}", float(number), number) for number in range(9)]


def test_values_that_are_not_finite_and_steps_of_any_size_are_read_exactly(store: MongoStore) -> None:
    experiment = store.get_or_create_experiment("layouts")
    values = [0.5, math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2] * 2
    steps = [0, 1, 2**31, 2**63 - 1]
    ids = []
    for value in values:
        for step in steps:
            run_id = store.ensure_run(experiment)
            store.log_metrics(run_id, [MetricPoint(name="m", value=value, step=step)])
            ids.append(run_id)

    together = store.get_summaries_of(ids)

    found = [(repr(one.last.value), one.last.step, one.min is None) for run_id in ids for one in together[run_id]]
    assert found == [(repr(value), step, not math.isfinite(value)) for value in values for step in steps]
