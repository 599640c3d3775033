"""What the second schema adds to tables that exist: columns that a writer of the first one leaves empty."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from runstore_sql.dialects.first_schema import FirstSchema


def add_columns(words: FirstSchema) -> None:
    """Adds those that are missing: a MySQL server keeps what an interrupted attempt has made."""
    collation, _ = words.text_options(op.get_bind().dialect)
    text = words.text or sa.Text(collation=collation)
    for moment in ("deleted_us", "described_us"):
        add("runstore_experiment", sa.Column(moment, sa.BigInteger))
    for column in (
        sa.Column("note", text),
        sa.Column("archived_us", sa.BigInteger),
        sa.Column("deleted_us", sa.BigInteger),
        sa.Column("purged_us", sa.BigInteger),
        sa.Column("changed", words.text or sa.Text(collation=collation)),
    ):
        add("runstore_run", column)
    add("runstore_series", sa.Column("thinned_step", sa.BigInteger))


def add(table: str, column: sa.Column[Any]) -> None:
    """Adds a column unless the table has it."""
    known = {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}
    if column.name not in known:
        op.add_column(table, column)


def add_index(name: str, table: str, columns: list[str], **options: Any) -> None:
    """Adds an index unless the table has it."""
    if name not in {each["name"] for each in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns, **options)
