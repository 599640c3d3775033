"""Changes that the page can make, as the forms name them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from runstore.errors import InvalidValueError
from runstore.model import Run
from runstore.protocol import RunEditor

_Change = Callable[[RunEditor, str, str], None]


def _tag(editor: RunEditor, run_id: str, text: str) -> None:
    key, _, value = text.partition("=")
    editor.set_tags(run_id, {key.strip(): value.strip()})


def _untag(editor: RunEditor, run_id: str, text: str) -> None:
    editor.remove_tags(run_id, [text.partition("=")[0].strip()])


def _lines(text: str) -> str:
    """A text with its lines ended as notes have them; a form sends them otherwise."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


CHANGES: Final[dict[str, _Change]] = {
    "tag": _tag,
    "untag": _untag,
    "note": lambda editor, run_id, text: editor.set_note(run_id, _lines(text) or None),
    "rename": lambda editor, run_id, text: editor.rename_run(run_id, text.strip() or None),
    "archive": lambda editor, run_id, _: editor.archive_run(run_id),
    "unarchive": lambda editor, run_id, _: editor.unarchive_run(run_id),
    "delete": lambda editor, run_id, _: editor.delete_run(run_id),
    "restore": lambda editor, run_id, _: editor.restore_run(run_id),
}
"""What a form may ask for in ``do``, with the text of its field."""


def change(editor: RunEditor, what: str, run_ids: Sequence[str], text: str) -> None:
    """Makes one change to runs, one after the other; what was changed before an error stays.

    Raises:
        InvalidValueError: there is no such change, or its text breaks a rule.
        RunNotFoundError: a run is not there any more.
    """
    make = CHANGES.get(what)
    if make is None:
        raise InvalidValueError(f"there is no change {what!r}; there are {', '.join(CHANGES)}")
    if not run_ids:
        raise InvalidValueError("no run is ticked; tick those that are to be changed")
    for run_id in run_ids:
        make(editor, run_id, text)


class Refused(Struct, frozen=True, kw_only=True):
    """A change that was not made, with what was written for it.

    Attributes:
        what: the change.
        message: why it was not made, and what to do.
        mine: what was written.
    """

    what: str
    message: str
    mine: str


def conflict_of(run: Run, what: str, text: str, seen: Sequence[str]) -> Refused | None:
    """What somebody else has changed meanwhile of what is to be changed; ``None`` if nothing is in the way.

    Args:
        run: as it is now. Between this look and the change there are some milliseconds, in which the last one wins.
        what: ``note``, ``tag`` or ``untag``; other changes have no conflicts.
        text: what was written.
        seen: what stood there when it was: the note, or all tags as ``key=value``.
    """
    if what == "note":
        before, now, wanted = _lines("".join(seen)), _lines(run.note or ""), _lines(text)
        if now in {before, wanted}:
            return None
        said = f"it is now “{now}”" if now else "it is gone now"
        return Refused(
            what=what,
            message=f"Somebody changed the note meanwhile: {said}. Below is what you wrote; keep it or change it.",
            mine=text,
        )
    if what not in {"tag", "untag"}:
        return None
    key = text.partition("=")[0].strip()
    before_it, now_it = _tags(seen).get(key), run.tags.get(key)
    wanted_it = None if what == "untag" else text.partition("=")[2].strip()
    if now_it in {before_it, wanted_it}:
        return None
    said = "is gone now" if now_it is None else f"is now “{now_it}”"
    return Refused(
        what=what,
        message=f"Somebody changed the tag “{key}” meanwhile: it {said}. If you want it otherwise all the same, do it again.",
        mine=text,
    )


def _tags(seen: Sequence[str]) -> Mapping[str, str]:
    """Tags as a form brings them. A key may have a ``=``: such tags are never set by the page."""
    return {key: value for key, _, value in (each.partition("=") for each in seen)}
