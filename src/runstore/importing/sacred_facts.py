"""What Sacred says of a run, in whatever place it is kept: facts, metrics, how it ended.

=============================  ======================================================================================
in Sacred                      here
=============================  ======================================================================================
experiment's name              the experiment
configuration                  the configuration
metrics                        points with their times
``COMPLETED``                  ``completed``
``FAILED``                     ``failed``, with the last lines of what was raised
``INTERRUPTED``, ``TIMEOUT``   ``interrupted``
``RUNNING``                    ``in_progress``; so is ``QUEUED``, of a run that has begun
result, command, host          provenance
=============================  ======================================================================================
"""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from runstore.errors import SourceError
from runstore.importing.facts import Origin, cleaned, run_of
from runstore.importing.folding import fit_name, fit_text
from runstore.importing.gathering import Point
from runstore.importing.report import RunFindings, Told
from runstore.model import Run, RunFailure, RunStatus, to_microseconds

FORMAT: Final = "sacred"
_RUNS: Final = uuid.UUID("1c9a5b0e-94d4-5b0c-8d4e-0f7b6a2e5d33")
"""Namespace of the ids of runs that come from Sacred. It must never change: a second import must find what the first made."""

_OUTSIDE_US: Final = 2**62
_STATUSES: Final = {
    "COMPLETED": RunStatus.COMPLETED, "FAILED": RunStatus.FAILED, "INTERRUPTED": RunStatus.INTERRUPTED,
    "TIMEOUT": RunStatus.INTERRUPTED, "RUNNING": RunStatus.IN_PROGRESS, "QUEUED": RunStatus.IN_PROGRESS,
}  # fmt: skip


class Metric(NamedTuple):
    """One metric of a run, as it stands."""

    steps: list[Any]
    values: list[Any]
    timestamps: list[Any]


def has_begun(facts: Mapping[str, Any], found: RunFindings) -> bool:
    """Whether a run has begun; one that only waits in a queue is left out, and told."""
    if facts.get("status") == "QUEUED" and facts.get("start_time") is None:
        found.tell(Told.LEFT_OUT, "waits in a queue and has not begun, and is left out")
        return False
    return True


def experiment_of(facts: Mapping[str, Any], found: RunFindings) -> str:
    """The experiment's name."""
    told = facts.get("experiment")
    name = told.get("name") if isinstance(told, dict) else None
    return fit_name(str(name or "sacred"), found, what="the experiment")


def run_in(  # noqa: PLR0913 - each is a fact of its own
    facts: Mapping[str, Any], found: RunFindings, *, experiment: str, name: str, source: str, place: str
) -> Run:
    """The run of which these are the facts.

    Args:
        facts: as Sacred has them.
        found: what is told of the run.
        experiment: the name, as every store takes it.
        name: the run's number.
        source: the whole, without secrets.
        place: of the facts, for errors.

    Raises:
        SourceError: it has no start.
    """
    status = _STATUSES.get(str(facts.get("status")), RunStatus.INTERRUPTED)
    start_us = _time_us(facts.get("start_time"))
    if start_us == _OUTSIDE_US:
        raise SourceError(f"{place}: the start_time is {facts.get('start_time')!r}, which is no time")
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
        Origin(namespace=_RUNS, format=FORMAT, source=source, id=f"{experiment}/{facts.get('start_time')}/{name}"),
        found,
        experiment=experiment,
        name=name,
        status=status,
        start_us=start_us,
        last_us=next((each for each in ends if each != _OUTSIDE_US), start_us),
        provenance={"sacred": {key: cleaned(value) for key, value in kept.items() if value is not None}},
        failure=failure,
    )


def metric_of(key: str, told: object, found: RunFindings, *, place: str) -> Metric:
    """A metric, checked; its values that are no numbers are told.

    Raises:
        SourceError: it has not as many steps as values and times, or a step is no number.
    """
    columns = [told.get(each) if isinstance(told, dict) else None for each in Metric._fields]
    steps, values, times = (each if isinstance(each, list) else None for each in columns)
    if steps is None or values is None or times is None or not len(steps) == len(values) == len(times):
        raise SourceError(f"{place}: the metric {key!r} has not as many steps, values and timestamps as each other")
    if not all(isinstance(step, int) or (isinstance(step, float) and step - step == 0) for step in steps):
        raise SourceError(f"{place}: the metric {key!r} has a step that is no number")
    count = sum(not isinstance(value, (int, float)) for value in values)
    if count:
        found.tell(Told.NO_NUMBERS, f"{count} × a text, a list or the like, which is left out", key=key, count=count)
    return Metric(steps, values, times)


def points_of(metrics: Mapping[str, Metric]) -> Iterator[Point]:
    """The points of metrics that were checked; what is no number is left out."""
    for key, metric in metrics.items():
        for step, value, time in zip(*metric, strict=True):
            if isinstance(value, (int, float)):
                yield key, step, _float(value), _time_us(time)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _time_us(told: object) -> int:
    """Microseconds of a time; Sacred's have no zone and are UTC."""
    try:
        moment = told if isinstance(told, datetime) else datetime.fromisoformat(told)  # type: ignore[arg-type]  # what is no text is told as none
        return to_microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, TypeError, OverflowError):
        return _OUTSIDE_US
