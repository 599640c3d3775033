"""Two stores are compared run by run: the first difference of each is named."""

import sqlite3
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from moving import everything
from runstore import open_reader, open_store
from runstore.backend import BackendStore, Store
from runstore.memory import MemoryDatabase, MemoryStore
from runstore.model import MetricPoint
from runstore.moving import MOST_POINTS_A_PIECE, Outcome, Selection, copy, verify
from runstore.moving.selecting import pieces_of
from runstore.series import Columns

LOSS = ("loss", "other")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[BackendStore, BackendStore]]:
    with MemoryStore(MemoryDatabase()) as source, MemoryStore(MemoryDatabase()) as target:
        everything.fill(source, tmp_path)
        copy(source, target)
        yield source, target


def changes() -> dict[str, Callable[[Store], object]]:
    """What is changed in the copy, by what is named first."""
    return {
        "run": lambda store: store.delete_run("bare"),
        "name": lambda store: store.rename_run("bare", "another"),
        "tags.owner": lambda store: store.set_tags("bare", {"owner": "you"}),
        "note": lambda store: store.set_note("bare", "read"),
        "archived_at": lambda store: store.archive_run("bare"),
        "config.model.depth": lambda store: store.log_config("bare", {"model": {"depth": 18.0}}),
        "loss (other)": lambda store: store.log_metrics("bare", [MetricPoint("loss", 1.0, 0)]),
        "artifact 'file'": lambda store: store.log_artifact("bare", "s3://bucket/key", name="file", copy=False),
    }


@pytest.mark.parametrize("what", changes())
def test_the_first_thing_in_which_a_run_differs_is_named(stores: tuple[BackendStore, BackendStore], what: str) -> None:
    source, target = stores
    source.log_config("bare", {"model": {"depth": 18}} if what.startswith("config") else {})
    source.set_tags("bare", {"owner": "me"})
    copy(source, target, Selection(filter="id = 'bare'"))

    changes()[what](target)

    assert [(each.run_id, each.what) for each in verify(source, target).differences] == [("bare", what)]


def test_of_long_texts_the_part_is_shown_in_which_they_differ(stores: tuple[BackendStore, BackendStore]) -> None:
    source, target = stores
    source.set_note("bare", "a" * 5_000 + "this" + "b" * 5_000)
    target.set_note("bare", "a" * 5_000 + "that" + "b" * 5_000)

    (found,) = verify(source, target).differences

    assert found.source == "…" + "a" * 98 + "this" + "b" * 98 + "…"
    assert found.target == "…" + "a" * 98 + "that" + "b" * 98 + "…"


def test_an_experiment_of_another_name_is_named(tmp_path: Path) -> None:
    """Only another program can give it one: its id follows from its name."""
    urls = [f"sqlite:///{tmp_path}/{name}" for name in ("source.db", "target.db")]
    with open_store(urls[0], durable=False) as source, open_store(urls[1], durable=False) as target:
        run_id = source.ensure_run(source.get_or_create_experiment("x"))
        source.finalize(run_id, "completed")
        assert isinstance(target, BackendStore)
        copy(source, target)
    with closing(sqlite3.connect(tmp_path / "target.db")) as database, database:
        database.execute("UPDATE runstore_experiment SET name = 'y'")

    with open_reader(urls[0]) as reader, open_reader(urls[1]) as other:
        (found,) = verify(reader, other).differences

    assert (found.what, found.source, found.target) == ("experiment's name", "'x'", "'y'")


@pytest.mark.parametrize("change", ["value", "time", "missing"])
def test_the_first_step_that_differs_is_named_with_both_values(
    stores: tuple[BackendStore, BackendStore], change: str
) -> None:
    source, target = stores
    history = target.get_history("parent", *LOSS)
    points = [MetricPoint("loss", point.value, point.step, logged_at=point.logged_at) for point in history]
    logged_at = points[4].logged_at
    assert (points[4].step, points[4].value, logged_at is None) == (4, 0.0, False)
    if change == "value":
        target.log_metrics("parent", [MetricPoint("loss", -0.0, 4, logged_at=logged_at)])
    elif change == "time" and logged_at is not None:
        later = logged_at + timedelta(microseconds=1)
        target.log_metrics("parent", [MetricPoint("loss", 0.0, 4, logged_at=later)])
    else:
        source.log_metrics("parent", [MetricPoint("loss", 1.0, 50)])

    (found,) = verify(source, target).differences

    assert found.what == f"loss (other), step {50 if change == 'missing' else 4}"
    assert found.source.startswith("1.0 logged" if change == "missing" else "0.0 logged")
    assert found.target.startswith({"value": "-0.0 logged", "time": "0.0 logged", "missing": "missing"}[change])


def test_bytes_that_are_damaged_in_the_copy_are_found_unless_they_are_not_read(
    stores: tuple[BackendStore, BackendStore],
) -> None:
    source, target = stores
    sha256 = next(each.sha256 for each in target.list_artifacts("parent") if each.name == "overlay/step-000000001.png")
    vars(target.blobs)["_bytes"][sha256] = b"?", 0

    (found,) = verify(source, target).differences

    assert found.what == "bytes of artifact 'overlay/step-000000001.png'"
    assert verify(source, target, with_bytes=False).differences == ()


def test_a_thorough_copy_mends_points_and_bytes_that_differ_where_summaries_and_hashes_are_equal(
    stores: tuple[BackendStore, BackendStore],
) -> None:
    source, target = stores
    before = target.get_summaries("resumed")
    target.log_metrics(
        "resumed", [MetricPoint("dice", 0.5, 7, "validation")]
    )  # neither the first, the last, nor an extreme
    assert target.get_summaries("resumed") == before
    sha256 = next(each.sha256 for each in target.list_artifacts("parent") if each.name == "overlay/step-000000001.png")
    vars(target.blobs)["_bytes"][sha256] = b"?", 0
    assert copy(source, target).points == 0
    assert len(verify(source, target).differences) == 2

    report = copy(source, target, is_thorough=True)

    assert (report.runs[Outcome.UPDATED], report.points, report.files) == (2, 2000, 1)
    assert verify(source, target).differences == ()


def test_what_the_copy_of_a_run_has_beside_its_source_stays_and_nothing_is_sent_again(
    stores: tuple[BackendStore, BackendStore],
) -> None:
    source, target = stores
    target.log_metrics("resumed", [MetricPoint("dice", 0.5, 9_999, "validation"), MetricPoint("other", 0.5, 0)])
    target.log_config("bare", {"more": 1})
    copy(source, target)

    report = copy(source, target)

    assert (report.runs, report.points) == ({Outcome.UNCHANGED: len(everything.SHOWN)}, 0)
    assert {each.run_id for each in verify(source, target).differences} == {"bare", "resumed"}
    assert len(target.get_history("resumed", "dice", "validation")) == 2001


def test_what_the_copy_has_beside_the_runs_that_are_compared_counts_for_nothing(
    stores: tuple[BackendStore, BackendStore],
) -> None:
    source, target = stores
    target.ensure_run(target.get_or_create_experiment("its own"))

    verdict = verify(source, target, Selection(filter="id != 'bare'"))

    assert (verdict.runs, verdict.differences) == (len(everything.SHOWN) - 1, ())


@pytest.mark.parametrize("dense_at", [0, 2**61])
def test_a_long_series_comes_in_pieces_wherever_its_steps_lie(dense_at: int) -> None:
    steps = array("q", sorted({0, *range(dense_at, dense_at + 250_000), 2**62}))
    count = len(steps)
    with MemoryStore() as store:
        run_id = store.ensure_run(store.get_or_create_experiment("long"))
        whole = Columns(steps, array("d", range(count)), array("q", bytes(8 * count)))
        store.append(run_id, {("loss", "train"): whole})
        (summary,) = store.get_summaries(run_id)

        pieces = list(pieces_of(store, run_id, summary))

    assert max(map(len, pieces)) <= MOST_POINTS_A_PIECE
    assert Columns.joined(Columns(each.steps, each.values, each.logged_at_us) for each in pieces).steps == steps
    assert len(pieces) <= 10
