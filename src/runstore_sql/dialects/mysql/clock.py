"""The clock of a MySQL or MariaDB server."""

from typing import Final

NOW_US: Final = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
