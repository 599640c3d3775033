"""Changes that the page can make, as the forms name them."""

from collections.abc import Callable, Sequence
from typing import Final

from runstore.errors import InvalidValueError
from runstore.protocol import RunEditor

_Change = Callable[[RunEditor, str, str], None]


def _tag(editor: RunEditor, run_id: str, text: str) -> None:
    key, _, value = text.partition("=")
    editor.set_tags(run_id, {key.strip(): value.strip()})


def _untag(editor: RunEditor, run_id: str, text: str) -> None:
    editor.remove_tags(run_id, [text.partition("=")[0].strip()])


CHANGES: Final[dict[str, _Change]] = {
    "tag": _tag,
    "untag": _untag,
    "note": lambda editor, run_id, text: editor.set_note(run_id, text.replace("\r\n", "\n") or None),
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
