"""The beginning of a Parquet file as JSON, in a process of its own: ``python parquet_head.py ROWS COLUMNS BYTES < FILE``.

A file may say of itself what it likes: a page of a few bytes may unpack to gigabytes, and a library in C may be led astray by it.
So it is read where memory and time are bounded and nothing else can be harmed. This file is run as it is and imports nothing of
runstore.
"""

import json
import os
import sys
from typing import Any

_SECONDS = 10
_LONGEST = 200


def bound(memory: int) -> None:
    """Bounds memory (in bytes) and time of this process, where the system can."""
    if sys.platform == "win32":  # it has no such bounds
        return
    import resource  # noqa: PLC0415 - Windows has none

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def head(file: Any, rows: int, columns: int) -> dict[str, Any]:
    """The first rows of the first row group, as texts, and how many rows and columns the file says there are."""
    import pyarrow as pa  # noqa: PLC0415 - not before memory is bounded
    import pyarrow.parquet as pq  # noqa: PLC0415 - likewise

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    opened = pq.ParquetFile(
        file,
        pre_buffer=False,
        buffer_size=1 << 16,
        thrift_string_size_limit=1 << 24,
        thrift_container_size_limit=1 << 20,
    )
    names = opened.schema_arrow.names[:columns]
    found: list[list[str]] = []
    if opened.metadata.num_row_groups:
        batches = opened.iter_batches(batch_size=rows, row_groups=[0], columns=names, use_threads=False)
        for batch in batches:
            cells = [
                [told(value) for value in column.slice(0, rows - len(found)).to_pylist()] for column in batch.columns
            ]
            names = batch.schema.names
            found += [list(row) for row in zip(*cells, strict=True)]
            if len(found) >= rows:
                break
    return {
        "heads": [told(name) for name in names[:columns]],
        "rows": [row[:columns] for row in found],
        "count": opened.metadata.num_rows,
        "columns": len(opened.schema_arrow.names),
    }


def told(value: Any) -> str:
    """A value as text, as much of it as a cell has room for."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def main() -> int:
    """Reads the file at standard input, and writes JSON; what is wrong with the file is the value of ``error``."""
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    os.environ["OMP_NUM_THREADS"] = "1"
    bound(int(sys.argv[3]))
    try:
        answer = head(sys.stdin.buffer, int(sys.argv[1]), int(sys.argv[2]))
    except Exception as error:  # noqa: BLE001 - whatever the file leads to is told to who looks at it
        answer = {"error": f"{type(error).__name__}: {error}"[:_LONGEST]}
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
