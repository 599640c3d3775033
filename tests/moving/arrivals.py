"""Runs to bring: made by hand, as an importer makes them."""

import io
from array import array
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from runstore.model import Run, RunStatus
from runstore.moving import ArrivingFile, ArrivingRun
from runstore.series import Columns, Series
from runstore.values import experiment_id_of

START = datetime(2024, 5, 17, 8, 30, 0, 123456, tzinfo=UTC)
LOSS = ("loss", "train")


def columns(values: list[float], first: int = 0) -> Columns:
    """Points of consecutive steps, a second apart."""
    steps = array("q", range(first, first + len(values)))
    start_us = int(START.timestamp() * 1_000_000)
    return Columns(steps, array("d", values), array("q", [start_us + step * 1_000_000 for step in steps]))


def a_run(run_id: str, **facts: Any) -> Run:
    """A run that has ended well, but for what is said otherwise."""
    given: dict[str, Any] = {
        "id": run_id,
        "experiment_id": experiment_id_of("elsewhere"),
        "name": "brought",
        "status": RunStatus.COMPLETED,
        "training_mode": "centralized",
        "parent_run_id": None,
        "client_id": None,
        "attempt": 1,
        "start_time": START,
        "end_time": START + timedelta(hours=2),
        "heartbeat_at": START + timedelta(hours=2),
        "lease_s": 600.0,
        "source_path": None,
    }
    return Run(**(given | facts))


def arriving(
    run: Run,
    points: Mapping[Series, Columns] | None = None,
    files: Mapping[str, bytes] | None = None,
    **facts: Any,
) -> ArrivingRun:
    """A run with points and files."""
    given = {LOSS: columns([0.9, 0.5])} if points is None else points

    def pieces() -> Iterator[tuple[Series, Columns]]:
        yield from given.items()

    def the_files() -> Iterator[ArrivingFile]:
        for name, content in (files or {}).items():
            yield ArrivingFile(name=name, open=lambda content=content: io.BytesIO(content))  # type: ignore[misc]

    given_facts: dict[str, Any] = {"experiment": "elsewhere", "pieces": pieces, "files": the_files} | facts
    return ArrivingRun(run=run, **given_facts)
