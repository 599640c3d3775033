"""The columns of a list of runs: which there are by default, and what a person may ask for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from runstore.cli.output.tables import Column
from runstore.cli.output.text import cut
from runstore.errors import InvalidValueError
from runstore.model import Run, SeriesSummary
from runstore.query.parser import parse_field
from runstore.query.tree import ArtifactName, Attribute, ConfigKey, Field, Metric, Tag
from runstore.texts import best_of, duration_text, leading_series, number_text, time_text, time_zone
from runstore.values.config import flatten_config

_FIELDS = {"took": "duration", "started": "start_time", "ended": "end_time"}
"""Fields by what their columns are called."""

_WORDS = ("status", "training_mode", "attempt")
"""Attributes whose values are so short that to cut them would gain nothing."""

_MOST_METRICS = 4
_LONGEST_TITLE = 24
"""Of a metric's name above its column: numbers are short, and a long name must not cost the column its place."""

_BEST_GOES, _SETTINGS_GO, _TIMES_GO, _METRICS_GO, _EXPERIMENT_GOES = 2, 10, 8_000, 9_000, 9_001
"""When columns are left out: first all metrics but the best, then the experiment, then times, then the best metric."""


class Facts(NamedTuple):
    """What is known of a run in a list."""

    run: Run
    experiment: str
    summaries: Mapping[tuple[str, str], SeriesSummary]
    config: Mapping[str, str]


class Shown(NamedTuple):
    """A column, what it shows of a run, and the key in use that it is about, if it is about one."""

    column: Column
    text: Callable[[Facts], str]
    field: Field | None = None


def default_columns(
    runs: Sequence[Facts], *, is_narrow: bool = False, settings: Sequence[str] = (), as_tree: bool = False
) -> list[Shown]:
    """The id, how the run stands, and the best values of the metrics that most runs have.

    Args:
        runs: what is listed.
        is_narrow: whether there is little room: the year of a start is left out where all runs began this year.
        settings: the flattened keys of settings that are shown as well, rather than times.
        as_tree: whether ids are indented: then a name tells more than a status.
    """
    this_year = datetime.now(UTC).astimezone().year
    leaves_year = is_narrow and all(facts.run.start_time.astimezone().year == this_year for facts in runs)

    def started(facts: Facts) -> str:
        text = time_text(facts.run.start_time, to_seconds=False)
        return text.partition("-")[2] if leaves_year else text

    # The newest stand first in any case; what a list is looked at for is which run is the best. See decision 0054.
    later = _TIMES_GO if settings else 0
    columns = [
        Shown(Column("run"), lambda facts: facts.run.id),
        Shown(Column("name", may_be_cut=True, goes=0 if as_tree else 1), lambda facts: facts.run.name or ""),
        Shown(Column("status", goes=1 if as_tree else 0), lambda facts: facts.run.status.value),
        Shown(Column(f"started\n({time_zone()})", goes=3 + later), started),
        Shown(Column("took", goes=4 + later, is_number=True), lambda facts: duration_text(facts.run)),
    ]
    if len({facts.run.experiment_id for facts in runs}) > 1:
        columns.insert(
            2, Shown(Column("experiment", may_be_cut=True, goes=_EXPERIMENT_GOES), lambda facts: facts.experiment)
        )
    columns += [_setting(ConfigKey(key), goes=_SETTINGS_GO + number) for number, key in enumerate(settings)]
    for number, (name, kind) in enumerate(leading_series((facts.summaries for facts in runs), limit=_MOST_METRICS)):
        goes = _METRICS_GO + number if number or settings else _BEST_GOES
        columns.append(_metric(Metric(kind, name, best_of(name)), goes=goes))
    return columns


def settings_that_differ(runs: Sequence[Facts]) -> list[str]:
    """The flattened keys of the settings whose values are not the same in all runs that have settings, as they come."""
    keys = dict.fromkeys(key for facts in runs for key in facts.config)
    return [key for key in keys if len({facts.config.get(key) for facts in runs if facts.config}) > 1]


def asked_columns(asked: Iterable[str]) -> list[Shown]:
    """The columns that somebody asked for, behind the id.

    Raises:
        QueryError: one is unknown; says what there is.
    """
    names = [name.strip() for text in asked for name in _split(text)]
    return [
        Shown(Column("run"), lambda facts: facts.run.id),
        *(_asked(name) for name in names if name and name != "run"),
    ]


def csv_fields(asked: Iterable[str]) -> list[str]:
    """The fields that columns of these names are about, the id before them, as the filter language writes them."""
    names = [name.strip() for text in asked for name in _split(text)]
    return ["id", *(_FIELDS.get(name, name) for name in names if name and name not in {"run", "id"})]


def _split(text: str) -> list[str]:
    """The names between commas; a comma in double quotes belongs to a name."""
    parts, is_quoted = [""], False
    for character in text:
        is_quoted ^= character == '"'
        if character == "," and not is_quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _asked(name: str) -> Shown:
    name = _FIELDS.get(name, name)
    if name == "duration":
        return Shown(Column("took", is_number=True), lambda facts: duration_text(facts.run))
    if name == "experiment":
        return Shown(Column("experiment", may_be_cut=True), lambda facts: facts.experiment)
    field = parse_field(name, "--columns")
    if isinstance(field, Metric):
        return _metric(field)._replace(field=field)
    if isinstance(field, Tag):
        return Shown(Column(f"tag\n{field.key}"), lambda facts: facts.run.tags.get(field.key, ""), field)
    if isinstance(field, ConfigKey):
        return _setting(field)
    if isinstance(field, ArtifactName):
        raise InvalidValueError("--columns: artifact is no column; `runstore show` lists a run's artifacts")
    return _attribute(field)


def _setting(field: ConfigKey, *, goes: int = 0) -> Shown:
    column = Column(f"config\n{field.key}", may_be_cut=goes > 0, goes=goes, cuts_others=goes > 0)
    return Shown(column, lambda facts: facts.config.get(field.key, ""), field)


def _attribute(field: Attribute) -> Shown:
    if field.name in {"start_time", "end_time"}:
        title = {"start_time": "started", "end_time": "ended"}[field.name]
        column = Column(f"{title}\n({time_zone()})")
    else:
        may_be_cut = not field.name.endswith("id") and field.name not in _WORDS
        column = Column(field.name, may_be_cut=may_be_cut, is_number=field.name == "attempt")
    name = "archived_at" if field.name == "archived" else field.name
    return Shown(column, lambda facts: _attribute_text(getattr(facts.run, name)))


def _attribute_text(value: Any) -> str:
    if isinstance(value, datetime):
        return time_text(value)
    return "" if value is None else str(value)


def _metric(field: Metric, *, goes: int = 0) -> Shown:
    key = field.name, field.dataset_type

    def text(facts: Facts) -> str:
        summary = facts.summaries.get(key)
        if summary is None:
            return ""
        return str(summary.count) if field.stat == "count" else number_text(getattr(summary, field.stat))

    name = cut(field.name, _LONGEST_TITLE) if goes else field.name
    column = Column(
        f"{field.dataset_type}\n{name}.{field.stat}", goes=goes, is_number=True, cuts_others=goes == _BEST_GOES
    )
    return Shown(column, text)


def facts_of(
    runs: Sequence[Run],
    experiments: Mapping[str, str],
    summaries: Mapping[str, Sequence[SeriesSummary]],
    configs: Mapping[str, Mapping[str, Any]],
) -> list[Facts]:
    """What is known of each run, ready to be shown."""
    return [
        Facts(
            run=run,
            experiment=experiments.get(run.experiment_id, run.experiment_id),
            summaries={(item.name, item.dataset_type.value): item for item in summaries.get(run.id, ())},
            config=config_texts(configs.get(run.id, {})),
        )
        for run in runs
    ]


def config_texts(config: Mapping[str, Any]) -> dict[str, str]:
    """The values of a config, as a person reads them, by their flattened keys."""
    return {leaf.key: leaf.text for leaf in flatten_config(config)}
