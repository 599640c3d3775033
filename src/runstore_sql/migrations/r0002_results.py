"""What the second schema adds for searches: the values of settled runs, and indexes."""

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from runstore_sql.dialects.base import dialect_of
from runstore_sql.dialects.first_schema import FirstSchema
from runstore_sql.migrations.changes import add_column, add_index, replace_index

_VALUES: Final = ("first", "last", "min", "max")
_UNSETTLED: Final = "CASE WHEN settled = attempt THEN NULL ELSE 1 END"
_BY_VALUE: Final = {
    "runstore_config_leaf_by_number": ["key", "number", "kind", "run_pk"],
    "runstore_config_leaf_by_text": ["key", "head", "kind", "run_pk"],
}
"""With the kind, so that the index alone tells whether a setting passes."""

_COLUMNS: Final = ", ".join(
    ["s.{quote}count{quote}", *(f"s.{stat}_{part}" for stat in _VALUES for part in ("value", "special"))]
)
_HAS_ENDED: Final = "status IN ('completed', 'failed', 'interrupted')"


def add_results(connection: sa.Connection, words: FirstSchema) -> None:
    """Adds what is missing of the tables of results, and fills them with the runs that have ended.

    Indexes come last: built at once over all rows they take a tenth of the time. Where they are missing, an attempt was
    interrupted before, and the rows are made anew.
    """
    collation, options = words.text_options(connection.dialect)
    tables = _tables(words, collation, options).tables
    for name in ("runstore_metric", "runstore_result"):
        connection.execute(sa.schema.CreateTable(tables[name], if_not_exists=True))
    indexes = sorted(tables["runstore_result"].indexes, key=lambda index: str(index.name))
    known = {each["name"] for each in sa.inspect(connection).get_indexes("runstore_result")}
    if known.issuperset(str(index.name) for index in indexes):
        return
    for statement in _fill(words):
        connection.exec_driver_sql(statement)
    for index in indexes:
        index.create(connection, checkfirst=True)


def _fill(words: FirstSchema) -> Iterator[str]:
    columns = _COLUMNS.format(quote=words.quote)
    is_known = "m.name = s.name AND m.dataset_type = s.dataset_type"
    yield "DELETE FROM runstore_result"
    # A program that is open may write late points to a run that has just ended, and knows of no results.
    is_quiet = f"heartbeat_us < {words.now_us} - 86400000000"
    yield f"UPDATE runstore_run SET settled = attempt WHERE {_HAS_ENDED} AND {is_quiet}"  # noqa: S608 - our own text
    yield f"""INSERT INTO runstore_metric (name, dataset_type)
        SELECT DISTINCT s.name, s.dataset_type FROM runstore_series s
        WHERE NOT EXISTS (SELECT 1 FROM runstore_metric m WHERE {is_known})"""  # noqa: S608 - as above
    yield f"""INSERT INTO runstore_result (run_pk, metric_pk, {columns.replace("s.", "")})
        SELECT s.run_pk, m.pk, {columns}
        FROM runstore_run r JOIN runstore_series s ON s.run_pk = r.pk JOIN runstore_metric m ON {is_known}
        WHERE r.settled = r.attempt AND r.{_HAS_ENDED} ORDER BY s.run_pk, m.pk"""  # noqa: S608 - as above


def _tables(words: FirstSchema, collation: str | None, options: dict[str, Any]) -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table("runstore_run", metadata, sa.Column("pk", words.key, primary_key=True), **options)
    sa.Table(
        "runstore_metric",
        metadata,
        sa.Column("pk", words.key, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(255, collation=collation), nullable=False),
        sa.Column("dataset_type", sa.String(10, collation=collation), nullable=False),
        sa.UniqueConstraint("name", "dataset_type", name="runstore_metric_identity"),
        **options,
    )
    columns: list[Any] = [sa.Column("count", sa.BigInteger, nullable=False)]
    for stat in _VALUES:
        columns += [sa.Column(f"{stat}_value", sa.Double), sa.Column(f"{stat}_special", sa.SmallInteger)]
    sa.Table(
        "runstore_result",
        metadata,
        sa.Column(
            "run_pk",
            words.key,
            sa.ForeignKey("runstore_run.pk", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("metric_pk", words.key, primary_key=True, autoincrement=False),
        *columns,
        *(
            sa.Index(f"runstore_result_by_{name.removesuffix('_value')}", "metric_pk", name, "run_pk")
            for name in ("count", *(f"{stat}_value" for stat in _VALUES))
        ),
        sqlite_with_rowid=False,
        **options,
    )
    return metadata


def add_settled(connection: sa.Connection) -> None:
    """Adds to the runs whether they are settled."""
    add_column(connection, "runstore_run", sa.Column("settled", sa.BigInteger))


def add_unsettled(connection: sa.Connection) -> None:
    """Adds an index on the runs that are not settled."""
    name = "runstore_run_unsettled"
    statements = dialect_of(connection.dialect.name).index_unsettled
    for statement in statements:
        connection.exec_driver_sql(statement.format(name=name, unsettled=_UNSETTLED))
    if not statements:
        add_column(
            connection,
            "runstore_run",
            sa.Column("unsettled", sa.SmallInteger, sa.Computed(_UNSETTLED, persisted=False)),
        )
        add_index(connection, name, "runstore_run", ["unsettled", "status"])


def add_search_indexes(connection: sa.Connection) -> None:
    """Adds indexes on what searches and counts ask for."""
    if not dialect_of(connection.dialect.name).has_partial_indexes:
        is_hidden = "CASE WHEN archived_us IS NULL AND deleted_us IS NULL THEN NULL ELSE 1 END"
        add_column(
            connection, "runstore_run", sa.Column("hidden", sa.SmallInteger, sa.Computed(is_hidden, persisted=False))
        )
        add_index(connection, "runstore_run_hidden", "runstore_run", ["hidden"])
    else:
        for column in ("archived_us", "deleted_us"):
            where = sa.text(f"{column} IS NOT NULL")
            name = f"runstore_run_{column.removesuffix('_us')}"
            add_index(connection, name, "runstore_run", [column], sqlite_where=where, postgresql_where=where)
    add_index(connection, "runstore_run_by_status", "runstore_run", ["status", "start_us", "id"])
    add_index(connection, "runstore_artifact_by_name", "runstore_artifact", ["name", "run_pk"])
    for name, columns in _BY_VALUE.items():
        replace_index(connection, name, "runstore_config_leaf", columns)
