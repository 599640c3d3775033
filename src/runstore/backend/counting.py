"""Counts, keys and values for a backend that does not count in the database: Python looks at every run (READ.10, READ.11)."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from msgspec.structs import replace

from runstore.model import Artifact, Experiment, Run, SeriesSummary
from runstore.query.facets import KeyQuery, ValueQuery
from runstore.query.meaning import Value, lookup_in
from runstore.query.searches import RunQuery
from runstore.query.tree import ArtifactName, Attribute, ConfigKey, Rank
from runstore.values.config import EMPTY_CONFIG, ConfigDocument

_PAGE: Final = 1000

KeyRow = tuple[str, str, int]
"""A key, the dataset type (empty unless of a metric), and how many runs have it."""
ValueRow = tuple[bool | float | str, int]
"""A value, and how many runs have it."""


class _Source(Protocol):
    """What of a backend's operations is asked."""

    def find_experiment_by_id(self, experiment_id: str) -> Experiment | None: ...

    def read_runs(self, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]: ...

    def read_configs(self, run_ids: Sequence[str]) -> Mapping[str, str]: ...

    def read_summaries(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[SeriesSummary]]: ...

    def read_artifacts(self, run_id: str) -> Sequence[Artifact]: ...


def count_runs(source: _Source, asked: RunQuery) -> int:
    """How many runs match."""
    return sum(len(runs) for runs in _pages(source, asked))


def count_keys(source: _Source, asked: KeyQuery) -> Sequence[KeyRow]:
    """The keys in use, those that most runs have first."""
    counts: Counter[tuple[str, str]] = Counter()
    for runs in _pages(source, _all_of(asked.experiment_id)):
        counts.update(key for key in _keys(source, asked, runs) if key[0].startswith(asked.prefix))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(*key, count) for key, count in ordered[: asked.limit]]


def _keys(source: _Source, asked: KeyQuery, runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    ids = [run.id for run in runs]
    if asked.of == "tag":
        yield from ((key, "") for run in runs for key in run.tags)
    elif asked.of == "config":
        for text in source.read_configs(ids).values():
            yield from ((leaf.key, "") for leaf in ConfigDocument(text).leaves)
    else:
        for summaries in source.read_summaries(ids).values():
            yield from ((each.name, str(each.dataset_type)) for each in summaries)


def count_values(source: _Source, asked: ValueQuery) -> Sequence[ValueRow]:
    """The values of a field, those that most runs have first."""
    # By kind as well, for 1 and True are one key of a dictionary.
    counts: Counter[tuple[Rank, bool | float | str]] = Counter()
    for runs in _pages(source, _all_of(asked.experiment_id, with_archived=asked.with_archived)):
        for value in _values(source, asked, runs):
            counted = _ranked(value)
            if counted is not None and (
                not asked.prefix or (isinstance(value, str) and value.startswith(asked.prefix))
            ):
                counts[counted] += 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(value, count) for (_, value), count in ordered[: asked.limit]]


def _values(source: _Source, asked: ValueQuery, runs: Sequence[Run]) -> Iterator[Value]:
    """The field's values in these runs: of a run's artifacts each name, else one a run."""
    configs = source.read_configs([run.id for run in runs]) if isinstance(asked.field, ConfigKey) else {}
    for run in runs:
        if isinstance(asked.field, ArtifactName):
            names = (artifact.name for artifact in source.read_artifacts(run.id))
            yield from (name for name in names if not asked.without or not name.startswith(asked.without))
            continue
        experiment = None
        if asked.field == Attribute("experiment"):
            experiment = source.find_experiment_by_id(run.experiment_id)
        name = run.experiment_id if experiment is None else experiment.name
        yield lookup_in(run, ConfigDocument(configs.get(run.id, EMPTY_CONFIG)), (), experiment=name, artifacts=())(
            asked.field
        )


def _ranked(value: Value) -> tuple[Rank, bool | float | str] | None:
    """A value that a filter can ask for, with its kind: what is missing, null, a list or not finite is not counted."""
    if isinstance(value, bool):
        return Rank.BOOLEAN, value
    if isinstance(value, str):
        return Rank.TEXT, value
    if isinstance(value, (int, float)) and math.isfinite(value):
        return Rank.NUMBER, float(value)
    return None


def _all_of(experiment_id: str | None, *, with_archived: bool = False) -> RunQuery:
    key = repr(("all", experiment_id, with_archived))
    return RunQuery(experiment_id=experiment_id, with_archived=with_archived, limit=_PAGE, key=key)


def _pages(source: _Source, asked: RunQuery) -> Iterator[Sequence[Run]]:
    asked = replace(asked, limit=_PAGE)
    while True:
        runs, place = source.read_runs(asked)
        yield runs
        if place is None:
            return
        asked = replace(asked, after=[(rank, value) for rank, value in place])
