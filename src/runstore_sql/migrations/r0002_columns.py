"""What the second schema adds to tables that exist: columns that a writer of the first one leaves empty."""

import sqlalchemy as sa

from runstore_sql.dialects.first_schema import FirstSchema
from runstore_sql.migrations.changes import add_column


def add_columns(connection: sa.Connection, words: FirstSchema) -> None:
    """Adds those that are missing."""
    collation, _ = words.text_options(connection.dialect)
    text = words.text or sa.Text(collation=collation)
    for moment in ("deleted_us", "described_us"):
        add_column(connection, "runstore_experiment", sa.Column(moment, sa.BigInteger))
    for column in (
        sa.Column("note", text),
        sa.Column("archived_us", sa.BigInteger),
        sa.Column("deleted_us", sa.BigInteger),
        sa.Column("purged_us", sa.BigInteger),
        sa.Column("changed", words.text or sa.Text(collation=collation)),
    ):
        add_column(connection, "runstore_run", column)
    add_column(connection, "runstore_series", sa.Column("thinned_step", sa.BigInteger))
