"""The points of many series as one long table: a row a point."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from runstore.errors import InvalidValueError, RunNotFoundError
from runstore.frames.columns import Kind, numbers, words
from runstore.frames.frame import Frame, check_library, converted
from runstore.frames.sources import Source
from runstore.model import DatasetType, History, Run
from runstore.series.columns import Series
from runstore.series.sampling import check_sample_size
from runstore.values.checks import check_dataset_type, check_name, check_run_ids, check_step, shown

Runs = str | Run | Iterable[str | Run]
"""One run or several, each by its id or as it was read."""
Metric = str | tuple[str, DatasetType | str]
"""A metric's name, which means all of its series, or the name and the dataset type of one."""

_RUNS_A_READ: Final = 1000


def history_frame(  # noqa: PLR0913 - the arguments of the read
    reader: Source,
    runs: Runs,
    metrics: Metric | Sequence[Metric] | None,
    *,
    max_points: int | None,
    min_step: int | None,
    max_step: int | None,
    as_: str | None,
) -> Any:
    """The table of :meth:`runstore.protocol.RunReader.history_frame`: a read for each series."""
    library = check_library(as_)
    most = None if max_points is None else check_sample_size(max_points)
    low = None if min_step is None else check_step(min_step, "min_step")
    high = None if max_step is None else check_step(max_step, "max_step")

    def read(run_id: str, name: str, dataset_type: DatasetType) -> History:
        if most is None:
            return reader.get_history(run_id, name, dataset_type, min_step=low, max_step=high)
        return reader.sample_history(run_id, name, dataset_type, max_points=most, min_step=low, max_step=high)

    run_ids = _run_ids(runs)
    wanted = None if metrics is None else _checked(metrics)
    run_names, names, kinds, counts = list[str](), list[str](), list[str](), list[int]()
    steps, values, times = array("q"), array("d"), array("q")
    for run_id, name, dataset_type in _series_of(reader, run_ids, wanted):
        try:
            history = read(run_id, name, dataset_type)
        except RunNotFoundError:  # it was deleted after we asked what it has
            continue
        run_names.append(run_id)
        names.append(name)
        kinds.append(str(dataset_type))
        counts.append(len(history))
        steps.extend(history.steps)
        values.extend(history.values)
        times.extend(history.logged_at_us)
    frame = Frame(
        [
            words("run_id", run_names, counts),
            words("name", names, counts),
            words("dataset_type", kinds, counts),
            numbers("step", Kind.INT, steps),
            numbers("value", Kind.FLOAT, values),
            numbers("logged_at", Kind.TIME, times),
        ]
    )
    return converted(frame, library)


def _run_ids(runs: Runs) -> list[str]:
    if isinstance(runs, (str, Run)):
        runs = [runs]
    if not isinstance(runs, Iterable):
        raise InvalidValueError(f"runs is {shown(runs)} of type {type(runs).__name__}; give a run's id, or several")
    return check_run_ids([run.id if isinstance(run, Run) else run for run in runs])


def _checked(metrics: Metric | Sequence[Metric]) -> list[tuple[str, str | None]]:
    """Each metric's name, and its dataset type if one is meant."""
    if isinstance(metrics, str) or _is_pair(metrics):
        metrics = [metrics]  # type: ignore[list-item]  # a pair is one metric
    if not isinstance(metrics, Sequence):
        raise _no_metric("metrics", metrics)
    return [_metric(metric, f"metrics[{index}]") for index, metric in enumerate(metrics)]


def _metric(metric: object, field: str) -> tuple[str, str | None]:
    if isinstance(metric, str):
        return check_name(metric, field), None
    if not isinstance(metric, tuple) or len(metric) != len(Series.__args__):  # type: ignore[attr-defined]
        raise _no_metric(field, metric)
    return check_name(metric[0], f"{field}[0]"), check_dataset_type(metric[1], f"{field}[1]")


def _is_pair(metrics: object) -> bool:
    """Whether this is a name and a dataset type; two names make a list."""
    return isinstance(metrics, tuple) and len(metrics) == 2 and metrics[1] in set(DatasetType)  # noqa: PLR2004


def _no_metric(field: str, found: object) -> InvalidValueError:
    return InvalidValueError(
        f"{field} is {shown(found)} of type {type(found).__name__}; give a metric's name, such as 'loss', or a name and a "
        "dataset type, such as ('loss', 'train')"
    )


def _series_of(
    reader: Source, run_ids: Sequence[str], wanted: Sequence[tuple[str, str | None]] | None
) -> Iterator[tuple[str, str, DatasetType]]:
    """The series to be read, run by run as asked for, within a run by name and dataset type."""
    for first in range(0, len(run_ids), _RUNS_A_READ):
        for run_id, summaries in reader.get_summaries_of(run_ids[first : first + _RUNS_A_READ]).items():
            for each in summaries:
                kind = str(each.dataset_type)
                if wanted is None or (each.name, None) in wanted or (each.name, kind) in wanted:
                    yield run_id, each.name, each.dataset_type
