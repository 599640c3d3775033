"""Folders of Sacred's FileStorageObserver, ``<number>/run.json``, ``config.json``, ``metrics.json``, read without Sacred.

=============================  ======================================================================================
in Sacred                      here
=============================  ======================================================================================
experiment's name              the experiment
a run's folder                 a run, called as its folder. Its id is made of the experiment, the start and the folder's name
configuration                  the configuration
metrics                        points with their times
``COMPLETED``                  ``completed``
``FAILED``                     ``failed``, with the last lines of what was raised
``INTERRUPTED``, ``TIMEOUT``   ``interrupted``
``RUNNING``, ``QUEUED``        ``in_progress``
result                         provenance
other files in the folder      artifacts
=============================  ======================================================================================
"""

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import msgspec

from runstore.errors import SourceError
from runstore.importing.facts import Origin, cleaned, config_of, run_of, series_of
from runstore.importing.folding import fit_name, fit_text
from runstore.importing.gathering import Point, Spans, gathered
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.source import Source, arriving_files, bytes_of, folders_with
from runstore.model import Run, RunFailure, RunStatus, to_microseconds
from runstore.moving import ArrivingFile, ArrivingRun

FORMAT: Final = "sacred"
_RUNS: Final = uuid.UUID("1c9a5b0e-94d4-5b0c-8d4e-0f7b6a2e5d33")
"""Namespace of the ids of runs that come from Sacred. It must never change: a second import must find what the first made."""

_RUN: Final = "run.json"
_OWN: Final = frozenset({_RUN, "config.json", "metrics.json"})
_MOST_FACTS: Final = 16 * 2**20
_MOST_METRICS: Final = 2**30
_OUTSIDE_US: Final = 2**62
_STATUSES: Final = {
    "COMPLETED": RunStatus.COMPLETED, "FAILED": RunStatus.FAILED, "INTERRUPTED": RunStatus.INTERRUPTED,
    "TIMEOUT": RunStatus.INTERRUPTED, "RUNNING": RunStatus.IN_PROGRESS, "QUEUED": RunStatus.IN_PROGRESS,
}  # fmt: skip


class _Metric(NamedTuple):
    steps: list[Any]
    values: list[Any]
    timestamps: list[Any]


class SacredFolder(Source):
    """A folder with those of runs, or one run's."""

    format = FORMAT

    def __init__(self, place: Path, folders: Sequence[Path], named: Sequence[Path]) -> None:
        """Reads nothing yet.

        Args:
            place: what was given.
            folders: those of runs.
            named: to whose files links are followed.
        """
        self._folders = folders
        self._named = named
        self.shown = os.path.abspath(place)  # noqa: PTH100 - what a link leads to may be called otherwise

    @classmethod
    def at(cls, place: Path, named: Sequence[Path] = ()) -> Self | None:
        """The source, if a path is one."""
        folders = [folder for folder in folders_with(place, _RUN.__eq__) if (folder / "config.json").is_file()]
        return cls(place, folders, named) if folders else None

    def count(self) -> int:
        """How many folders there are."""
        return len(self._folders)

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each folder."""
        for folder in self._folders:
            found = findings.of(folder.name)
            try:
                yield self._run(folder, found)
            except SourceError as error:
                found.tell(Told.UNREADABLE, str(error))

    def _run(self, folder: Path, found: RunFindings) -> ArrivingRun:
        facts = _mapping(folder / _RUN, _MOST_FACTS)
        config = _mapping(folder / "config.json", _MOST_FACTS)
        told = facts.get("experiment")
        name = told.get("name") if isinstance(told, dict) else None
        experiment = fit_name(str(name or "sacred"), found, what="the experiment")
        metrics = _metrics(folder / "metrics.json", found)
        spans = Spans()
        for key, step, _, _ in _points(metrics):
            spans.take(key, step)
        run = _facts_of(facts, folder, experiment, self.shown, found)
        series = series_of(spans, found)
        start_us = to_microseconds(run.start_time)
        # The points are held: the whole file is one value of JSON.
        return ArrivingRun(
            experiment=experiment,
            run=run,
            config=config_of(config, found),
            pieces=lambda: gathered(_points(metrics), spans, series, found, instead_us=start_us),
            files=lambda: self._files(folder, found),
        )

    def _files(self, folder: Path, found: RunFindings) -> Iterator[ArrivingFile]:
        return (each for each in arriving_files(folder, found, self._named) if each.name not in _OWN)


def _facts_of(facts: dict[str, Any], folder: Path, experiment: str, source: str, found: RunFindings) -> Run:
    status = _STATUSES.get(str(facts.get("status")), RunStatus.INTERRUPTED)
    start_us = _time_us(facts.get("start_time"))
    if start_us == _OUTSIDE_US:
        raise SourceError(f"{folder / _RUN}: the start_time is {facts.get('start_time')!r}, which is no time")
    ends = [_time_us(facts.get(key)) for key in ("stop_time", "heartbeat")]
    failure = None
    if status is RunStatus.FAILED:
        trace = facts.get("fail_trace")
        lines = [fit_text(str(line)) for line in trace] if isinstance(trace, list) else []
        message = lines[-1].strip()[:1000] if lines else "Sacred kept that the run failed"
        failure = RunFailure(type="Sacred", message=message, traceback="".join(lines)[-10_000:])
    host = facts.get("host")
    known = {key: host.get(key) for key in ("hostname", "cpu", "python_version")} if isinstance(host, dict) else {}
    kept = {"result": facts.get("result"), "command": facts.get("command"), **known}
    return run_of(
        Origin(
            namespace=_RUNS, format=FORMAT, source=source, id=f"{experiment}/{facts.get('start_time')}/{folder.name}"
        ),
        found,
        experiment=experiment,
        name=folder.name,
        status=status,
        start_us=start_us,
        last_us=next((each for each in ends if each != _OUTSIDE_US), start_us),
        provenance={"sacred": {key: cleaned(value) for key, value in kept.items() if value is not None}},
        failure=failure,
    )


def _metrics(path: Path, found: RunFindings) -> dict[str, _Metric]:
    metrics: dict[str, _Metric] = {}
    for key, told in (_mapping(path, _MOST_METRICS) if path.exists() else {}).items():
        columns = [told.get(each) if isinstance(told, dict) else None for each in _Metric._fields]
        steps, values, times = (each if isinstance(each, list) else None for each in columns)
        if steps is None or values is None or times is None or not len(steps) == len(values) == len(times):
            raise SourceError(f"{path}: the metric {key!r} has not as many steps, values and timestamps as each other")
        if not all(isinstance(step, int) or (isinstance(step, float) and step - step == 0) for step in steps):
            raise SourceError(f"{path}: the metric {key!r} has a step that is no number")
        count = sum(not isinstance(value, (int, float)) for value in values)
        if count:
            found.tell(
                Told.NO_NUMBERS, f"{count} × a text, a list or the like, which is left out", key=key, count=count
            )
        metrics[key] = _Metric(steps, values, times)
    return metrics


def _points(metrics: dict[str, _Metric]) -> Iterator[Point]:
    for key, metric in metrics.items():
        for step, value, time in zip(*metric, strict=True):
            if isinstance(value, (int, float)):
                yield key, step, _float(value), _time_us(time)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _mapping(path: Path, most: int) -> dict[str, Any]:
    data = bytes_of(path, most)
    try:
        try:
            value = msgspec.json.decode(data)
        except msgspec.MsgspecError:  # NaN, as Python writes it
            value = json.loads(data)
    except json.JSONDecodeError as error:
        raise SourceError(f"{path}:{error.lineno}: is no JSON, or is cut off: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise SourceError(f"{path}: is no mapping of names to values")
    return value


def _time_us(text: object) -> int:
    """Microseconds of a time; Sacred's have no zone and are UTC."""
    try:
        moment = datetime.fromisoformat(text)  # type: ignore[arg-type]  # what is no text is told as none
        return to_microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, TypeError, OverflowError):
        return _OUTSIDE_US
