"""Bringing runs into a store: whole, once, and told where it cannot be."""

import io
import math
from datetime import timedelta

import pytest
from msgspec.structs import replace

from moving.arrivals import LOSS, START, a_run, arriving, columns
from runstore.memory import MemoryStore
from runstore.model import RunStatus
from runstore.moving import MOST_POINTS_A_PIECE, ArrivingFile, Outcome, bring


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_a_run_is_brought_with_all_that_it_has(store: MemoryStore) -> None:
    run = a_run("one", attempt=3, note="from afar", tags={"kind": "baseline"}, archived_at=START + timedelta(days=1))
    given = arriving(
        run,
        {LOSS: columns([0.9, math.nan, -0.0])},
        {"model/best.ckpt": b"weights"},
        config={"lr": 0.1},
        description="d",
    )

    report = bring(store, [given])

    assert store.get_run("one") == run
    assert store.get_experiment(run.experiment_id).description == "d"
    assert store.get_config("one") == {"lr": 0.1}
    assert store.get_history("one", *LOSS).values.tobytes() == columns([0.9, math.nan, -0.0]).values.tobytes()
    with store.open_artifact("one", "model/best.ckpt") as stored:
        assert stored.read() == b"weights"
    assert (report.runs, report.points, report.files, report.bytes) == ({Outcome.NEW: 1}, 3, 1, 7)
    assert report.is_whole


def test_a_second_time_nothing_is_sent(store: MemoryStore) -> None:
    given = arriving(a_run("one"), {LOSS: columns([0.9, math.nan, 0.3])}, {"log.txt": b"text"}, config={"lr": 0.1})
    bring(store, [given])

    again = bring(store, [given])

    assert (again.runs, again.points, again.files, again.bytes) == ({Outcome.UNCHANGED: 1}, 0, 0, 0)


def test_a_run_that_went_on_is_brought_up_to_date_by_its_new_points_alone(store: MemoryStore) -> None:
    going_on = {"status": RunStatus.IN_PROGRESS, "end_time": None}
    bring(store, [arriving(a_run("one", **going_on), {LOSS: columns([1.0] * 10)})])
    grown = {LOSS: columns([1.0] * 10), ("loss", "validation"): columns([0.5, 0.4])}

    report = bring(store, [arriving(a_run("one"), grown)])

    assert (report.runs, report.points) == ({Outcome.UPDATED: 1}, 2)
    assert store.get_run("one") == a_run("one")


def test_of_a_step_that_comes_twice_the_later_piece_counts(store: MemoryStore) -> None:
    def pieces() -> object:
        yield LOSS, columns([0.9, 0.8, 0.7])
        yield LOSS, columns([0.1], first=1)

    bring(store, [arriving(a_run("one"), pieces=pieces)])

    assert list(store.get_history("one", *LOSS).values) == [0.9, 0.1, 0.7]


def test_a_piece_that_is_too_long_is_taken_in_parts(store: MemoryStore) -> None:
    count = MOST_POINTS_A_PIECE + 1

    report = bring(store, [arriving(a_run("one"), {LOSS: columns([1.0] * count)})])

    assert report.points == len(store.get_history("one", *LOSS)) == count


def test_steps_without_an_order_are_told_and_the_other_runs_come(store: MemoryStore) -> None:
    bad = columns([0.9, 0.8])
    bad.steps.reverse()

    report = bring(store, [arriving(a_run("bad"), {LOSS: bad}), arriving(a_run("good"))])

    assert report.runs == {Outcome.REFUSED: 1, Outcome.NEW: 1}
    assert [(trouble.run_id, trouble.what) for trouble in report.troubles] == [("bad", "run")]
    assert "come in no order" in report.troubles[0].reason
    assert store.get_run("bad").status is RunStatus.IN_PROGRESS  # it never looks complete


def test_a_child_that_comes_before_its_parent_is_given_it_at_the_end(store: MemoryStore) -> None:
    child = a_run("child", parent_run_id="parent")

    report = bring(store, [arriving(child), arriving(a_run("parent"))])

    assert store.get_run("child").parent_run_id == "parent"
    assert report.troubles == ()


def test_a_child_whose_parent_never_comes_is_brought_without_it_and_told(store: MemoryStore) -> None:
    child = a_run("child", parent_run_id="parent")

    report = bring(store, [arriving(child)])

    assert store.get_run("child").parent_run_id is None
    assert [(trouble.what, trouble.is_minor) for trouble in report.troubles] == [("parent", True)]
    assert report.is_whole


@pytest.mark.parametrize("parents", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "c", "b": "a", "c": "b"}])
def test_runs_whose_parents_lead_round_in_a_circle_are_all_brought_and_told(
    store: MemoryStore, parents: dict[str, str]
) -> None:
    runs = [arriving(a_run(each, parent_run_id=parent)) for each, parent in parents.items()]

    first, second = bring(store, runs), bring(store, runs)

    assert (first.runs, second.runs) == ({Outcome.NEW: len(runs)}, {Outcome.UNCHANGED: len(runs)})
    for report in (first, second):
        assert [(each.run_id, each.what, each.is_minor) for each in report.troubles] == [("a", "parent", True)]
    assert {run.id: run.parent_run_id for run in store.iter_runs()} == {**parents, "a": None}


def test_a_run_that_became_the_child_of_its_own_child_keeps_no_parent(store: MemoryStore) -> None:
    bring(store, [arriving(a_run("a")), arriving(a_run("b", parent_run_id="a"))])

    report = bring(store, [arriving(a_run("a", parent_run_id="b"))])

    assert [each.what for each in report.troubles] == ["parent"]
    assert store.get_run("a").parent_run_id is None


def test_a_child_that_could_not_be_brought_is_not_made_to_look_complete_by_its_parent(store: MemoryStore) -> None:
    bad = columns([0.9, 0.8])
    bad.steps.reverse()

    bring(store, [arriving(a_run("child", parent_run_id="parent"), {LOSS: bad}), arriving(a_run("parent"))])

    assert store.get_run("child").status is RunStatus.IN_PROGRESS


def test_what_was_deleted_here_stays_deleted_and_is_told(store: MemoryStore) -> None:
    bring(store, [arriving(a_run("one")), arriving(a_run("two"))])
    store.delete_experiment(a_run("one").experiment_id)

    report = bring(store, [arriving(a_run("one")), arriving(a_run("three"))])

    assert report.runs == {Outcome.REFUSED: 1, Outcome.NEW: 1}
    assert "was deleted" in report.troubles[0].reason
    assert [run.id for run in store.search_runs()] == ["three"]


def test_a_run_that_has_gone_on_here_stays_as_it_is(store: MemoryStore) -> None:
    bring(store, [arriving(a_run("one"))])
    store.ensure_run(run_id="one", resume=True)

    report = bring(store, [arriving(a_run("one", note="older"))])

    assert report.runs == {Outcome.REFUSED: 1}
    assert "has gone on here" in report.troubles[0].reason
    assert (store.get_run("one").attempt, store.get_run("one").note) == (2, None)


def test_what_people_have_written_to_a_run_here_stays_if_that_is_asked_for(store: MemoryStore) -> None:
    going_on = {"status": RunStatus.IN_PROGRESS, "end_time": None}
    given = [a_run("ended", tags={"a": "1"}), a_run("goes on", tags={"a": "1"}, **going_on)]
    bring(store, map(arriving, given), keeps_changes=True)
    for run_id in ("ended", "goes on"):
        store.rename_run(run_id, "mine")
        store.set_tags(run_id, {"a": "2", "b": "3"})
        store.set_note(run_id, "a note")
        store.archive_run(run_id)

    again = bring(store, map(arriving, given), keeps_changes=True)

    ended, goes_on = store.get_run("ended"), store.get_run("goes on")
    assert again.runs == {Outcome.UNCHANGED: 1, Outcome.UPDATED: 1}
    assert (ended.name, ended.tags, ended.note) == ("mine", {"a": "2", "b": "3"}, "a note")
    assert (goes_on.name, goes_on.tags, goes_on.note) == ("brought", {"a": "1", "b": "3"}, "a note")
    assert None not in {ended.archived_at, goes_on.archived_at}

    bring(store, map(arriving, given))
    for run in given:
        found = store.get_run(run.id)
        assert (found.name, found.tags, found.note, found.archived_at) == ("brought", {"a": "1"}, None, None)


def test_a_file_whose_bytes_are_not_those_it_should_have_is_told_and_the_others_come(store: MemoryStore) -> None:
    def files() -> object:
        yield ArrivingFile(name="bad", open=lambda: io.BytesIO(b"bytes"), sha256="0" * 64)
        yield ArrivingFile(name="gone", open=lambda: open("/nowhere/at/all", "rb"))  # noqa: PTH123, SIM115 - whoever calls closes it
        yield ArrivingFile(name="elsewhere", uri="s3://bucket/key")
        yield ArrivingFile(name="good", open=lambda: io.BytesIO(b"bytes"))

    report = bring(store, [replace(arriving(a_run("two")), files=files)])

    assert [trouble.what for trouble in report.troubles] == ["artifact 'bad'", "artifact 'gone'"]
    assert [(each.name, each.is_stored) for each in store.list_artifacts("two")] == [
        ("elsewhere", False),
        ("good", True),
    ]
    assert not report.is_whole
