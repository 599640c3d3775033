"""The filter language's tokens."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from runstore.errors import QueryError
from runstore.query.advice import about_characters
from runstore.values.checks import shown

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<op><=|>=|!=|=|<|>)
    | (?P<mark>[(),])
    | (?P<word>[^\W\d]\w*(?:\.(?:[\w/@:%+-]+|"(?:[^"]|"")*"))*)
    )""",
    re.VERBOSE,
)
_WHAT_THERE_IS: Final = (
    "there are fields, the operators = != < <= > >= in like is, the words and, or, not, parentheses, numbers, texts in "
    "single quotes, true and false"
)


class Token(NamedTuple):
    """A token: its kind, its text, and where it stands."""

    kind: str
    text: str
    position: int


def tokens_of(text: str) -> Iterator[Token]:
    """The tokens of a text, the last one of the kind ``end``.

    Raises:
        QueryError: no token begins at some position.
    """
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            rest = text[position:].lstrip()
            hint = about_characters(text[:position], rest) or f"; {_WHAT_THERE_IS}"
            error = QueryError(f"cannot read {shown(rest)} at position {position} of {text!r}{hint}")
            error.position = position
            raise error
        yield Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup))
        position = match.end()
    yield Token("end", "", len(text))
