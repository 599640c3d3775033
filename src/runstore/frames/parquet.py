"""A table as a Parquet file, by pyarrow where it is installed."""

import importlib
from importlib.util import find_spec
from typing import BinaryIO

from runstore.frames.frame import Frame


def has_parquet() -> bool:
    """Whether what writes Parquet is installed."""
    return find_spec("pyarrow") is not None


def write_parquet(frame: Frame, file: BinaryIO) -> None:
    """Writes the table into a file that is open.

    Raises:
        InvalidValueError: pyarrow is not installed.
    """
    table = frame.to_arrow()
    importlib.import_module("pyarrow.parquet").write_table(table, file)
