"""What a person is told of a SQL database: its schema, its rights, what is missing; and statements, which only read."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

from runstore import MetricPoint
from runstore.backend import Grade
from runstore.errors import ForeignSchemaError, RunStoreError, StoreFailureError
from runstore.hookspecs import OpenOptions
from runstore_sql.administering import SqlAdministration
from runstore_sql.opening import open_sql
from runstore_sql.schema.tables import SCHEMA_VERSION, index_names
from runstore_sql.store import SqlStore
from support.landed import FOLDER


@pytest.fixture
def administration(url: str) -> Iterator[SqlAdministration]:
    with SqlAdministration(url) as administration:
        yield administration


def _execute(url: str, *statements: str) -> None:
    with open_sql(url, OpenOptions()) as store, store.database.engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_an_empty_database_has_no_schema_and_is_left_as_it_is(administration: SqlAdministration, url: str) -> None:
    state = administration.schema_state()

    assert (state.found, state.known, state.is_readable) == (None, SCHEMA_VERSION, False)
    assert [each[:5] for each in state.steps] == ["0001:", "0002:"]
    assert administration.schema_state() == state
    if url.startswith("sqlite"):
        assert not Path(url.removeprefix("sqlite:///")).exists()


def test_an_upgrade_makes_the_schema_and_the_next_one_does_nothing(administration: SqlAdministration) -> None:
    administration.upgrade()
    administration.upgrade()

    state = administration.schema_state()
    assert (state.found, state.steps, state.is_readable, state.is_writable) == (SCHEMA_VERSION, (), True, True)


def test_an_older_schema_is_told_with_what_an_upgrade_would_do(tmp_path: Path) -> None:

    (tmp_path / "old.db").write_bytes(gzip.decompress((FOLDER / "sqlite.db.gz").read_bytes()))
    with SqlAdministration(f"sqlite:///{tmp_path}/old.db") as administration:
        state = administration.schema_state()
        assert (state.found, state.is_readable, state.is_writable) == (1, False, True)
        assert [each[:5] for each in state.steps] == ["0002:"]

        administration.upgrade()

        assert administration.schema_state().steps == ()


def test_a_schema_of_others_is_refused(url: str, administration: SqlAdministration) -> None:
    _execute(url, "DROP VIEW run_artifacts", "DROP TABLE runstore_schema", "DROP TABLE runstore_alembic_version")

    with pytest.raises(ForeignSchemaError, match="runstore did not make"):
        administration.schema_state()


def test_a_sound_store_has_no_warning(store: SqlStore, administration: SqlAdministration) -> None:
    findings = {each.subject: each for each in administration.findings()}

    assert {each.grade for each in findings.values()} == {Grade.OK}, findings
    assert set(findings) == {"server", "indexes", "clock"}
    assert any(character.isdigit() for character in findings["server"].found)
    assert store.connections_in_use() == 0


def test_an_index_and_a_view_that_are_missing_are_named(url: str, administration: SqlAdministration) -> None:
    table = " ON runstore_tag" if url.startswith("mysql") else ""
    _execute(url, f"DROP INDEX runstore_tag_by_value{table}", "DROP VIEW run_artifacts")

    findings = {each.subject: each for each in administration.findings()}

    assert findings["indexes"].grade is findings["views"].grade is Grade.WARNING
    assert "runstore_tag_by_value" in findings["indexes"].found
    assert "run_artifacts" in findings["views"].found


def test_the_indexes_that_are_looked_for_are_those_of_a_new_store(store: SqlStore) -> None:
    found = store.database.read(lambda connection: sa.inspect(connection).get_multi_indexes())
    made = {str(each["name"]) for indexes in found.values() for each in indexes if not each["unique"]}

    assert made == index_names(has_partial_indexes=store.database.dialect.has_partial_indexes)


def test_its_owner_has_every_right(store: SqlStore, administration: SqlAdministration) -> None:
    rights = administration.rights()

    assert (rights.read, rights.write, rights.change) == (True, True, True)
    assert store.connections_in_use() == 0


def test_a_statement_gives_titles_and_rows_and_whether_there_are_more(
    store: SqlStore, run_id: str, administration: SqlAdministration
) -> None:
    store.log_metrics(run_id, [MetricPoint(name="loss", value=step / 2, step=step) for step in range(5)])

    some = administration.select("SELECT step, metric_value FROM run_metrics ORDER BY step", limit=3)
    rest = administration.select("SELECT step FROM run_metrics WHERE step > 1", limit=3)

    assert list(some.titles) == ["step", "metric_value"]
    assert [tuple(map(float, row)) for row in some.rows] == [(0, 0), (1, 0.5), (2, 1)]
    assert some.has_more
    assert len(rest.rows) == 3
    assert not rest.has_more


_REFUSED: Final = (
    "DELETE FROM runstore_run",
    "UPDATE runstore_run SET name = 'changed'",
    "INSERT INTO runstore_schema (pk, version) VALUES (7, 7)",
    "DROP TABLE runstore_tag",
    "CREATE TABLE mine (a INTEGER)",
    "COMMIT",
    "ROLLBACK; DELETE FROM runstore_run",
    "SELECT 1; DELETE FROM runstore_run",
    "SELECT 1; COMMIT; DELETE FROM runstore_run",
    "SET SESSION TRANSACTION READ WRITE",
    "SET GLOBAL max_connections = 99",
    "SHUTDOWN",
    "PRAGMA query_only = OFF",
    "PRAGMA journal_mode = DELETE",
    "ATTACH DATABASE 'other.db' AS other",
    "VACUUM INTO 'other.db'",
    "WITH gone AS (DELETE FROM runstore_run RETURNING pk) SELECT * FROM gone",
    "SELECT nextval('runstore_run_pk_seq')",
    "COPY runstore_run TO PROGRAM 'cat'",
    "SELECT 1 INTO OUTFILE 'runstore-mine'",
    "SELECT 1 AS a, 2 AS a\ninto\tdumpfile 'runstore-mine'",
    "SELECT 1) OR EXISTS (SELECT 2 INTO OUTFILE 'runstore-mine'",
    "nonsense",
    "",
)


def test_a_statement_that_does_anything_but_read_is_refused_by_the_database(
    store: SqlStore,
    run_id: str,
    administration: SqlAdministration,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))
    before = store.get_run(run_id)

    for statement in _REFUSED:
        with pytest.raises(StoreFailureError, match="the database refused the statement"):
            administration.select(statement, limit=10)

    assert store.get_run(run_id) == before
    assert list(Path().iterdir()) == []
    assert [tuple(row) for row in administration.select("SELECT COUNT(*) FROM runs", limit=10).rows] == [(1,)]


def test_a_statement_that_speaks_of_into_and_only_reads_is_taken(
    administration: SqlAdministration, store: SqlStore
) -> None:
    assert store.count_runs() == 0

    found = administration.select("SELECT 1 AS a, 'into' AS a ORDER BY 1 LIMIT 3 ;", limit=10)

    assert [tuple(row) for row in found.rows] == [(1, "into")]


def test_what_cannot_be_reached_is_told_by_what_needs_it(tmp_path: Path) -> None:
    asked: list[Callable[[SqlAdministration], object]] = [
        SqlAdministration.schema_state,
        lambda administration: administration.select("SELECT 1", limit=1),
    ]
    (tmp_path / "folder").mkdir()
    for ask in asked:
        with (
            SqlAdministration(f"sqlite:///{tmp_path}/folder") as administration,
            pytest.raises(RunStoreError, match="is a folder"),
        ):
            ask(administration)


def test_a_role_of_postgresql_that_only_reads_is_told(postgresql_url: str) -> None:
    parts = sa.make_url(postgresql_url)
    role = f"reader_of_{parts.database}"
    _execute(postgresql_url, f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    try:
        url = parts.set(username=role).render_as_string(hide_password=False)
        with SqlAdministration(url) as administration:
            rights = administration.rights()
            assert administration.select("SELECT count(*) FROM runs", limit=1).rows[0][0] == 0
    finally:
        _execute(postgresql_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")

    assert (rights.user, rights.read, rights.write, rights.change) == (role, True, False, False)


def test_an_account_of_mariadb_that_only_reads_is_told(mariadb_url: str) -> None:
    parts = sa.make_url(mariadb_url)
    account = f"reader_{parts.database}"
    _execute(mariadb_url, f"CREATE USER {account}@'%%'", f"GRANT SELECT ON {parts.database}.* TO {account}@'%%'")
    try:
        url = parts.set(username=account).render_as_string(hide_password=False)
        with SqlAdministration(url) as administration:
            rights = administration.rights()
    finally:
        _execute(mariadb_url, f"DROP USER {account}@'%%'")

    assert (rights.user, rights.read, rights.write) == (f"{account}@%", True, False)
    assert not rights.change


def test_a_place_for_trials_is_apart_and_removed_with_all_that_is_in_it(
    store: SqlStore, administration: SqlAdministration
) -> None:
    with administration.scratch() as scratch, administration.scratch() as another:
        with open_sql(scratch, OpenOptions()) as trial:
            trial.ensure_run(trial.get_or_create_experiment("trial"))
            assert [each.name for each in trial.list_experiments().items] == ["trial"]
        with SqlAdministration(another) as other:
            assert other.schema_state().found is None
    assert store.list_experiments().items == ()
    with SqlAdministration(scratch) as gone:
        if scratch.startswith("sqlite"):
            assert gone.schema_state().found is None
            assert not Path(sa.make_url(scratch).database or "").parent.exists()
        else:
            with pytest.raises(StoreFailureError):
                gone.schema_state()


def test_a_role_that_may_make_no_database_tries_in_a_schema(postgresql_url: str) -> None:
    parts = sa.make_url(postgresql_url)
    role = f"maker_of_{parts.database}"
    _execute(postgresql_url, f"CREATE ROLE {role} LOGIN", f"GRANT CREATE ON DATABASE {parts.database} TO {role}")
    try:
        url = parts.set(username=role).render_as_string(hide_password=False)
        with SqlAdministration(url) as administration, administration.scratch() as scratch:
            assert sa.make_url(scratch).database == parts.database
            with open_sql(scratch, OpenOptions()) as trial:
                trial.ensure_run(trial.get_or_create_experiment("trial"))
        with open_sql(postgresql_url, OpenOptions()) as store:
            assert store.list_experiments().items == ()
            schemas = store.database.read(lambda connection: sa.inspect(connection).get_schema_names())
    finally:
        _execute(postgresql_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")

    assert not [name for name in schemas if name.startswith("runstore_scratch")]
