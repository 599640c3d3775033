"""The clock of a SQLite file is the machine's: a function of ours, on every connection."""

from typing import Final

NOW_US: Final = "runstore_now_us()"
