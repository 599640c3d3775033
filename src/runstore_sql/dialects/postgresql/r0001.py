"""The first schema as PostgreSQL has it. Frozen: what changes is another migration's."""

from typing import Final

from runstore_sql.dialects.first_schema import FirstSchema

FIRST_SCHEMA: Final = FirstSchema(
    point_table="""CREATE TABLE IF NOT EXISTS runstore_point (
        series_pk bigint NOT NULL, step bigint NOT NULL, value double precision NOT NULL, logged_at_us bigint NOT NULL,
        PRIMARY KEY (series_pk, step))""",
    create_view="CREATE OR REPLACE VIEW",
    quote='"',
    # Seconds and the rest by themselves: an interval is multiplied in float64, which holds the microseconds of 285 years.
    time="(timestamptz 'epoch' + {0} / 1000000 * interval '1 second' + mod({0}, 1000000) * interval '1 microsecond')",
    now_us="CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
    non_finite="CASE p.value WHEN 'NaN' THEN 'nan' WHEN 'Infinity' THEN 'inf' WHEN '-Infinity' THEN '-inf' END",
    # Rows that are updated at each call find room beside themselves and leave their indexes alone. SQLAlchemy 2.0 does
    # not know this as an option of a table.
    alterations=tuple(f"ALTER TABLE {name} SET (fillfactor = 70)" for name in ("runstore_run", "runstore_series")),
    text_options=lambda _: ("C", {}),
)
