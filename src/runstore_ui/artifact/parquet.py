"""The beginning of a Parquet file, where pyarrow is installed beside the page. The page itself never imports it."""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, Final

from runstore_ui.artifact.preview import MOST_COLUMNS, MOST_ROWS, Preview

_WAITS_S: Final = 20.0
_MEMORY: Final = 1024**3
"""Of addresses, of which pyarrow itself takes a third before it has read anything."""
_PROGRAM: Final = Path(__file__).with_name("parquet_head.py")
_one_at_a_time = threading.Lock()


def can_read_parquet() -> bool:
    """Whether pyarrow is there."""
    return find_spec("pyarrow") is not None


def parquet_preview(file: BinaryIO) -> Preview:
    """The first rows of a file that is open at its beginning."""
    with tempfile.TemporaryFile() as copy:
        try:
            given = file.fileno()
        except OSError:  # what a store of somebody else hands out may be in memory
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            given = copy.fileno()
        return _preview(given)


def _preview(given: int) -> Preview:
    command = [sys.executable, "-I", str(_PROGRAM), str(MOST_ROWS), str(MOST_COLUMNS), str(_MEMORY)]
    with _one_at_a_time:
        try:
            done = subprocess.run(command, stdin=given, capture_output=True, timeout=_WAITS_S, check=False)  # noqa: S603 - our own words
        except subprocess.TimeoutExpired:
            return _not_shown("it takes too long to read")
    if done.returncode != 0:
        return _not_shown("it needs more memory or time than it may have, or leads pyarrow astray")
    told = json.loads(done.stdout)
    if "error" in told:
        return _not_shown(told["error"])
    rows, count, columns = told["rows"], told["count"], told["columns"]
    remarks = [f"{count:,} row{'' if count == 1 else 's'}, {columns:,} column{'' if columns == 1 else 's'}."]
    if len(rows) < count:
        remarks.append(f"The table begins so; rows shown: {len(rows)}.")
    if columns > MOST_COLUMNS:
        remarks.append(f"These are the first {MOST_COLUMNS} columns.")
    return Preview(heads=told["heads"], rows=rows, remark=" ".join(remarks))


def _not_shown(why: str) -> Preview:
    return Preview(remark=f"The beginning of this Parquet file is not shown: {why}. Download it to look at it.")
