"""What the recorder's benchmarks share: servers, a recorded store of one's own, and percentiles."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.servers import Server, private_server

KINDS = ("sqlite", "postgresql", "mariadb", "mongodb", "mongodb-replica", "mongodb-replica3")


@contextmanager
def folder(where: str | None) -> Iterator[Path]:
    """A folder on the disk that is to be measured: never a tmpfs unless it is asked for."""
    path = Path(tempfile.mkdtemp(prefix="recorder-", dir=where or "/var/tmp"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def database(kind: str, place: Path) -> Iterator[tuple[str, Server | None]]:
    """The URL of a new database and its server; SQLite has none."""
    if kind == "sqlite":
        yield f"sqlite:///{place / 'runs.sqlite'}", None
        return
    with private_server(kind, durable=True) as server:
        yield server.new_database(), server


def use_state_dir(path: Path) -> None:
    """Puts the journals there, in this process and in those it starts."""
    os.environ["RUNSTORE_STATE_DIR"] = str(path)


def percentiles(nanoseconds: Sequence[int]) -> dict[str, float]:
    """p50, p99, p99.9 and the longest, in microseconds."""
    ordered = sorted(nanoseconds)
    count = len(ordered)
    places = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
    found = {name: ordered[min(int(count * place), count - 1)] / 1000 for name, place in places.items()}
    return {**found, "max": ordered[-1] / 1000}


def line(name: str, figures: dict[str, Any]) -> str:
    """One row of a report."""
    cells = (f"{key} {value:,.1f}" if isinstance(value, float) else f"{key} {value}" for key, value in figures.items())
    return f"{name:<34} {'  '.join(cells)}"


def machine() -> str:
    """How busy the machine is, for the reader of the figures."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
