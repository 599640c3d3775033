"""The base tables as the queries see them, and the versions of the schema.

The tables are made by the migrations, which also hold the keys, indexes and views. Names in the database begin with
``runstore_``; the views ``experiments``, ``runs``, ``run_configurations``, ``run_metrics`` and ``run_artifacts`` are
what people and other programs read.

A float64 that not every database keeps (NaN, infinities, -0.0) is stored as a pair: a number and a ``special``
(see :mod:`runstore_sql.metrics.numbers`). Only the points differ by dialect, for their size counts: PostgreSQL keeps every
float64 natively, SQLite all but NaN (which it turns into NULL, and we read NULL as NaN), MySQL needs the special.
"""

from typing import Final

import sqlalchemy as sa

SCHEMA_VERSION: Final = 2
"""The schema that this release writes; goes up by one with each migration."""

MIN_READER: Final = 1
"""The oldest schema version that a client must know to read this schema rightly."""

MIN_WRITER: Final = 2
"""The oldest schema version that a client must know to write this schema rightly."""

VERSION_TABLE: Final = "runstore_alembic_version"
"""Notes the last step of :mod:`runstore_sql.migrations`. The first releases took their steps by Alembic, and look for it by this name."""

VIEW_NAMES: Final = ("experiments", "runs", "run_configurations", "run_metrics", "run_artifacts")

metadata = sa.MetaData()

schema_info = sa.Table(
    "runstore_schema",
    metadata,
    sa.Column("pk", sa.SmallInteger, primary_key=True),
    sa.Column("version", sa.Integer),
    sa.Column("min_reader", sa.Integer),
    sa.Column("min_writer", sa.Integer),
    sa.Column("written_by", sa.String(64)),
)

experiment = sa.Table(
    "runstore_experiment",
    metadata,
    sa.Column("pk", sa.BigInteger, primary_key=True),
    sa.Column("id", sa.String(255)),
    sa.Column("name", sa.String(255)),
    sa.Column("description", sa.Text),
    sa.Column("created_us", sa.BigInteger),
    sa.Column("deleted_us", sa.BigInteger),
    sa.Column("described_us", sa.BigInteger),
)

run = sa.Table(
    "runstore_run",
    metadata,
    sa.Column("pk", sa.BigInteger, primary_key=True),
    sa.Column("id", sa.String(255)),
    sa.Column("experiment_pk", sa.BigInteger),
    sa.Column("parent_pk", sa.BigInteger),
    sa.Column("name", sa.String(255)),
    sa.Column("client_id", sa.String(255)),
    sa.Column("training_mode", sa.String(50)),
    sa.Column("status", sa.String(20)),
    sa.Column("attempt", sa.Integer),
    sa.Column("start_us", sa.BigInteger),
    sa.Column("end_us", sa.BigInteger),
    sa.Column("heartbeat_us", sa.BigInteger),
    sa.Column("expires_us", sa.BigInteger),
    sa.Column("lease_s", sa.Double),
    sa.Column("source_path", sa.Text),
    sa.Column("tags", sa.Text),
    sa.Column("provenance", sa.Text),
    sa.Column("failure", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("archived_us", sa.BigInteger),
    sa.Column("deleted_us", sa.BigInteger),
    sa.Column("purged_us", sa.BigInteger),
    sa.Column("changed", sa.Text),
    sa.Column("settled", sa.BigInteger),
)
"""``changed`` is the text of :meth:`runstore.backend.RunChange.standing`. ``settled`` is the attempt whose values :data:`result` keeps; see :mod:`runstore_sql.settling`."""

parent = run.alias("parent")
"""A run's parent, where a query joins it."""

HEAD_LENGTH: Final = 64
"""Characters of a text that its index holds."""

tag = sa.Table(
    "runstore_tag",
    metadata,
    sa.Column("run_pk", sa.BigInteger, primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("head", sa.String(64)),
    sa.Column("value", sa.Text),
)

config = sa.Table(
    "runstore_config",
    metadata,
    sa.Column("run_pk", sa.BigInteger, primary_key=True),
    sa.Column("document", sa.Text),
)

config_leaf = sa.Table(
    "runstore_config_leaf",
    metadata,
    sa.Column("run_pk", sa.BigInteger, primary_key=True),
    sa.Column("key", sa.String(512), primary_key=True),
    sa.Column("kind", sa.String(10)),
    sa.Column("number", sa.Double),
    sa.Column("special", sa.SmallInteger),
    sa.Column("head", sa.String(64)),
    sa.Column("value", sa.Text),
)

_STATISTICS: Final = {
    f"{stat}_{part}": kind
    for stat in ("first", "last", "min", "max")
    for part, kind in (("step", sa.BigInteger), ("value", sa.Double), ("special", sa.SmallInteger))
}
series = sa.Table(
    "runstore_series",
    metadata,
    sa.Column("pk", sa.BigInteger, primary_key=True),
    sa.Column("run_pk", sa.BigInteger),
    sa.Column("name", sa.String(255)),
    sa.Column("dataset_type", sa.String(10)),
    sa.Column("count", sa.BigInteger),
    sa.Column("non_finite_count", sa.BigInteger),
    *(sa.Column(name, kind) for name, kind in _STATISTICS.items()),
    sa.Column("thinned_step", sa.BigInteger),
    sa.Column("level", sa.SmallInteger),
    sa.Column("rolled_step", sa.BigInteger),
    sa.Column("rewrites", sa.BigInteger),
)

SUMMARY_COLUMNS: Final = ("count", "non_finite_count", *_STATISTICS)
"""What a series row says of its points: the order of :data:`runstore_sql.metrics.summary_rows.SummaryRow`."""

rollup = sa.Table(
    "runstore_rollup",
    metadata,
    sa.Column("series_pk", sa.BigInteger, primary_key=True),
    sa.Column("level", sa.SmallInteger, primary_key=True),
    sa.Column("pack", sa.BigInteger, primary_key=True),
    sa.Column("data", sa.LargeBinary),
)

waiting = sa.Table(
    "runstore_waiting",
    metadata,
    sa.Column("pk", sa.SmallInteger, primary_key=True),
    sa.Column("next_series_pk", sa.BigInteger),
    sa.Column("last_series_pk", sa.BigInteger),
)
"""The series of the first schema that nobody has looked at yet, to roll them up: those from one key to another."""

metric = sa.Table(
    "runstore_metric",
    metadata,
    sa.Column("pk", sa.BigInteger, primary_key=True),
    sa.Column("name", sa.String(255)),
    sa.Column("dataset_type", sa.String(10)),
)
"""Each pair of name and dataset type that :data:`result` knows."""

RESULT_COLUMNS: Final = ("count", *(name for name in _STATISTICS if not name.endswith("_step")))

result = sa.Table(
    "runstore_result",
    metadata,
    sa.Column("run_pk", sa.BigInteger, primary_key=True),
    sa.Column("metric_pk", sa.BigInteger, primary_key=True),
    *(sa.Column(name, series.c[name].type) for name in RESULT_COLUMNS),
)
"""The summaries of settled runs once more, with indexes on their values."""

artifact = sa.Table(
    "runstore_artifact",
    metadata,
    sa.Column("run_pk", sa.BigInteger, primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("artifact_type", sa.String(50)),
    sa.Column("uri", sa.Text),
    sa.Column("sha256", sa.String(64)),
    sa.Column("size", sa.BigInteger),
    sa.Column("is_stored", sa.Boolean),
    sa.Column("created_us", sa.BigInteger),
    sa.Column("metadata", sa.Text),
)

blob = sa.Table(
    "runstore_blob",
    metadata,
    sa.Column("pk", sa.BigInteger, primary_key=True),
    sa.Column("sha256", sa.String(64)),
    sa.Column("size", sa.BigInteger),
    sa.Column("created_us", sa.BigInteger),
)

blob_chunk = sa.Table(
    "runstore_blob_chunk",
    metadata,
    sa.Column("blob_pk", sa.BigInteger, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("data", sa.LargeBinary),
)

# The points are read and written by SQL of each dialect's own, in the dialect's folder.
OUR_NAMES: Final = frozenset({*metadata.tables, "runstore_point", VERSION_TABLE, *VIEW_NAMES})
"""Every table and view of ours, to tell an empty database from a stranger's."""

INDEX_NAMES: Final = frozenset(
    {
        "runstore_artifact_by_name",
        "runstore_config_leaf_by_number",
        "runstore_config_leaf_by_text",
        *(f"runstore_result_by_{name}" for name in ("count", "first", "last", "max", "min")),
        *(f"runstore_run_by_{name}" for name in ("experiment", "name", "parent", "start", "status")),
        "runstore_run_unsettled",
        "runstore_tag_by_value",
    }
)
"""Indexes that searches need; the migrations make them. Beside them one or two on runs that are put away: see :func:`index_names`."""


def index_names(*, has_partial_indexes: bool) -> frozenset[str]:
    """The indexes of a database whose dialect can, or cannot, leave rows out of one."""
    return INDEX_NAMES | (
        {"runstore_run_archived", "runstore_run_deleted"} if has_partial_indexes else {"runstore_run_hidden"}
    )
