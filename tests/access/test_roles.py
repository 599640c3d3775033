"""Three accounts, each with the least it needs: who makes the schema, who writes runs, and who reads them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from access.accounts import PAGE, Accounts, accounts
from documentation.pages import blocks_of
from moving.everything import fill
from runstore import MetricPoint, open_reader, open_store
from runstore.errors import StoreFailureError
from runstore.opening import open_administration
from runstore_ui import Options, make_app
from support import session
from support.asgi import ask
from support.commands import runstore_here
from support.whole_store import DOWNLOADS, FAILURES, VIEWS, fill_with_everything

pytestmark = pytest.mark.server

POINTS = 9_000  # enough for roll-ups, and for MongoDB to move them out of the run


@pytest.fixture(scope="module", params=["postgresql", "mariadb", "mongodb", "mongodb-replica"])
def made(request: pytest.FixtureRequest) -> Iterator[Accounts]:
    """The accounts, on a server where the writer has tried in vain to make the schema, and the owner has made it."""
    with accounts(request.param) as made:
        with pytest.raises(StoreFailureError, match=r"denied|not authorized") as caught:
            open_store(made.urls["writer"], durable=False)
        told = str(caught.value)
        assert "change-me" not in told
        assert "runstore migrate upgrade" in told

        upgraded = runstore_here("migrate", "upgrade", "--yes", "--store", made.urls["owner"])

        assert upgraded.exit_code == 0, upgraded.output
        assert "made: version" in upgraded.output
        yield made


@pytest.fixture(autouse=True)
def counted(made: Accounts, request: pytest.FixtureRequest) -> None:
    session.needs(request.node, made.kind)


def test_the_writer_does_all_that_can_be_done_with_runs(made: Accounts, tmp_path: Path) -> None:
    with open_store(made.urls["writer"], durable=False) as store:
        fill(store, tmp_path)
        experiment_id = store.get_or_create_experiment("more")
        run_id = store.ensure_run(experiment_id, tags={"a": "b"})
        for first in range(0, POINTS, 3_000):
            store.log_metrics(
                run_id, [MetricPoint("loss", 1 / (step + 1), step) for step in range(first, first + 3_000)]
            )
        (tmp_path / "weights").write_bytes(b"\0" * 3_000_000)
        store.log_artifact(run_id, tmp_path / "weights")
        (tmp_path / "folder").mkdir()
        (tmp_path / "weights").rename(tmp_path / "folder" / "weights")
        store.log_artifact(run_id, tmp_path / "folder")  # where there are transactions, in one
        store.finalize(run_id, "completed", end_time=datetime.now(UTC) + timedelta(milliseconds=1))
        store.rename_run(run_id, "renamed")
        store.set_tags(run_id, {"c": "d"})
        store.remove_tags(run_id, ["a"])
        store.set_note(run_id, "a note")
        store.archive_run(run_id)
        store.unarchive_run(run_id)
        store.describe_experiment(experiment_id, "described")
        assert len(store.get_history(run_id, "loss", "other").values) == POINTS
        assert len(store.sample_history(run_id, "loss", "other", max_points=100).values) <= 100
        assert store.thin_histories(ended_before=datetime.now(UTC) + timedelta(minutes=1)).points
        assert [run.id for run in store.search_runs("tag.c = 'd'").items] == [run_id]
        store.delete_run(run_id)
        store.restore_run(run_id)
        store.delete_experiment(experiment_id)
        assert store.collect_garbage(deleted_before=datetime.now(UTC) + timedelta(minutes=1), dry_run=False).runs
    with open_store(made.urls["writer"]) as store:  # recorded, as programs do
        store.finalize(store.ensure_run(store.get_or_create_experiment("recorded")), "completed")


def test_a_store_is_copied_with_the_writers_rights(made: Accounts, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/source.db", durable=False) as source:
        experiment_id = source.get_or_create_experiment("copied")
        for number in range(3):
            run_id = source.ensure_run(experiment_id, run_id=f"copied-{number}")
            source.log_metrics(run_id, [MetricPoint("loss", step / 7, step) for step in range(100)])
            source.finalize(run_id, "completed")
    copied = runstore_here("copy", f"sqlite:///{tmp_path}/source.db", made.urls["writer"])
    verified = runstore_here("verify", f"sqlite:///{tmp_path}/source.db", made.urls["reader"])

    assert (copied.exit_code, verified.exit_code) == (0, 0), (copied.output, verified.output)


def test_the_writer_creates_alters_and_drops_nothing(made: Accounts) -> None:
    assert [each for each in made.writes if made.is_refused("writer", each)] == []
    assert [each for each in made.changes if not made.is_refused("writer", each)] == []


def test_the_reader_reads_and_writes_nothing(made: Accounts) -> None:
    with open_store(made.urls["writer"], durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("read"))
        store.log_metrics(run_id, [MetricPoint("loss", 0.5, 1)])

    with open_reader(made.urls["reader"]) as reader:
        assert reader.get_run(run_id).id == run_id
        assert list(reader.get_history(run_id, "loss", "other").values) == [0.5]
        assert run_id in {run.id for run in reader.iter_runs()}
    assert [each for each in made.reads if made.is_refused("reader", each)] == []
    assert [each for each in (*made.writes, *made.changes) if not made.is_refused("reader", each)] == []


def test_the_reader_is_told_at_opening_that_it_may_not_write(made: Accounts) -> None:
    with pytest.raises(StoreFailureError, match="open_reader") as caught:
        open_store(made.urls["reader"], durable=False)

    assert "change-me" not in str(caught.value)


def test_a_person_sees_what_each_account_may_do(made: Accounts) -> None:
    found = {}
    for name, url in made.urls.items():
        with open_administration(url) as administration:
            rights = administration.rights()
        found[name] = (rights.read, rights.write, bool(rights.change))

    assert found == {"owner": (True, True, True), "writer": (True, True, False), "reader": (True, False, False)}


@pytest.fixture
def parted(made: Accounts) -> dict[str, str]:
    """Each account's URL of a store in a schema of its own, whose points are in partitions."""
    grants = blocks_of(PAGE, "sql")[1].text.replace("SCHEMA public", "SCHEMA parted")
    with psycopg.connect(f"{made.server.url}/runs", autocommit=True) as connection:
        connection.execute("CREATE SCHEMA parted AUTHORIZATION runs_owner")
        connection.execute(grants.encode())
    urls = {name: f"{url}?options=-csearch_path%3Dparted" for name, url in made.urls.items()}
    open_store(f"{urls['owner']}&partition_series=2", durable=False).close()
    return urls


@pytest.mark.parametrize("made", ["postgresql"], indirect=True)
def test_partitions_are_the_owners_and_the_writer_empties_what_it_may_not_drop(parted: dict[str, str]) -> None:
    with open_store(parted["writer"], durable=False) as store:
        experiment_id = store.get_or_create_experiment("parted")
        for number in range(4):
            run_id = store.ensure_run(experiment_id, run_id=f"run-{number}")
            store.log_metrics(run_id, [MetricPoint(name, 1.0, 0) for name in ("loss", "dice")])
            store.finalize(run_id, "completed")
            if number < 2:
                store.delete_run(run_id)
        later = datetime.now(UTC) + timedelta(minutes=1)
        told = store.collect_garbage(deleted_before=later)
        done = store.collect_garbage(deleted_before=later, dry_run=False)
        assert (told.runs, told.points, told.partitions) == (done.runs, done.points, done.partitions) == (2, 4, 0)
        assert list(store.get_history("run-3", "loss", "other").values) == [1.0]
    with pytest.raises(StoreFailureError, match="permission denied for schema parted"):
        open_store(f"{parted['writer']}&partition_series=2", durable=False)
    with open_store(f"{parted['owner']}&partition_series=2", durable=False) as store:
        assert store.collect_garbage(dry_run=False).partitions >= 1


def test_the_owner_finds_nothing_to_do_a_second_time(made: Accounts) -> None:
    again = runstore_here("migrate", "upgrade", "--yes", "--store", made.urls["owner"])

    assert (again.exit_code, again.output[:13]) == (0, "nothing to do")


def test_the_page_shows_each_view_to_who_may_only_read(made: Accounts, tmp_path: Path) -> None:
    fill_with_everything(made.urls["writer"], tmp_path)

    with open_reader(made.urls["reader"]) as reader:
        app = make_app(reader, Options(shown_url=""))
        found = {
            name: ask(app, f"/{address.removeprefix('./')}").status for name, address in (VIEWS | DOWNLOADS).items()
        }

    assert {name: status for name, status in found.items() if status != FAILURES.get(name, 200)} == {}
