"""Which run or experiment somebody means: by its id, a unique beginning or end of it, or its name."""

import difflib
from collections.abc import Iterator

from runstore.errors import ExperimentNotFoundError, InvalidValueError, RunNotFoundError
from runstore.model import Experiment, Run
from runstore.protocol import RunReader

_MOST_SHOWN = 5
_PAGE = 1000


def find_run(reader: RunReader, wanted: str) -> Run:
    """The one run of this id, of this name, or whose id alone begins or ends so.

    Raises:
        RunNotFoundError: there is none.
        InvalidValueError: there are several; names some of them.
    """
    if not wanted.strip():
        raise InvalidValueError("no run is named; give its id, the beginning or the end of it, or its name")
    try:
        return reader.get_run(wanted)
    except RunNotFoundError:
        pass
    named = _searched(reader, f"name = {_quoted(wanted)}")
    pattern = _quoted("".join(f"\\{each}" if each in "%_\\" else each for each in wanted))
    found = named or _searched(reader, f"id like {pattern[:-1]}%' or id like '%{pattern[1:]}")
    if len(found) == 1:
        return found[0]
    if not found:
        raise RunNotFoundError(
            f"no run has the id or the name {wanted!r}, nor an id that begins or ends so; `runstore runs` lists them"
        )
    shown = ", ".join(f"{run.id} ({run.name})" if run.name else run.id for run in found[:_MOST_SHOWN])
    more = " and more" if len(found) > _MOST_SHOWN else ""
    raise InvalidValueError(f"{wanted!r} may be each of {shown}{more}; give more of the id")


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


def all_experiments(reader: RunReader) -> Iterator[Experiment]:
    """Every experiment, by name."""
    cursor = None
    while True:
        page = reader.list_experiments(limit=_PAGE, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _searched(reader: RunReader, where: str) -> tuple[Run, ...]:
    return reader.search_runs(where, limit=_MOST_SHOWN + 1).items


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
