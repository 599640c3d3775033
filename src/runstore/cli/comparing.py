"""What tells runs apart: their settings, tags and origin, and what their metrics came to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from runstore.cli.series import series_text
from runstore.frames.runs import leaves
from runstore.model import Run, SeriesSummary
from runstore.protocol import RunReader
from runstore.texts import best_of, best_point

_ATTRIBUTES: Final = ("training_mode", "attempt", "parent_run_id", "client_id", "source_path", "note")
_OF_ONE_PROCESS: Final = ("process.pid",)
"""Of a run's origin: what is another one each time, and tells nothing."""


class Row(NamedTuple):
    """A key of one of the sections, and its value in each run: missing where the run has none.

    Attributes:
        section: ``config``, ``tag``, ``provenance`` or ``run``.
        key: within it.
        values: by the run's id.
    """

    section: str
    key: str
    values: Mapping[str, Any]


class MetricRow(NamedTuple):
    """What a metric came to in each run.

    Attributes:
        series: ``validation/auroc``.
        stat: which of its values it is: ``min`` or ``max``, of which one is the best; or ``last``, of which none is.
        values: by the run's id; no value is missing.
        best: the ids of the runs with the best value.
    """

    series: str
    stat: str
    values: Mapping[str, float]
    best: Sequence[str]


class Compared(NamedTuple):
    """Runs side by side."""

    runs: Sequence[Run]
    experiments: Mapping[str, str]
    rows: Sequence[Row]
    metrics: Sequence[MetricRow]


def compare(
    reader: RunReader,
    runs: Sequence[Run],
    *,
    is_all: bool,
    stats: Callable[[Iterable[SeriesSummary]], Mapping[tuple[str, str], str]],
) -> Compared:
    """The runs side by side.

    Args:
        reader: where they are.
        runs: at least two.
        is_all: also what is the same in all of them.
        stats: which value of a series counts, where somebody has said it; otherwise its name says it.
    """
    ids = [run.id for run in runs]
    configs, summaries = reader.get_configs(ids), reader.get_summaries_of(ids)
    names = {each: reader.get_experiment(each).name for each in {run.experiment_id for run in runs}}
    sections: dict[str, dict[str, Mapping[str, Any]]] = {
        "config": {run.id: dict(leaves(configs.get(run.id, {}), "")) for run in runs},
        "tag": {run.id: run.tags for run in runs},
        "run": {run.id: _attributes(run, names[run.experiment_id]) for run in runs},
        "provenance": {run.id: dict(leaves(run.provenance, "")) for run in runs},
    }
    rows = [row for section, values in sections.items() for row in _rows(section, values, is_all=is_all)]
    said = stats([each for run_id in ids for each in summaries.get(run_id, ())])
    return Compared(runs, names, rows, _metrics({each: summaries.get(each, ()) for each in ids}, said))


def _attributes(run: Run, experiment: str) -> dict[str, Any]:
    values = {name: getattr(run, name) for name in _ATTRIBUTES}
    return {"experiment": experiment} | {name: value for name, value in values.items() if value is not None}


def _rows(section: str, values: Mapping[str, Mapping[str, Any]], *, is_all: bool) -> list[Row]:
    found = []
    for key in dict.fromkeys(key for of_run in values.values() for key in of_run):
        row = Row(section, key, {run_id: of_run[key] for run_id, of_run in values.items() if key in of_run})
        is_noise = section == "provenance" and key in _OF_ONE_PROCESS
        if is_all or (_differs(row, len(values)) and not is_noise):
            found.append(row)
    return found


def _differs(row: Row, count: int) -> bool:
    """Whether not all runs have the same value; 1, 1.0 and true are three."""
    return len(row.values) < count or len({(type(value), repr(value)) for value in row.values.values()}) > 1


def _metrics(summaries: Mapping[str, Sequence[SeriesSummary]], said: Mapping[tuple[str, str], str]) -> list[MetricRow]:
    by_series: dict[tuple[str, str], dict[str, SeriesSummary]] = {}
    for run_id, of_run in summaries.items():
        for each in of_run:
            by_series.setdefault((each.name, str(each.dataset_type)), {})[run_id] = each
    return [_metric(of_runs, said.get(key) or best_of(key[0])) for key, of_runs in sorted(by_series.items())]


def _metric(of_runs: Mapping[str, SeriesSummary], stat: str) -> MetricRow:
    points = {
        run_id: summary.last if stat == "last" else best_point(summary, stat) for run_id, summary in of_runs.items()
    }
    values = {run_id: point.value for run_id, point in points.items() if point is not None}
    best: list[str] = []
    if stat != "last" and len(values) > 1:
        top = min(values.values()) if stat == "min" else max(values.values())
        best = [run_id for run_id, value in values.items() if value == top]
    return MetricRow(series_text(next(iter(of_runs.values()))), stat, values, best)
