"""Which run a person means: by its id, a part of the id, its name, or how new it is."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from runstore.backend.operations import Operations
from runstore.backend.presence import Presence, not_shown
from runstore.errors import InvalidValueError, RunNotFoundError
from runstore.model import Run
from runstore.query.known import names_meant
from runstore.query.searches import check_search
from runstore.values.checks import MAX_PAGE, check_name

_SHORTEST_PART: Final = 4
"""Characters of an id's beginning or end: fewer are easily those of another run tomorrow."""
_MOST_SHOWN: Final = 5
_MOST_NAMES: Final = 1000
"""Of the newest runs, among which a name that was mistyped is looked for."""
_NEWEST: Final = re.compile(r"@([1-9]\d*)")
_NEWEST_IN_WORDS: Final = frozenset({"last", "latest", "newest", "-1"})


def resolve(source: Operations, reference: object, *, experiment_id: str | None) -> str:
    """The id of the one run that is meant, see :meth:`runstore.protocol.RunReader.resolve_run`."""
    if not isinstance(reference, str) or not reference.strip():
        raise InvalidValueError(
            f"no run is named by {reference!r}; give its id, the beginning or the end of it, its name, or @1 for the newest"
        )
    wanted = check_name(reference, "run")
    run = source.find_run(wanted)
    if run is not None and experiment_id in {None, run.experiment_id}:
        return run.id
    newest = _NEWEST.fullmatch(wanted)
    if newest is not None:
        return _newest(source, int(newest[1]), experiment_id)
    found = _found(source, wanted, experiment_id)
    if len(found) == 1:
        return found[0].id
    if found:
        raise _several(wanted, found)
    presence = source.presence_of(wanted)
    if presence in {Presence.DELETED, Presence.PURGED}:
        raise not_shown(wanted, presence)
    raise RunNotFoundError(_nothing(source, wanted, experiment_id))


def _found(source: Operations, wanted: str, experiment_id: str | None) -> list[Run]:
    """Runs of this name and runs whose ids begin or end so, the newest first.

    Three questions, each of which an index answers: ids are looked through in their own order.
    """
    questions = {f"name = {_quoted(wanted)}": "start_time desc"}
    if len(wanted) >= _SHORTEST_PART:
        part = "".join(f"\\{each}" if each in "%_\\" else each for each in wanted)
        questions |= {f"id like {_quoted(f'{part}%')}": "id desc", f"id like {_quoted(f'%{part}')}": "id desc"}
    found = {
        run.id: run
        for question, order in questions.items()
        for run in _search(source, question, experiment_id=experiment_id, order=order, limit=_MOST_SHOWN + 1)
    }
    return sorted(found.values(), key=lambda run: run.start_time, reverse=True)


def _newest(source: Operations, number: int, experiment_id: str | None) -> str:
    if number > MAX_PAGE:
        raise InvalidValueError(f"@{number} is too far back; give a number from @1 to @{MAX_PAGE}, or the run's id")
    found = _search(source, None, experiment_id=experiment_id, limit=number)
    if len(found) < number:
        means = "the newest run" if number == 1 else f"the newest run but {number - 1}"
        there_are = f"there are only {len(found)}" if found else "there are no runs"
        raise RunNotFoundError(f"@{number} means {means}, and {there_are}{_in(experiment_id)}")
    return found[-1].id


def _search(
    source: Operations, where: str | None, *, experiment_id: str | None, limit: int, order: str = "start_time desc"
) -> Sequence[Run]:
    """The first runs that match; archived ones are among them when something is looked for."""
    asked = check_search(where, experiment_id=experiment_id, order_by=(order,), limit=limit, cursor=None)
    if where is not None:
        asked = replace(asked, with_archived=True, key=f"archived too: {asked.key}")
    return source.read_runs(asked)[0]


def _several(wanted: str, found: Sequence[Run]) -> InvalidValueError:
    """The error, with what tells the runs apart."""
    told = "; ".join(
        f"{run.id} ({f'{run.name}, ' if run.name else ''}began {run.start_time:%Y-%m-%d %H:%M:%S} UTC, {run.status})"
        for run in found[:_MOST_SHOWN]
    )
    more = "; and more" if len(found) > _MOST_SHOWN else ""
    return InvalidValueError(f"{wanted!r} may be each of {told}{more}. Give more of the id")


def _nothing(source: Operations, wanted: str, experiment_id: str | None) -> str:
    names = {run.name for run in _search(source, None, experiment_id=experiment_id, limit=_MOST_NAMES) if run.name}
    close = names_meant(wanted, names)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "`runstore runs` lists them"
    if wanted.startswith("@"):
        return (
            f"no run has the id or the name {wanted!r}{_in(experiment_id)}; @1 is the newest run, @2 the one before it"
        )
    if wanted.lower() in _NEWEST_IN_WORDS and not close:
        hint = "@1 is the newest run"
    part = ", nor an id that begins or ends so" if len(wanted) >= _SHORTEST_PART else ""
    short = "" if part else f" (a part of an id takes at least {_SHORTEST_PART} characters)"
    return f"no run{_in(experiment_id)} has the id or the name {wanted!r}{part}{short}; {hint}"


def _in(experiment_id: str | None) -> str:
    return "" if experiment_id is None else f" in the experiment {experiment_id!r}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
