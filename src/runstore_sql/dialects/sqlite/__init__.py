"""SQLite: one file, no server."""

from typing import Final

from runstore_sql.dialects.kinds import Kind

KIND: Final = Kind(name="sqlite", schemes=("sqlite",), install="runstore[sql]")
