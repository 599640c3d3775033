"""Which run or experiment somebody means."""

import difflib
from collections.abc import Iterator
from typing import BinaryIO

from runstore.errors import ArtifactNotFoundError, ExperimentNotFoundError
from runstore.media.reading import group_series
from runstore.model import Experiment, Run
from runstore.protocol import RunReader
from runstore.query.known import names_meant

_MOST_SHOWN = 5
_PAGE = 1000


def find_run(reader: RunReader, wanted: str) -> Run:
    """The one run that is meant: by its id, the beginning or the end of it, its name, or ``@1`` for the newest.

    Raises:
        RunNotFoundError: there is none.
        InvalidValueError: there are several; names some of them.
    """
    return reader.get_run(reader.resolve_run(wanted))


def find_experiment(reader: RunReader, wanted: str) -> Experiment:
    """The experiment of this name or id.

    Raises:
        ExperimentNotFoundError: there is none; names those whose names are like it.
    """
    found = reader.find_experiment(wanted)
    if found is not None:
        return found
    try:
        return reader.get_experiment(wanted)
    except ExperimentNotFoundError:
        names = [experiment.name for experiment in all_experiments(reader)]
    close = names_meant(wanted, names)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "`runstore experiments` lists them"
    raise ExperimentNotFoundError(f"there is no experiment {wanted!r}; {hint}")


def find_files(reader: RunReader, run_id: str, name: str, *, step: int | None, is_all: bool) -> list[str]:
    """The names of the files that are meant: the artifact of this name, or of a series one step or all; else the last.

    A name that is neither is given back, so that opening it says what there is.

    Raises:
        ArtifactNotFoundError: the series has no such step, or there is no series of this name whose step it could be.
    """
    artifacts = reader.list_artifacts(run_id)
    series, _others = group_series(reader, artifacts)
    items = series.get(name, [])
    if step is None and not is_all:
        is_artifact = not items or any(artifact.name == name for artifact in artifacts)
        return [name if is_artifact else items[-1].artifact.name]
    if not items:
        known = ", ".join(map(repr, sorted(series)[:_MOST_SHOWN])) or "none"
        raise ArtifactNotFoundError(f"run {run_id!r} has no series {name!r}; it has {known}")
    found = [item for item in items if is_all or item.step == step]
    if not found:
        steps = [str(item.step) for item in items if item.step is not None]
        has = f"its steps are {', '.join(steps[:_MOST_SHOWN])}" if steps else "it has no steps"
        more = f" and {len(steps) - _MOST_SHOWN} more, up to {steps[-1]}" if len(steps) > _MOST_SHOWN else ""
        raise ArtifactNotFoundError(f"series {name!r} of run {run_id!r} has no step {step}; {has}{more}")
    return [item.artifact.name for item in found]


def open_artifact(reader: RunReader, run_id: str, name: str) -> BinaryIO:
    """The bytes of an artifact.

    Raises:
        ArtifactNotFoundError: the run has none of this name; names those it has.
    """
    try:
        return reader.open_artifact(run_id, name)
    except ArtifactNotFoundError:
        artifacts = reader.list_artifacts(run_id)
        if any(artifact.name == name for artifact in artifacts):  # its bytes are not kept, which the error says
            raise
    series, others = group_series(reader, artifacts)
    names = [*(artifact.name for artifact in others), *sorted(series)]
    close = difflib.get_close_matches(name, names, n=_MOST_SHOWN)
    shown = close or names[:_MOST_SHOWN]
    more = (
        f" and {len(names) - len(shown)} more, which `runstore show {run_id}` lists" if len(names) > len(shown) else ""
    )
    has = f"it has {', '.join(map(repr, shown))}{more}" if shown else "it has none"
    raise ArtifactNotFoundError(f"run {run_id!r} has no artifact {name!r}; {has}")


def all_experiments(reader: RunReader) -> Iterator[Experiment]:
    """Every experiment, by name."""
    cursor = None
    while True:
        page = reader.list_experiments(limit=_PAGE, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
