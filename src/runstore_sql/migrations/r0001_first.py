"""The first schema: base tables, their keys and indexes, and the five views that people read."""

from typing import Any

import sqlalchemy as sa

from runstore_sql.dialects.base import dialect_of
from runstore_sql.dialects.first_schema import FirstSchema
from runstore_sql.migrations.r0001_views import view_statements

# A point has no foreign key: the check costs a look-up a point, and the series' row is locked while points go in.


def make(connection: sa.Connection) -> None:
    """Makes everything that is not there yet."""
    words = dialect_of(connection.dialect.name).first_schema
    for table in _tables(words, *words.text_options(connection.dialect)).sorted_tables:
        table.create(connection, checkfirst=True)
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    for statement in (*words.alterations, words.point_table):
        connection.exec_driver_sql(statement)
    for statement in view_statements(words):
        connection.exec_driver_sql(statement)


def _tables(words: FirstSchema, text_collation: str | None, options: dict[str, Any]) -> sa.MetaData:
    """The tables with texts that compare by code point, to the last blank and letter case."""

    def name(length: int) -> sa.String:
        return sa.String(length, collation=text_collation)

    text = words.text or sa.Text(collation=text_collation)
    data, big = words.data, words.key

    metadata = sa.MetaData()

    def key() -> sa.Column[int]:
        return sa.Column("pk", big, primary_key=True, autoincrement=True)

    def of_run(*, primary_key: bool = True) -> sa.Column[int]:
        target = sa.ForeignKey("runstore_run.pk", ondelete="CASCADE")
        return sa.Column("run_pk", big, target, primary_key=primary_key, autoincrement=False, nullable=False)

    def required(column: str, kind: Any) -> sa.Column[Any]:
        return sa.Column(column, kind, nullable=False)

    sa.Table(
        "runstore_schema",
        metadata,
        sa.Column("pk", sa.SmallInteger, primary_key=True, autoincrement=False),
        required("version", sa.Integer()),
        required("min_reader", sa.Integer()),
        required("min_writer", sa.Integer()),
        required("written_by", name(64)),
        **options,
    )
    sa.Table(
        "runstore_experiment",
        metadata,
        key(),
        required("id", name(255)),
        required("name", name(255)),
        sa.Column("description", text),
        required("created_us", sa.BigInteger()),
        sa.UniqueConstraint("id", name="runstore_experiment_id"),
        sa.UniqueConstraint("name", name="runstore_experiment_name"),
        **options,
    )
    sa.Table(
        "runstore_run",
        metadata,
        key(),
        required("id", name(255)),
        sa.Column("experiment_pk", big, sa.ForeignKey("runstore_experiment.pk"), nullable=False),
        sa.Column("parent_pk", big, sa.ForeignKey("runstore_run.pk")),
        sa.Column("name", name(255)),
        sa.Column("client_id", name(255)),
        required("training_mode", name(50)),
        required("status", name(20)),
        required("attempt", sa.Integer()),
        required("start_us", sa.BigInteger()),
        sa.Column("end_us", sa.BigInteger),
        required("heartbeat_us", sa.BigInteger()),
        required("expires_us", sa.BigInteger()),
        required("lease_s", sa.Double()),
        sa.Column("source_path", text),
        required("tags", text),
        required("provenance", text),
        sa.Column("failure", text),
        sa.UniqueConstraint("id", name="runstore_run_id"),
        sa.Index("runstore_run_by_start", "start_us", "id"),
        sa.Index("runstore_run_by_experiment", "experiment_pk", "start_us", "id"),
        sa.Index("runstore_run_by_parent", "parent_pk", "start_us", "id"),
        **options,
    )
    sa.Table(
        "runstore_tag",
        metadata,
        of_run(),
        sa.Column("key", name(255), primary_key=True),
        required("head", name(64)),
        required("value", text),
        sa.Index("runstore_tag_by_value", "key", "head", "run_pk"),
        **options,
    )
    sa.Table("runstore_config", metadata, of_run(), required("document", text), **options)
    sa.Table(
        "runstore_config_leaf",
        metadata,
        of_run(),
        sa.Column("key", name(512), primary_key=True),
        required("kind", name(10)),
        sa.Column("number", sa.Double),
        required("special", sa.SmallInteger()),
        required("head", name(64)),
        required("value", text),
        sa.Index("runstore_config_leaf_by_number", "key", "number", "run_pk"),
        sa.Index("runstore_config_leaf_by_text", "key", "head", "run_pk"),
        **options,
    )
    sa.Table(
        "runstore_series",
        metadata,
        key(),
        of_run(primary_key=False),
        required("name", name(255)),
        required("dataset_type", name(10)),
        required("count", sa.BigInteger()),
        required("non_finite_count", sa.BigInteger()),
        *(
            sa.Column(f"{stat}_{part}", kind, nullable=stat in {"min", "max"} or part == "value")
            for stat in ("first", "last", "min", "max")
            for part, kind in (("step", sa.BigInteger()), ("value", sa.Double()), ("special", sa.SmallInteger()))
        ),
        sa.UniqueConstraint("run_pk", "name", "dataset_type", name="runstore_series_identity"),
        **options,
    )
    sa.Table(
        "runstore_artifact",
        metadata,
        of_run(),
        sa.Column("name", name(255), primary_key=True),
        required("artifact_type", name(50)),
        required("uri", text),
        sa.Column("sha256", name(64)),
        sa.Column("size", sa.BigInteger),
        required("is_stored", sa.Boolean()),
        required("created_us", sa.BigInteger()),
        required("metadata", text),
        **options,
    )
    sa.Table(
        "runstore_blob",
        metadata,
        key(),
        # NULL until the last chunk is in, so that the same bytes are kept once and half a file is never found.
        sa.Column("sha256", name(64)),
        required("size", sa.BigInteger()),
        required("created_us", sa.BigInteger()),
        sa.UniqueConstraint("sha256", name="runstore_blob_sha256"),
        **options,
    )
    sa.Table(
        "runstore_blob_chunk",
        metadata,
        sa.Column(
            "blob_pk", big, sa.ForeignKey("runstore_blob.pk", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        required("data", data),
        **options,
    )
    return metadata
