"""Databases that forget what they acknowledged, as servers do it: the recorder tells them again."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from runstore import MetricPoint, RunReader, open_reader, open_store
from runstore.errors import RunNotFoundError, SchemaError
from runstore.recording import stored_health
from support import going_back, session
from support.engines import database_of, with_database
from support.servers import MariaDB, MongoDB, PostgreSQL, private_server
from support.standby import standby
from support.waiting import wait_until

pytestmark = pytest.mark.server


class Training:
    """A recorded run that logs a point now and then, until it is told to end; it counts what was acknowledged."""

    def __init__(self, url: str, folder: Path) -> None:
        self.run_id = ""
        self.acknowledged = 0
        self.errors: list[BaseException] = []
        self.writing = threading.Lock()
        self._url = url
        self._folder = folder
        self._has_begun = threading.Event()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._train)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._has_begun.wait(timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(timeout=120)

    def end(self) -> None:
        self._is_over.set()
        self._thread.join(timeout=120)
        assert not self._thread.is_alive()
        assert not self.errors

    def wait_for(self, more: int) -> None:
        """Returns once so many more points were acknowledged by the recorder, and those before them by the database."""
        wanted = self.acknowledged + more
        wait_until(lambda: self.errors or self.acknowledged >= wanted, f"{more} points more", pause_s=0.01)
        assert not self.errors

    def _train(self) -> None:
        try:
            self._log()
        except BaseException as error:  # noqa: BLE001 - the test's thread looks at them
            self.errors.append(error)
            self._has_begun.set()

    def _log(self) -> None:
        with open_store(self._url) as store:
            self.run_id = store.ensure_run(store.get_or_create_experiment("forgetful"), name="one", tags={"a": "b"})
            store.log_config(self.run_id, {"lr": 0.1})
            self._has_begun.set()
            while not self._is_over.wait(timeout=0.001):
                point = MetricPoint("loss", float(self.acknowledged), self.acknowledged, "train")
                with self.writing:
                    store.log_metrics(self.run_id, [point])
                    self.acknowledged += 1
                if self.acknowledged == 501:
                    (self._folder / "weights").write_bytes(b"weights")
                    store.log_artifact(self.run_id, self._folder / "weights")
            store.finalize(self.run_id, "completed")
        self.health = store.health()  # type: ignore[attr-defined]  # a recorder's, as it stood at the end

    def check(self, reader: RunReader) -> None:
        """All that was acknowledged is stored, once, and what was done about it is told with the run."""
        (reported,) = stored_health(self.run_id, reader.list_artifacts(self.run_id)).values()
        assert reported.sent_again == self.health.runs[self.run_id].sent_again
        history = reader.get_history(self.run_id, "loss", "train")
        assert list(history.steps) == list(range(self.acknowledged))
        assert list(history.values) == [float(step) for step in range(self.acknowledged)]
        run = reader.get_run(self.run_id)
        assert (run.status, run.name, run.tags, run.attempt) == ("completed", "one", {"a": "b"}, 1)
        assert reader.get_config(self.run_id) == {"lr": 0.1}
        if self.acknowledged > 500:
            with reader.open_artifact(self.run_id, "weights") as file:
                assert file.read() == b"weights"


def count(url: str, run_id: str) -> int:
    """How many points the database holds of a run."""
    with open_reader(url) as reader:
        found = list(reader.search_runs(f"id = '{run_id}'"))
        return sum(series.count for run in found for series in reader.get_summaries(run.id))


@pytest.mark.parametrize("is_run_forgotten", [False, True], ids=["points", "the run itself"])
def test_a_standby_that_lags_is_promoted_while_a_run_is_recorded_and_nothing_is_lost(
    tmp_path: Path, request: pytest.FixtureRequest, *, is_run_forgotten: bool
) -> None:
    session.needs(request.node, "postgresql")
    with (
        private_server("postgresql", durable=False, options=["-c", "wal_keep_size=256MB"]) as primary,
        standby(primary) as replica,
    ):
        written = primary.new_database()
        with open_store(written, durable=False):
            replica.wait()  # the schema is on both
        hosts = f"host=127.0.0.1:{primary.ports[0]}&host=127.0.0.1:{replica.ports[0]}"
        url = f"{_user(written)}/{database_of(written)}?{hosts}&target_session_attrs=read-write"
        if is_run_forgotten:
            replica.stop_receiving()
        with Training(url, tmp_path) as training:
            training.wait_for(300)
            with training.writing:
                if not is_run_forgotten:
                    replica.stop_receiving()
                before_that = training.acknowledged  # the replica has no more of them, however long it took to stop
            training.wait_for(600)
            wait_until(lambda: count(written, training.run_id) > before_that + 400, "the points in the database")

            primary.kill()
            kept = with_database(replica.url, database_of(written))
            before = count(kept, training.run_id)  # before the recorder can reach it
            replica.promote()
            training.wait_for(300)
            training.end()

            told = training.health.runs[training.run_id].sent_again
            assert told is not None
            assert told.points > before_that + 400 - before > 0
            assert training.health.is_all_stored
            with open_reader(kept) as reader:
                training.check(reader)


def test_a_backup_of_a_sqlite_file_is_restored_under_a_run_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    _train_over_a_restored_backup(f"sqlite:///{path}", tmp_path, back_up=lambda: going_back.of_sqlite(path))


def test_a_dump_of_mongodb_is_restored_under_a_run_and_nothing_is_lost(
    mongodb_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server = session.server_or_skip("mongodb", request)
    assert isinstance(server, MongoDB)
    _train_over_a_restored_backup(
        mongodb_url, tmp_path, back_up=lambda: going_back.of_mongodb(server.client, mongodb_url)
    )


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_database_that_was_lost_with_its_disk_is_made_again_and_nothing_is_lost(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """There is an empty one under its name: the recorder makes the store in it, and sends all again."""
    server = session.server_or_skip(kind, request)
    assert isinstance(server, (PostgreSQL, MariaDB))
    url = server.new_database()

    def lose() -> None:
        server.drop_database(url)
        server.make_database(database_of(url))

    _train_over_a_restored_backup(url, tmp_path, back_up=lambda: lose)
    server.drop_database(url)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_writer_without_a_recorder_is_told_that_its_run_is_gone_from_a_database_that_was_lost(
    kind: str, request: pytest.FixtureRequest
) -> None:
    server = session.server_or_skip(kind, request)
    assert isinstance(server, (PostgreSQL, MariaDB))
    url = server.new_database()
    with open_store(url, durable=False) as store, open_reader(url) as reader:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        server.drop_database(url)
        server.make_database(database_of(url))

        with pytest.raises(SchemaError, match="there is no store"):
            open_reader(url)
        with pytest.raises(RunNotFoundError):
            store.log_metrics(run_id, [MetricPoint("loss", 0.5, 0)])
        again = store.ensure_run(store.get_or_create_experiment("x"))
        assert reader.get_run(again).id == again
        store.finalize(again, "completed")
    server.drop_database(url)


def _train_over_a_restored_backup(url: str, folder: Path, *, back_up: Callable[[], Callable[[], None]]) -> None:
    with Training(url, folder) as training:
        training.wait_for(300)
        wait_until(lambda: count(url, training.run_id) > 200, "the points in the database")
        with training.writing:
            wait_until(lambda: count(url, training.run_id) == training.acknowledged, "the points in the database")
            restore = back_up()
        training.wait_for(600)
        wait_until(lambda: count(url, training.run_id) > 800, "the points in the database")
        with training.writing:
            wait_until(lambda: count(url, training.run_id) == training.acknowledged, "the points in the database")
            restore()
        training.wait_for(100)
        training.end()

        told = training.health.runs[training.run_id].sent_again
        assert told is not None
        assert told.points > 0
        assert training.health.is_all_stored
        with open_reader(url) as reader:
            training.check(reader)


def _user(url: str) -> str:
    head, _, rest = url.partition("://")
    user, at, _ = rest.partition("@")
    return f"{head}://{user}{at}"
