"""Columns: a field of the filter language each, with what its head says and what a run has in it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from runstore.errors import QueryError
from runstore.model import Run, SeriesSummary, StepValue
from runstore.query import ArtifactName, Attribute, ConfigKey, Field, Metric, Tag, parse_field, spelt
from runstore.texts import best_of, leading_series
from runstore.values import flatten_config

Value = float | int | str | bool | datetime | None
"""What a run has in a column."""

ATTRIBUTES: Final = ("name", "status", "start_time", "duration")
"""The columns that a table has first."""

_TITLES: Final = {
    "name": "run",
    "start_time": "started",
    "end_time": "ended",
    "duration": "took",
    "parent_run_id": "parent",
    "client_id": "client",
    "training_mode": "mode",
    "source_path": "source",
}
_STATISTICS: Final = {"min": "lowest", "max": "highest", "last": "last", "first": "first", "count": "points"}
_MOST_METRICS: Final = 4
_MOST_SETTINGS: Final = 3
_LONGEST_SETTING: Final = 24


class Column(Struct, frozen=True, kw_only=True):
    """A column of the table.

    Attributes:
        text: the field as an order and a URL write it.
        title: what its head says.
        below: and in small letters below: which dataset type and statistic, or what kind of thing it is.
        best: ``"min"`` or ``"max"`` where that tells which run is best in it.
    """

    field: Field
    text: str
    title: str
    below: str = ""
    best: str | None = None

    @property
    def sorts_down_first(self) -> bool:
        """Whether the highest values are asked for first, as of times and of what is the better the higher it is."""
        if isinstance(self.field, Metric):
            return self.field.stat != "min"
        return self.text in {"start_time", "end_time", "duration", "attempt"}


def field_of(text: str) -> Column:
    """The column of a field.

    Raises:
        QueryError: there is no such field, or it is none that a column can show.
    """
    field = parse_field(text, "a column")
    match field:
        case Metric(dataset_type, name, stat):
            best = best_of(name)
            is_best = stat == best and stat in {"min", "max"}
            word = "best" if is_best else _STATISTICS[stat]
            return Column(
                field=field,
                text=spelt(field),
                title=name,
                below=f"{dataset_type}, {word}",
                best=stat if is_best else None,
            )
        case ConfigKey(key):
            parts = spelt(field).split(".")[1:]
            is_deep = len(parts) > 1 and '"' not in spelt(field)
            below = f"{'.'.join(parts[:-1])}, setting" if is_deep else "setting"
            return Column(field=field, text=spelt(field), title=parts[-1] if is_deep else key, below=below)
        case Tag(key):
            return Column(field=field, text=spelt(field), title=key, below="tag")
        case ArtifactName():
            raise QueryError("artifact is no column: a run has many; the page of a run lists them")
        case Attribute(name):
            return Column(field=field, text=name, title=_TITLES.get(name, name.replace("_", " ")))


def best_column(text: str) -> Column:
    """The column of a key in use: of a metric its best value where one is known to be best, else its last."""
    field = parse_field(text, "a key")
    return field_of(
        spelt(Metric(field.dataset_type, field.name, best_of(field.name))) if isinstance(field, Metric) else text
    )


def asked_columns(texts: Sequence[str]) -> tuple[list[Column], list[str]]:
    """The columns of these fields, and what is wrong with those that are none: one bad column hides no table."""
    columns, wrong = [], []
    for text in texts:
        try:
            columns.append(field_of(text))
        except QueryError as error:
            wrong.append(str(error))
    return columns, wrong


def default_columns(
    runs: Sequence[Run],
    summaries: Mapping[str, Mapping[tuple[str, str], SeriesSummary]],
    configs: Mapping[str, Mapping[str, Any]],
) -> list[Column]:
    """What fits these runs: their best values, the settings in which they differ, and the tags that they have."""
    leading = leading_series((summaries.get(run.id, {}) for run in runs), limit=_MOST_METRICS, each_once=True)
    metrics = [Metric(kind, name, best_of(name)) for name, kind in leading]
    settings = [ConfigKey(key) for key in _differing([configs.get(run.id, {}) for run in runs])]
    fields: list[Field] = [*map(Attribute, ATTRIBUTES), *metrics, *settings]
    return [field_of(spelt(field)) for field in fields]


def _differing(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of the first settings that are short and not the same in all runs that have settings."""
    flat = [{leaf.key: leaf.text for leaf in flatten_config(config)} for config in configs if config]
    keys = dict.fromkeys(key for each in flat for key in each)
    found: list[str] = []
    for key in keys:
        texts = {each.get(key) for each in flat}
        if len(texts) > 1 and all(len(text or "") <= _LONGEST_SETTING for text in texts):
            found.append(key)
        if len(found) == _MOST_SETTINGS:
            break
    return found


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of a run in the table."""

    run: Run
    experiment: str
    summaries: Mapping[tuple[str, str], SeriesSummary]
    settings: Mapping[str, Value]


def settings_of(config: Mapping[str, Any]) -> dict[str, Value]:
    """The settings of a config by their flattened keys; numbers stay numbers."""
    return {
        leaf.key: leaf.number if leaf.kind in {"int", "float"} and leaf.number is not None else leaf.text
        for leaf in flatten_config(config)
    }


def value_of(column: Column, facts: Facts) -> Value:
    """What a run has in a column; ``None`` for nothing."""
    match column.field:
        case Metric() as metric:
            return _statistic(metric, facts.summaries.get((metric.name, metric.dataset_type)))
        case ConfigKey(key):
            return facts.settings.get(key)
        case Tag(key):
            return facts.run.tags.get(key)
        case Attribute(name):
            return _attribute(name, facts)
        case _:
            return None


def _statistic(metric: Metric, summary: SeriesSummary | None) -> Value:
    if summary is None or metric.stat == "count":
        return None if summary is None else summary.count
    point: StepValue | None = getattr(summary, metric.stat)
    return None if point is None else float(point.value)


def _attribute(name: str, facts: Facts) -> Value:
    if name == "experiment":
        return facts.experiment
    named: Value = getattr(facts.run, {"duration": "duration_s", "archived": "archived_at"}.get(name, name))
    return str(named) if isinstance(named, str) else named
