"""The clock of a PostgreSQL server."""

from typing import Final

NOW_US: Final = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
