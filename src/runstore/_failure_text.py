"""Why a run ended, as text: whatever an exception is, it never keeps a run from ending (FIN.8)."""

import re
from collections.abc import Callable
from typing import Any, Final

_LONGEST_WORD: Final = 4_096
_BLANK: Final = re.compile(r"\s")

_MARK_LENGTH: Final = 60
"""Room for the words that stand in place of what was left out."""


def told(tell: Callable[[BaseException], Any], error: BaseException) -> Any:
    """What is told of an exception, which may be a stranger's and raise when it is asked for its text."""
    try:
        return tell(error)
    except Exception as failure:  # noqa: BLE001 - why a run ended must not keep it from ending
        return f"(the text of this {type(error).__name__} cannot be made: {type(failure).__name__})"


def kept_text(text: str, length: int) -> str:
    """The text as every database can keep it; of a longer one the middle is left out, and how much of it is told.

    It is cut between words where there are any near, so that nobody meets half a URL, whose password would not be known
    for one.
    """
    text = text.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()
    if len(text) <= length:
        return text
    kept = length - _MARK_LENGTH
    head, tail = text[: kept // 2], text[-(kept - kept // 2) :]
    cut = _BLANK.search(head[: -_LONGEST_WORD - 1 : -1])
    head = head[: len(head) - cut.start()] if cut else head
    cut = _BLANK.search(tail[:_LONGEST_WORD])
    tail = tail[cut.start() :] if cut else tail
    return f"{head} […{len(text) - len(head) - len(tail)} characters left out…] {tail}"
