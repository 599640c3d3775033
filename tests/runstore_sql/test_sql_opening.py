"""Whose schema a database holds, and what opening does to it."""

import hashlib
import logging
import os
import pickle
import sqlite3
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from runstore import MetricPoint
from runstore.errors import (
    ForeignSchemaError,
    SchemaError,
    SchemaTooNewError,
    SettingsError,
    StoreClosedError,
    StoreFailureError,
    StoreUnavailableError,
)
from runstore.hookspecs import OpenOptions
from runstore_sql.connections.database import Database
from runstore_sql.dialects.base import parse_url
from runstore_sql.migrations.steps import STEPS
from runstore_sql.opening import open_sql
from runstore_sql.schema.tables import SCHEMA_VERSION, VERSION_TABLE, metadata, schema_info
from runstore_sql.store import SqlStore


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def execute(url: str, *statements: str) -> None:
    database = Database(parse_url(url), read_only=False)
    for statement in statements:
        database.read(partial(sa.Connection.exec_driver_sql, statement=statement))
    database.close()


def test_the_migrations_make_the_columns_that_the_queries_name(store: SqlStore) -> None:
    with store.database.engine.connect() as connection:
        inspector = sa.inspect(connection)
        made = {name: [column["name"] for column in inspector.get_columns(name)] for name in metadata.tables}

    named = {name: [column.name for column in table.columns] for name, table in metadata.tables.items()}
    if store.database.dialect.name == "mysql":
        named["runstore_run"] += ["unsettled", "hidden"]  # stand for indexes with a condition
    assert made == named


def test_making_a_store_says_nothing_in_the_user_s_log(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        open_sql(sqlite_url, OpenOptions()).close()

    assert [record.name for record in caplog.records] == []


def test_who_wants_to_see_the_migrations_sees_them(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="runstore_sql.migrations"):
        open_sql(sqlite_url, OpenOptions()).close()

    seen = [record.getMessage()[:17] for record in caplog.records if record.name.startswith("runstore_sql.migrations")]
    assert seen == ["schema step 0001:", "schema step 0002:"]


def test_a_second_opening_takes_one_statement_and_a_look_at_the_rights_on_a_server(url: str) -> None:
    look = {"sqlite": 0, "postgresql": 1, "mysql": 3}  # MariaDB tells no rights: each is tried on no row
    open_sql(url, OpenOptions()).close()
    seen: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", record)
    try:
        open_sql(url, OpenOptions()).close()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", record)

    assert len(seen) == 1 + look[url.partition("://")[0]]
    assert seen[0].startswith("SELECT runstore_schema.")


def test_a_schema_whose_making_was_interrupted_is_completed(url: str) -> None:
    execute(url, f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL)", "SELECT 1")

    with open_sql(url, OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("experiment"))

        assert store.get_run(run_id).attempt == 1


def test_the_steps_are_noted_as_the_first_releases_look_for_them(url: str) -> None:
    """One of them that meets a schema whose making was interrupted goes on with it."""
    with open_sql(url, OpenOptions()) as store, store.database.engine.connect() as connection:
        inspector = sa.inspect(connection)
        (column,) = inspector.get_columns("runstore_alembic_version")
        key = inspector.get_pk_constraint("runstore_alembic_version")["constrained_columns"]
        noted = connection.exec_driver_sql("SELECT version_num FROM runstore_alembic_version").scalars().all()

    assert (column["name"], str(column["type"]).split()[0], column["nullable"]) == ("version_num", "VARCHAR(32)", False)
    assert key == ["version_num"]
    assert noted == ["0002"]


def test_each_step_makes_the_next_version_up_to_the_one_that_is_written() -> None:
    assert [step.version for step in STEPS] == list(range(1, SCHEMA_VERSION + 1))


def test_what_a_newer_release_was_stopped_at_is_left_to_it(url: str) -> None:
    open_sql(url, OpenOptions()).close()
    execute(url, f"UPDATE {VERSION_TABLE} SET version_num = '0003'", "UPDATE runstore_schema SET version = 1")

    with pytest.raises(
        SchemaTooNewError, match=r"stopped .* after step 0003; .* up to 0002; .* pip install -U runstore"
    ):
        open_sql(url, OpenOptions())

    database = Database(parse_url(url), read_only=True)
    assert database.read(lambda connection: connection.execute(sa.select(schema_info.c.version)).scalar()) == 1
    database.close()


def test_tables_of_our_names_that_are_not_ours_are_refused_untouched(url: str) -> None:
    execute(url, "CREATE TABLE experiments (experiment_id INTEGER)")

    with pytest.raises(ForeignSchemaError, match="experiments"):
        open_sql(url, OpenOptions())

    database = Database(parse_url(url), read_only=False)
    assert database.read(lambda connection: sa.inspect(connection).get_table_names()) == ["experiments"]
    database.close()


def test_a_foreign_sqlite_file_keeps_every_byte(sqlite_url: str) -> None:
    execute(sqlite_url, "CREATE TABLE runs (a)")
    before = hashlib.sha256(path_of(sqlite_url).read_bytes()).hexdigest()

    with pytest.raises(ForeignSchemaError):
        open_sql(sqlite_url, OpenOptions())

    assert hashlib.sha256(path_of(sqlite_url).read_bytes()).hexdigest() == before


def test_an_additive_newer_schema_is_used_and_another_is_refused_by_name(url: str) -> None:
    open_sql(url, OpenOptions()).close()
    execute(url, "UPDATE runstore_schema SET version = 9, written_by = '9.9'")
    with open_sql(url, OpenOptions()) as store:
        store.get_or_create_experiment("still works")

    execute(url, "UPDATE runstore_schema SET min_writer = 8")

    with pytest.raises(SchemaTooNewError, match=r"schema 9, written by runstore 9\.9.*pip install -U runstore"):
        open_sql(url, OpenOptions())
    with open_sql(url, OpenOptions(read_only=True)) as reader:
        assert reader.find_experiment("still works") is not None


def test_reading_an_empty_database_makes_nothing(url: str) -> None:
    if not url.startswith("sqlite"):
        execute(url, "SELECT 1")

    with pytest.raises(SchemaError, match="a store is made"):
        open_sql(url, OpenOptions(read_only=True))

    if url.startswith("sqlite"):
        assert not path_of(url).exists()
    else:
        database = Database(parse_url(url), read_only=True)
        assert database.read(lambda connection: sa.inspect(connection).get_table_names()) == []
        database.close()


def test_the_connection_of_a_reader_refuses_to_write(url: str) -> None:
    with open_sql(url, OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("experiment"))

    with open_sql(url, OpenOptions(read_only=True)) as reader:
        with pytest.raises((StoreFailureError, StoreUnavailableError)):
            reader.log_metrics(run_id, [MetricPoint(name="m", value=1.0, step=1)])
        with pytest.raises((StoreFailureError, StoreUnavailableError)):
            reader.database.write(lambda connection: connection.exec_driver_sql("DELETE FROM runstore_run"))
        assert reader.get_run(run_id).id == run_id


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_a_sqlite_url_without_a_file_is_refused_with_a_hint(url: str) -> None:
    with pytest.raises(SettingsError, match="memory://"):
        open_sql(url, OpenOptions())


def test_a_relative_sqlite_path_stays_where_it_was_opened(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fast_path)
    with open_sql("sqlite:///new/folder/runs.db", OpenOptions()) as store:
        monkeypatch.chdir("/")
        copy = pickle.loads(pickle.dumps(store))

        copy.get_or_create_experiment("experiment")

        assert store.find_experiment("experiment") is not None
        copy.close()
    assert (fast_path / "new/folder/runs.db").is_file()


def test_sqlite_keeps_a_write_ahead_log_and_takes_the_synchronous_setting(sqlite_url: str) -> None:
    with open_sql(f"{sqlite_url}?synchronous=FULL", OpenOptions()) as store:
        modes = store.database.read(
            lambda connection: [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
            ]
        )

    assert modes == ["wal", 2]
    with pytest.raises(SettingsError, match="SOMETIMES"):
        open_sql(f"{sqlite_url}?synchronous=SOMETIMES", OpenOptions())


def test_a_locked_sqlite_file_is_unavailable_and_not_broken(sqlite_url: str) -> None:
    with open_sql(f"{sqlite_url}?timeout=0.01", OpenOptions()) as store:
        holder = sqlite3.connect(path_of(sqlite_url), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreUnavailableError, match="locked"):
            store.get_or_create_experiment("experiment")

        holder.execute("ROLLBACK")
        holder.close()
        store.get_or_create_experiment("experiment")
        assert store.connections_in_use() == 0


def test_a_file_that_is_no_database_is_a_failure_that_says_so(sqlite_url: str) -> None:
    path_of(sqlite_url).write_bytes(b"something else entirely, long enough to be looked at" * 20)

    with pytest.raises((StoreFailureError, SchemaError), match="not a database"):
        open_sql(sqlite_url, OpenOptions())


@pytest.mark.parametrize("url", ["postgresql://u:s3cr3t@127.0.0.1:1/db", "mysql://u:s3cr3t@127.0.0.1:1/db"])
def test_an_absent_server_is_unavailable_and_its_password_is_not_told(url: str) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        open_sql(url, OpenOptions())

    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in repr(caught.value)
    assert "127.0.0.1" in str(caught.value)


def test_a_closed_store_says_so(store: SqlStore) -> None:
    store.close()

    with pytest.raises(StoreClosedError):
        store.get_or_create_experiment("experiment")
    with pytest.raises(StoreClosedError):
        store.log_metrics("run", [])


def test_a_forked_child_uses_connections_of_its_own(url: str) -> None:
    with open_sql(url, OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("experiment"))
        store.log_metrics(run_id, [MetricPoint(name="parent", value=1.0, step=1)])

        child = os.fork()
        if child == 0:
            status = 1
            try:
                store.log_metrics(run_id, [MetricPoint(name="child", value=2.0, step=1)])
                status = 0 if len(store.get_summaries(run_id)) == 2 else 2
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)

        assert status == 0
        store.log_metrics(run_id, [MetricPoint(name="parent", value=3.0, step=2)])
        assert [summary.count for summary in store.get_summaries(run_id)] == [1, 2]


@pytest.mark.parametrize(
    ("option", "told"), [("timout=30", "timout; known for SQLite are"), ("timeout=long", "no number of seconds")]
)
def test_an_option_that_sqlite_does_not_have_is_refused(sqlite_url: str, option: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        open_sql(f"{sqlite_url}?{option}", OpenOptions())
