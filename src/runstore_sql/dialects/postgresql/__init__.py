"""PostgreSQL, by psycopg."""

from typing import Final

from runstore_sql.dialects.kinds import Kind

KIND: Final = Kind(
    name="postgresql", schemes=("postgresql", "postgres"), modules=("psycopg",), install="runstore[postgres]"
)
