"""Copies of a store: complete, whatever database it comes from and goes to, and no more often than needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import pytest

from moving import everything
from runstore import open_reader, open_store
from runstore.backend import BackendStore
from runstore.backend.reading import Reads
from runstore.errors import QueryError
from runstore.model import MetricPoint, RunStatus
from runstore.moving import Outcome, Selection, copy, verify
from support import session

SERVERS = ["postgresql", "mariadb", "mongodb"]
KINDS = ["sqlite", *(pytest.param(kind, marks=pytest.mark.server) for kind in SERVERS)]


@contextmanager
def a_database(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new, empty database of this kind."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / f'{uuid4().hex}.sqlite'}"
        return
    server = session.server_or_skip(kind, request)
    url = server.new_database()
    try:
        yield url
    finally:
        server.drop_database(url)


def open_target(url: str) -> BackendStore:
    store = open_store(url, durable=False)
    assert isinstance(store, BackendStore)
    return store


@pytest.fixture(scope="module", params=KINDS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store of each kind that a program has filled."""
    folder = tmp_path_factory.mktemp("filled")
    with a_database(request.param, folder, request) as url:
        with open_store(url, durable=False) as store:
            everything.fill(store, folder)
        yield url


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_is_complete_and_a_second_one_sends_nothing(
    filled: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    with a_database(kind, tmp_path, request) as url:
        with open_reader(filled) as source, open_target(url) as target:
            first = copy(source, target)
            with monkeypatch.context() as patch:
                patch.delattr(Reads, "get_history")  # no point is read
                second = copy(source, target)

        assert (first.runs, first.troubles) == ({Outcome.NEW: len(everything.SHOWN)}, ())
        assert (second.runs, second.points, second.files) == ({Outcome.UNCHANGED: len(everything.SHOWN)}, 0, 0)
        with open_reader(filled) as source, open_reader(url) as target_reader:
            verdict = verify(source, target_reader)
            back = verify(target_reader, source)
            assert verdict.differences == back.differences == ()
            assert (verdict.runs, verdict.points, verdict.files) == (len(everything.SHOWN), 2051, 4)
            assert target_reader.get_run("lost").status is RunStatus.LOST
            assert [each.name for each in target_reader.list_experiments()] == [
                each.name for each in source.list_experiments()
            ]
            found = target_reader.search_runs("metric.validation.dice.max >= 0.9995 and status = 'completed'")
            assert [run.id for run in found] == ["resumed"]


@pytest.fixture
def source_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'source.sqlite'}"
    with open_store(url, durable=False) as store:
        everything.fill(store, tmp_path)
    return url


def test_only_the_runs_of_a_filter_or_an_experiment_are_copied(source_url: str, tmp_path: Path) -> None:
    with open_reader(source_url) as source:
        other = source.find_experiment("other")
        assert other is not None
        with open_target(f"sqlite:///{tmp_path / 'one.sqlite'}") as target:
            copy(source, target, Selection(filter="status = 'failed' or tag.owner = 'me'"))
            assert {run.id for run in target.search_runs()} == {"parent", "grandchild"}
            assert [each.name for each in target.list_experiments()] == ["Größe/肺 ☃", "other"]
        with open_target(f"sqlite:///{tmp_path / 'two.sqlite'}") as target:
            report = copy(source, target, Selection(experiment_id=other.id))
            assert {run.id for run in target.search_runs()} == everything.SHOWN - {"parent", "child"}
            assert [(trouble.run_id, trouble.what) for trouble in report.troubles] == [("grandchild", "parent")]
        with pytest.raises(QueryError, match="position 0"):
            copy(source, target, Selection(filter="nonsense"))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("(" * 10 + "id = 'child'" + ")" * 10, {"child"}),  # as deep as filters go; and it is archived
        ("id = 'child' or id = 'bare'", {"child", "bare"}),
        ("id in ('child', 'bare') and archived = false", {"bare"}),
        ("not id = 'bare' and status = 'interrupted'", {"child"}),
    ],
)
def test_a_filter_means_what_it_means_in_a_search_and_archived_runs_are_among_them(
    source_url: str, asked: str, found: set[str]
) -> None:
    with open_reader(source_url) as source:
        assert {run.id for runs in Selection(filter=asked).groups(source) for run in runs} == found
        assert Selection(filter=asked).count(source) == len(found)


def test_a_parent_that_is_copied_later_is_given_to_its_children_by_the_next_copy(
    source_url: str, tmp_path: Path
) -> None:
    with open_reader(source_url) as source, open_target(f"sqlite:///{tmp_path / 'target.sqlite'}") as target:
        copy(source, target, Selection(filter="id = 'grandchild'"))
        assert target.get_run("grandchild").parent_run_id is None

        report = copy(source, target)

        assert target.get_run("grandchild").parent_run_id == "child"
        assert report.runs == {Outcome.UPDATED: 1, Outcome.NEW: len(everything.SHOWN) - 1}
        assert report.troubles == ()


def test_a_run_that_goes_on_is_brought_up_by_the_next_copy(source_url: str, tmp_path: Path) -> None:
    with (
        open_store(source_url, durable=False) as program,
        open_reader(source_url) as source,
        open_target(f"sqlite:///{tmp_path / 'target.sqlite'}") as target,
    ):
        copy(source, target)
        assert target.get_run("going-on").status is RunStatus.IN_PROGRESS
        program.log_metrics("going-on", [MetricPoint("loss", 0.5, 1, "train")])
        program.finalize("going-on", "completed")

        report = copy(source, target)

        assert (report.runs[Outcome.UPDATED], report.points) == (1, 2)
        assert repr(target.get_run("going-on")) == repr(source.get_run("going-on"))
        assert verify(source, target).differences == ()


def test_a_run_that_was_deleted_in_the_copy_is_told_and_the_others_are_copied(source_url: str, tmp_path: Path) -> None:
    with open_reader(source_url) as source, open_target(f"sqlite:///{tmp_path / 'target.sqlite'}") as target:
        copy(source, target, Selection(filter="id = 'parent'"))
        target.delete_run("parent")

        report = copy(source, target)

        assert report.runs == {Outcome.REFUSED: 1, Outcome.NEW: len(everything.SHOWN) - 1}
        assert [trouble.run_id for trouble in report.troubles] == ["parent"]
        assert "restore_run" in report.troubles[0].reason
        assert target.get_run("child").parent_run_id == "parent"


def test_an_experiment_that_was_deleted_in_the_copy_stays_deleted(source_url: str, tmp_path: Path) -> None:
    with open_reader(source_url) as source, open_target(f"sqlite:///{tmp_path / 'target.sqlite'}") as target:
        copy(source, target)
        other = source.find_experiment("other")
        assert other is not None
        target.delete_experiment(other.id)

        report = copy(source, target)

        assert report.runs == {Outcome.UNCHANGED: 2, Outcome.REFUSED: len(everything.SHOWN) - 2}
        assert target.find_experiment("other") is None


def test_a_file_that_its_run_replaces_while_it_is_copied_comes_as_it_is_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "last.ckpt").write_bytes(b"of step 1")
    with open_target(f"sqlite:///{tmp_path / 'source.sqlite'}") as source, open_target("memory://") as target:
        source.ensure_run(source.get_or_create_experiment("x"), run_id="going-on")
        source.log_artifact("going-on", tmp_path / "last.ckpt")
        real = source.open_artifact

        def as_late_as_can_be(run_id: str, name: str) -> BinaryIO:
            monkeypatch.undo()
            (tmp_path / "last.ckpt").write_bytes(b"of step 2")
            source.log_artifact("going-on", tmp_path / "last.ckpt")
            return real(run_id, name)

        monkeypatch.setattr(source, "open_artifact", as_late_as_can_be)

        report = copy(source, target)

        assert (report.troubles, report.files) == ((), 1)
        assert target.list_artifacts("going-on")[0].sha256 == source.list_artifacts("going-on")[0].sha256
        with target.open_artifact("going-on", "last.ckpt") as copied:
            assert copied.read() == b"of step 2"
        source.finalize("going-on", "completed")


def test_a_thinned_history_is_copied_as_it_is_left(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'source.sqlite'}"
    with open_target(url) as source, open_target(f"sqlite:///{tmp_path / 'target.sqlite'}") as target:
        run_id = source.ensure_run(source.get_or_create_experiment("old"))
        source.log_metrics(run_id, [MetricPoint("loss", float(step % 97), step, "train") for step in range(12_000)])
        source.finalize(run_id, "completed")
        end = source.get_run(run_id).end_time
        assert end is not None
        assert source.thin_histories(ended_before=end.replace(year=end.year + 1)).points > 0

        first, second = copy(source, target), copy(source, target)

        left = source.get_history(run_id, "loss", "train")
        assert first.points == len(left) < 12_000
        assert (second.runs, second.points) == ({Outcome.UNCHANGED: 1}, 0)
        assert target.get_history(run_id, "loss", "train").values == left.values
        assert verify(source, target).differences == ()
