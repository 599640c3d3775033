"""Which run or experiment somebody means."""

import difflib
from collections.abc import Iterator
from typing import BinaryIO

from runstore.errors import ArtifactNotFoundError, ExperimentNotFoundError
from runstore.model import Experiment, Run
from runstore.protocol import RunReader

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
    close = difflib.get_close_matches(wanted, names, n=_MOST_SHOWN)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "`runstore experiments` lists them"
    raise ExperimentNotFoundError(f"there is no experiment {wanted!r}; {hint}")


def open_artifact(reader: RunReader, run_id: str, name: str) -> BinaryIO:
    """The bytes of an artifact.

    Raises:
        ArtifactNotFoundError: the run has none of this name; names those it has.
    """
    try:
        return reader.open_artifact(run_id, name)
    except ArtifactNotFoundError:
        names = [artifact.name for artifact in reader.list_artifacts(run_id)]
        if name in names:  # its bytes are not kept, which the error says
            raise
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
