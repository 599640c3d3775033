"""The points of many series as one long table: a row a point."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from runstore.errors import InvalidValueError, RunNotFoundError
from runstore.frames.columns import Kind, numbers, words
from runstore.frames.frame import Frame, check_library, converted
from runstore.frames.sources import Source
from runstore.frames.unknown import tell_unknown_metrics
from runstore.model import DatasetType, History, Run, SeriesSummary
from runstore.query.advice import dataset_type_meant, word_meant
from runstore.series.columns import Series
from runstore.series.sampling import check_sample_size
from runstore.values.checks import check_dataset_type, check_name, check_run_ids, check_step, shown

Runs = str | Run | Iterable[str | Run]
"""One run or several, each as a person names it or as it was read."""
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

    given = _given(runs)
    wanted = None if metrics is None else _checked(metrics)
    run_names, names, kinds, counts = list[str](), list[str](), list[str](), list[int]()
    steps, values, times = array("q"), array("d"), array("q")
    series = _all_series(reader, given)
    if wanted is not None:
        there_are = {(each.name, str(each.dataset_type)) for found in series.values() for each in found}
        _advise(wanted, there_are)
        tell_unknown_metrics(wanted, there_are)
    for run_id, name, dataset_type in _chosen(series, wanted):
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


def _given(runs: Runs) -> dict[str, bool]:
    """What stands for each run, and whether somebody wrote it: else the run was read, and its id is sure."""
    if isinstance(runs, (str, Run)):
        runs = [runs]
    if not isinstance(runs, Iterable):
        raise InvalidValueError(
            f"runs is {shown(runs)} of type {type(runs).__name__}; give a run's id, or several{_id_of(runs)}"
        )
    each = [(run.id, False) if isinstance(run, Run) else (run, True) for run in runs]
    for run, is_written in each:
        if is_written and not isinstance(run, str) and _id_of(run):
            raise InvalidValueError(f"runs has {shown(run)} of type {type(run).__name__}; give a run's id{_id_of(run)}")
    check_run_ids([text for text, _ in each])
    return dict(each)


def _id_of(run: object) -> str:
    """What to write instead of something that has an id, such as the run that ``start_run`` gives."""
    return ": the id of this one is its attribute id" if isinstance(getattr(run, "id", None), str) else ""


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
    """Whether this is a name and what was meant as a dataset type; two names make a list."""
    match metrics:
        case (str(), str(kind)) if isinstance(metrics, tuple):
            return bool(word_meant(kind)) or kind in set(DatasetType)
    return False


def _no_metric(field: str, found: object) -> InvalidValueError:
    return InvalidValueError(
        f"{field} is {shown(found)} of type {type(found).__name__}; give a metric's name, such as 'loss', or a name and a "
        "dataset type, such as ('loss', 'train')"
    )


def _all_series(reader: Source, given: Mapping[str, bool]) -> dict[str, tuple[SeriesSummary, ...]]:
    """The series of each run, run by run as asked for; what was read and is gone by now is left out.

    Raises:
        RunNotFoundError: what somebody wrote means no run.
        InvalidValueError: it means several.
    """
    found = _summaries(reader, list(given))
    meant = {text: reader.resolve_run(text) for text, is_written in given.items() if is_written and text not in found}
    found |= _summaries(reader, [run_id for run_id in meant.values() if run_id not in found])
    run_ids = dict.fromkeys(meant.get(text, text) for text in given)
    return {run_id: found[run_id] for run_id in run_ids if run_id in found}


def _summaries(reader: Source, run_ids: Sequence[str]) -> dict[str, tuple[SeriesSummary, ...]]:
    found: dict[str, tuple[SeriesSummary, ...]] = {}
    for first in range(0, len(run_ids), _RUNS_A_READ):
        found |= reader.get_summaries_of(run_ids[first : first + _RUNS_A_READ])
    return found


def _chosen(
    series: Mapping[str, Sequence[SeriesSummary]], wanted: Sequence[tuple[str, str | None]] | None
) -> Iterator[tuple[str, str, DatasetType]]:
    """The series to be read, run by run, within a run by name and dataset type."""
    for run_id, summaries in series.items():
        for each in summaries:
            kind = str(each.dataset_type)
            if wanted is None or (each.name, None) in wanted or (each.name, kind) in wanted:
                yield run_id, each.name, each.dataset_type


def _advise(wanted: Sequence[tuple[str, str | None]], there_are: AbstractSet[tuple[str, str]]) -> None:
    """Refuses a name that no run has a series of, where it says a dataset type: a pair was meant.

    Raises:
        InvalidValueError: names the pair.
    """
    names = {name for name, _ in there_are}
    for asked, kind in wanted:
        if kind is not None or asked in names or not names:
            continue
        if word_meant(asked):
            raise InvalidValueError(
                f"no metric of these runs has the name {asked!r}, which is a dataset type; name a metric and its dataset "
                f"type as a pair: ('loss', {word_meant(asked)!r})"
            )
        kind_meant, name_meant = dataset_type_meant(asked)
        if (name_meant, kind_meant) in there_are:
            raise InvalidValueError(
                f"no metric of these runs has the name {asked!r}; did you mean {(name_meant, kind_meant)!r}? A metric is "
                "kept by its name and its dataset type"
            )
