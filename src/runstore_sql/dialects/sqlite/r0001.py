"""The first schema as SQLite has it. Frozen: what changes is another migration's."""

from typing import Final

import sqlalchemy as sa

from runstore_sql.dialects.first_schema import FirstSchema

FIRST_SCHEMA: Final = FirstSchema(
    # No affinity on the value: a REAL column keeps -0.0 as the integer 0. NULL is NaN.
    point_table="""CREATE TABLE IF NOT EXISTS runstore_point (
        series_pk INTEGER NOT NULL, step INTEGER NOT NULL, value, logged_at_us INTEGER NOT NULL,
        PRIMARY KEY (series_pk, step)) WITHOUT ROWID""",
    create_view="CREATE VIEW IF NOT EXISTS",
    quote='"',
    time="strftime('%Y-%m-%d %H:%M:%S', ({0} - (({0} % 1000000) + 1000000) % 1000000) / 1000000, 'unixepoch')"
    " || printf('.%06d', (({0} % 1000000) + 1000000) % 1000000)",
    now_us="CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    non_finite="CASE WHEN p.value IS NULL THEN 'nan' WHEN p.value > 1.7976931348623157e308 THEN 'inf'"
    " WHEN p.value < -1.7976931348623157e308 THEN '-inf' END",
    key=sa.Integer(),
)
