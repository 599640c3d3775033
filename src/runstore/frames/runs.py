"""Runs as a table: a row a run, a column a field of the filter language."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, NamedTuple

from runstore.errors import ExperimentNotFoundError, InvalidValueError
from runstore.frames.columns import Kind, column_of
from runstore.frames.frame import Frame, check_library, converted
from runstore.frames.sources import Source
from runstore.frames.unknown import tell_unknown_columns
from runstore.model import DatasetType, Page, Run, SeriesSummary
from runstore.query.parser import parse_field
from runstore.query.spelling import spelt
from runstore.query.tree import STATISTICS, ArtifactName, Attribute, ConfigKey, Field, Metric, Tag
from runstore.query.walking import page_by_page
from runstore.values.checks import shown
from runstore.values.config import escape_key

DEFAULT_COLUMNS: Final = (
    "id",
    "name",
    "experiment",
    "status",
    "start_time",
    "duration",
    "tag.*",
    "config.*",
    "metric.*",
)

_RUNS_A_READ: Final = 1000
_FEW_EXPERIMENTS: Final = 3
_GROUP: Final = re.compile(
    rf"(?P<table>tag|config|metric)(?:\.(?P<kind>{'|'.join(DatasetType)}))?\.\*(?:\.(?P<stat>{'|'.join(STATISTICS)}))?"
)
_KINDS: Final = {
    "attempt": Kind.INT,
    "start_time": Kind.TIME,
    "end_time": Kind.TIME,
    "duration": Kind.FLOAT,
    "archived": Kind.BOOL,
}


class _Facts(NamedTuple):
    """What is known of a run."""

    run: Run
    experiment: str | None
    config: Mapping[str, Any]
    summaries: Mapping[tuple[str, str], SeriesSummary]


class _Group(NamedTuple):
    """All keys of a kind that the runs have: ``config.*``, ``tag.*``, ``metric.*``, ``metric.validation.*.max``."""

    table: str
    dataset_type: str | None
    stat: str

    def fields(self, facts: _Facts) -> Iterator[Field]:
        """Those of one run."""
        match self.table:
            case "tag":
                yield from map(Tag, facts.run.tags)
            case "config":
                yield from map(ConfigKey, facts.config)
            case _:
                for name, kind in facts.summaries:
                    if self.dataset_type in {None, kind}:
                        yield Metric(kind, name, self.stat)


class _Column:
    """The values of one column, run by run."""

    def __init__(self, name: str, field: Field) -> None:
        self.name = name
        self.kind = _kind_of(field)
        self.value = _reading(field)
        self.values: list[Any] = []


def runs_frame(  # noqa: PLR0913 - the arguments of the read
    reader: Source,
    filter: str | None,  # noqa: A002 - the protocol's name
    *,
    experiment_id: str | None,
    columns: Sequence[str] | None,
    order_by: Sequence[str],
    limit: int | None,
    as_: str | None,
) -> Any:
    """The table of :meth:`runstore.protocol.RunReader.runs_frame`: three reads a page, however many columns there are."""
    library = check_library(as_)
    table = _Table([_asked(name) for name in _names(DEFAULT_COLUMNS if columns is None else columns)])
    experiments: dict[str, str] = {}

    def read(size: int, cursor: str | None) -> Page[Run]:
        return reader.search_runs(filter, experiment_id=experiment_id, order_by=order_by, limit=size, cursor=cursor)

    for page in page_by_page(read, limit=limit):
        table.add(_facts_of(reader, page.items, table, experiments))
    tell_unknown_columns(reader, table.empty())
    return converted(table.frame(), library)


def frame_of_runs(reader: Source, runs: Sequence[Run], columns: Sequence[str] | None = None) -> Frame:
    """The same table of runs that were read already; says nothing of columns that none of them has."""
    table = _Table([_asked(name) for name in _names(DEFAULT_COLUMNS if columns is None else columns)])
    experiments: dict[str, str] = {}
    for first in range(0, len(runs), _RUNS_A_READ):
        table.add(_facts_of(reader, runs[first : first + _RUNS_A_READ], table, experiments))
    return table.frame()


class _Table:
    """The columns that were asked for, filled page by page; a group's columns are found on the way."""

    def __init__(self, asked: Sequence[tuple[str, Field | _Group]]) -> None:
        self._asked = asked
        self._length = 0
        self._found: list[dict[Field, _Column]] = [
            {} if isinstance(what, _Group) else {what: _Column(name, what)} for name, what in asked
        ]
        wanted = [what for _, what in asked]
        self.needs_experiment = Attribute("experiment") in wanted
        self.needs_config = any(isinstance(each, ConfigKey) or _is_group(each, "config") for each in wanted)
        self.needs_summaries = any(isinstance(each, Metric) or _is_group(each, "metric") for each in wanted)

    def add(self, page: Sequence[_Facts]) -> None:
        """Puts runs behind those that are there."""
        for (_, what), found in zip(self._asked, self._found, strict=True):
            if isinstance(what, _Group):
                for field in dict.fromkeys(field for facts in page for field in what.fields(facts)):
                    if field not in found:
                        found[field] = _Column(spelt(field), field)
                        found[field].values = [None] * self._length
            for column in found.values():
                column.values.extend(map(column.value, page))
        self._length += len(page)

    def empty(self) -> Iterator[Field]:
        """The fields that were asked for and that no run of the table has."""
        for (_, what), found in zip(self._asked, self._found, strict=True):
            if self._length and not isinstance(what, _Group) and all(each is None for each in found[what].values):
                yield what

    def frame(self) -> Frame:
        """The table; a field that was asked for twice stands where it was asked for first."""
        columns: dict[Field, _Column] = {}
        for found in self._found:
            for field, column in sorted(found.items(), key=lambda item: item[1].name):
                columns.setdefault(field, column)
        made = [column_of(column.name, column.values, column.kind) for column in columns.values()]
        return Frame(made, length=self._length)


def _names(columns: object) -> list[str]:
    if isinstance(columns, str):
        columns = [columns]
    if not isinstance(columns, Sequence) or not all(isinstance(name, str) for name in columns):
        raise InvalidValueError(
            f"columns is {shown(columns)} of type {type(columns).__name__}; give a list of fields, such as "
            "['name', 'config.lr', 'metric.validation.auroc.max', 'tag.*']"
        )
    return list(columns)


def _asked(name: str) -> tuple[str, Field | _Group]:
    name = name.strip()
    group = _GROUP.fullmatch(name)
    if group is not None and (group["table"] == "metric" or not (group["kind"] or group["stat"])):
        return name, _Group(group["table"], group["kind"], group["stat"] or "last")
    field = parse_field(name, "column")
    if isinstance(field, ArtifactName):
        raise InvalidValueError("artifact is no column, for a run has many; list_artifacts gives those of one run")
    return name, field


def _is_group(wanted: Field | _Group, table: str) -> bool:
    return isinstance(wanted, _Group) and wanted.table == table


def _facts_of(reader: Source, runs: Sequence[Run], table: _Table, names: dict[str, str]) -> list[_Facts]:
    """What the table needs of these runs; ``names`` keeps those of the experiments from page to page."""
    ids = [run.id for run in runs]
    configs = reader.get_configs(ids) if table.needs_config else {}
    summaries = reader.get_summaries_of(ids) if table.needs_summaries else {}
    if table.needs_experiment:
        _name(reader, {run.experiment_id for run in runs} - names.keys(), names)
    return [
        _Facts(
            run,
            names.get(run.experiment_id),
            dict(leaves(configs.get(run.id, {}), "")),
            {(each.name, str(each.dataset_type)): each for each in summaries.get(run.id, ())},
        )
        for run in runs
    ]


def _name(reader: Source, unnamed: set[str], names: dict[str, str]) -> None:
    if len(unnamed) <= _FEW_EXPERIMENTS:
        for each in unnamed:
            with suppress(ExperimentNotFoundError):  # deleted since its run was read
                names[each] = reader.get_experiment(each).name
        return
    cursor = None
    while True:
        page = reader.list_experiments(limit=_RUNS_A_READ, cursor=cursor)
        names.update({each.id: each.name for each in page.items})
        cursor = page.next_cursor
        if cursor is None:
            return


def leaves(config: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """The values of a config by their flattened keys, as :func:`runstore.values.config.flatten_config` finds them."""
    for name, value in config.items():
        key = f"{prefix}{_escaped(name)}"
        if type(value) is dict and value:
            yield from leaves(value, f"{key}.")
        else:
            yield key, value


_escaped: Final = lru_cache(maxsize=4096)(escape_key)


def _kind_of(field: Field) -> Kind | None:
    """What a column holds, whatever the runs have; of a setting it is seen when all values are there."""
    match field:
        case Attribute(name):
            return _KINDS.get(name, Kind.TEXT)
        case Tag():
            return Kind.TEXT
        case Metric(stat=stat):
            return Kind.INT if stat == "count" else Kind.FLOAT
        case _:
            return None


def _reading(field: Field) -> Callable[[_Facts], Any]:  # noqa: PLR0911 - one return a kind of field
    match field:
        case Attribute("experiment"):
            return lambda facts: facts.experiment
        case Attribute("status"):
            return lambda facts: facts.run.status.value
        case Attribute("duration"):
            return lambda facts: facts.run.duration_s
        case Attribute("archived"):
            return lambda facts: facts.run.archived_at is not None
        case Attribute(name):
            return lambda facts: getattr(facts.run, name)
        case Tag(key):
            return lambda facts: facts.run.tags.get(key)
        case ConfigKey(key):
            return lambda facts: facts.config.get(key)
        case Metric(dataset_type, name, stat):
            series = name, dataset_type
            return lambda facts: _statistic(facts.summaries.get(series), stat)
        case _:
            raise TypeError(f"{field} is no column")


def _statistic(summary: SeriesSummary | None, stat: str) -> float | int | None:
    if summary is None:
        return None
    if stat == "count":
        return summary.count
    point = getattr(summary, stat)
    return None if point is None else point.value
