"""What the second schema adds for roll-ups: where they lie, how far each series has them, and which series wait for them.

Nothing is rolled up here, which would take long where much is stored: that is done afterwards, in pieces.
"""

import sqlalchemy as sa

from runstore_sql.dialects.first_schema import FirstSchema
from runstore_sql.migrations.changes import add_column


def add_rollups(connection: sa.Connection, words: FirstSchema) -> None:
    """Adds what is missing, and notes the series that the first schema's writers have made."""
    _, options = words.text_options(connection.dialect)
    # NULL where a writer of the first schema made the series, -1 before there is enough to choose a level by.
    add_column(connection, "runstore_series", sa.Column("level", sa.SmallInteger))
    add_column(
        connection, "runstore_series", sa.Column("rolled_step", sa.BigInteger, nullable=False, server_default="0")
    )
    add_column(connection, "runstore_series", sa.Column("rewrites", sa.BigInteger, nullable=False, server_default="0"))
    metadata = sa.MetaData()
    # SQLite: with a row id, not clustered by the key, whose rows would each take a page of their own.
    rollup = sa.Table(
        "runstore_rollup",
        metadata,
        sa.Column("series_pk", words.key, nullable=False, autoincrement=False),
        sa.Column("level", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("pack", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("series_pk", "level", "pack"),
        **options,
    )
    waiting = sa.Table(
        "runstore_waiting",
        metadata,
        sa.Column("pk", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("next_series_pk", sa.BigInteger, nullable=False),
        sa.Column("last_series_pk", sa.BigInteger, nullable=False),
        **options,
    )
    rollup.create(connection, checkfirst=True)
    waiting.create(connection, checkfirst=True)
    if connection.execute(sa.select(waiting.c.pk)).first() is None:
        newest = connection.exec_driver_sql("SELECT coalesce(max(pk), 0) FROM runstore_series").scalar_one()
        connection.execute(waiting.insert().values(pk=1, next_series_pk=1, last_series_pk=newest))
