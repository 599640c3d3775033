"""A streaming replica of PostgreSQL: readers read it while it follows, and writers are told what it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from moving.everything import SHOWN, fill
from runstore import MetricPoint, open_reader, open_store
from runstore.errors import StoreUnavailableError
from runstore.opening import open_administration
from support import session
from support.commands import runstore_here
from support.engines import Server, database_of, with_database
from support.servers import private_server
from support.standby import Standby, standby

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def primary() -> Iterator[Server]:
    # What is committed is then where replicas look for it, and stays there for one that a busy machine holds up.
    options = ["-c", "synchronous_commit=on", "-c", "wal_keep_size=256MB"]
    with private_server("postgresql", durable=False, options=options) as server:
        yield server


@pytest.fixture(scope="module")
def replica(primary: Server) -> Iterator[Standby]:
    with standby(primary) as replica:
        yield replica


@pytest.fixture
def written(primary: Server, request: pytest.FixtureRequest) -> str:
    """The URL of a new database on the primary."""
    session.needs(request.node, "postgresql")
    return primary.new_database()


def on(replica: Standby, written: str) -> str:
    """The same database on the replica, as far as the primary has written it."""
    replica.wait()
    return with_database(replica.url, database_of(written))


def test_a_replica_gives_what_the_primary_has(replica: Standby, written: str, tmp_path: Path) -> None:
    with open_store(written, durable=False) as store:
        fill(store, tmp_path)
        store.log_metrics("going-on", [MetricPoint("curve", step / 7, step) for step in range(6_000)])

    with open_reader(written) as there, open_reader(on(replica, written)) as here:
        assert {run.id for run in here.iter_runs("archived = true or archived = false")} == SHOWN
        for run_id in SHOWN:
            assert here.get_run(run_id) == there.get_run(run_id)
            assert here.get_summaries(run_id) == there.get_summaries(run_id)
            assert here.get_config(run_id).keys() == there.get_config(run_id).keys()
            for artifact in (each for each in here.list_artifacts(run_id) if each.sha256):
                with (
                    here.open_artifact(run_id, artifact.name) as mine,
                    there.open_artifact(run_id, artifact.name) as theirs,
                ):
                    assert mine.read() == theirs.read()
        curves = [each.sample_history("going-on", "curve", "other", max_points=100) for each in (here, there)]
        assert curves[0].values == curves[1].values
        assert [run.id for run in here.search_runs("tag.owner = 'me'").items] == ["parent"]


def test_a_reader_that_stays_sees_what_the_primary_writes_meanwhile(replica: Standby, written: str) -> None:
    with open_store(written, durable=False) as store, open_reader(on(replica, written)) as reader:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        for step in range(3):
            store.log_metrics(run_id, [MetricPoint("loss", step / 7, step)])
            replica.wait()

            assert list(reader.get_history(run_id, "loss", "other").values) == [each / 7 for each in range(step + 1)]


def test_a_writer_is_told_that_it_is_a_replica(replica: Standby, written: str) -> None:
    with pytest.raises(StoreUnavailableError, match="read replica"):  # where there is no store yet, too
        open_store(on(replica, written), durable=False)
    open_store(written, durable=False).close()

    with pytest.raises(StoreUnavailableError, match="read replica"):
        open_store(on(replica, written), durable=False)
    with open_administration(on(replica, written)) as administration:
        rights = administration.rights()
    assert (rights.read, rights.write, rights.change) == (True, False, False)


def test_commands_read_a_replica_and_say_why_they_change_nothing(replica: Standby, written: str) -> None:
    with open_store(written, durable=False) as store:
        store.ensure_run(store.get_or_create_experiment("x"), run_id="run-1", name="mine")
    url = on(replica, written)

    shown = runstore_here("runs", "--store", url, "--json")
    asked = runstore_here("sql", "--store", url, "SELECT name FROM runs")
    tagged = runstore_here("tag", "--store", url, "run-1", "a=b")

    assert (shown.exit_code, asked.exit_code, tagged.exit_code) == (0, 0, 1)
    assert "mine" in shown.stdout
    assert "mine" in asked.stdout
    assert "read replica" in str(tagged.exception)


def test_of_several_hosts_writers_find_the_primary_and_readers_the_replica(
    primary: Server, replica: Standby, written: str
) -> None:
    hosts = ",".join(f"127.0.0.1:{each.ports[0]}" for each in (replica, primary))
    url = f"postgresql://postgres@{hosts}/{database_of(written)}?target_session_attrs="

    with open_store(f"{url}read-write", durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
    replica.wait()
    with open_reader(f"{url}prefer-standby") as reader:
        assert reader.get_run(run_id).id == run_id
    with open_administration(f"{url}standby") as administration:
        assert administration.rights().write is False


def test_a_replica_that_becomes_the_primary_takes_writes(primary: Server, written: str) -> None:
    with open_store(written, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
    with standby(primary) as replica:
        url = on(replica, written)
        with open_reader(url) as reader:
            assert reader.get_run(run_id).id == run_id
            replica.promote()

            with open_store(url, durable=False) as store:
                store.log_metrics(run_id, [MetricPoint("loss", 0.5, 1)])
            assert list(reader.get_history(run_id, "loss", "other").values) == [0.5]
