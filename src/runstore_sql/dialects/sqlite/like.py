"""Patterns of ``like`` in SQLite.

Its LIKE takes "A" for "a", and its GLOB takes U+FFFE and U+FFFF for U+FFFD. The usual patterns are written as
comparisons, at 0.1 µs a text or by an index; any other one calls back into Python, at 1.5 µs a text.
"""

from typing import Any, Final

import sqlalchemy as sa

from runstore.query import Part, like_parts

_LAST: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)

Condition = sa.ColumnElement[bool]


def is_like(text: sa.ColumnElement[Any], pattern: str) -> Condition:
    """Whether a text, which is there, matches a pattern."""
    literals = [_literal(part) for part in like_parts(pattern)]
    match literals:
        case [str(whole)]:
            return text == whole
        case [str(head), str(tail)] if head or tail:
            tests = [_begins(text, head)] if head else []
            tests += [sa.func.substr(text, -len(tail)) == tail] if tail else []
            tests += [sa.func.length(text) >= len(head) + len(tail)] if head and tail else []
            return sa.and_(*tests)
        case ["", str(middle), ""]:
            return sa.func.instr(text, middle) > 0
        case _:
            return sa.func.runstore_like(pattern, text, type_=sa.Boolean) == sa.literal_column("1")


def _literal(part: Part) -> str | None:
    """The text of a part that has no wildcard."""
    match part:
        case ():
            return ""
        case (str(text),):
            return text
        case _:
            return None


def _begins(text: sa.ColumnElement[Any], head: str) -> Condition:
    """Texts are compared by their bytes in UTF-8, which sort as their code points do: so those of one head are a range."""
    behind = _behind(head)
    return text >= head if behind is None else sa.and_(text >= head, text < behind)


def _behind(head: str) -> str | None:
    """The least text behind all that begin with this one; ``None`` where there is none."""
    kept = head.rstrip(chr(_LAST))
    if not kept:
        return None
    code = ord(kept[-1]) + 1
    return kept[:-1] + chr(_SURROGATES.stop if code in _SURROGATES else code)
