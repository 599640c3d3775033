"""Patterns of ``like``: what they mean, in parts that a backend can write in its own way.

``%`` stands for any run of characters and ``_`` for one; a backslash takes its meaning from the character behind it.
A pattern is matched from left to right and nothing is tried twice: the first text before a ``%`` stands at the
beginning, the last one at the end, and each one between them at the first place where it fits. That is what any server
finds, too, but the time it takes grows with the text and not with the number of ways to cut it up.
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache


class Wildcard(Enum):
    """What a pattern holds beside literal text."""

    ANY = "%"
    ONE = "_"


Token = str | Wildcard
Part = tuple[Token, ...]
"""What stands between two ``%``: literal texts and :attr:`Wildcard.ONE`."""


def like_tokens(pattern: str) -> tuple[Token, ...]:
    """A pattern as literal texts and wildcards; wildcards side by side come in one spelling, ``_`` first, one ``%``."""
    tokens: list[Token] = []
    literal: list[str] = []
    is_any = False
    characters = iter(pattern)
    for character in characters:
        if character == "%":
            is_any = True
            continue
        if character == "_":
            if literal:
                tokens.append("".join(literal))
                literal.clear()
            tokens.append(Wildcard.ONE)
            continue
        if is_any:
            if literal:
                tokens.append("".join(literal))
                literal.clear()
            tokens.append(Wildcard.ANY)
            is_any = False
        literal.append(next(characters, "\\") if character == "\\" else character)
    if literal:
        tokens.append("".join(literal))
    return (*tokens, Wildcard.ANY) if is_any else tuple(tokens)


def like_parts(pattern: str) -> tuple[Part, ...]:
    """A pattern cut at its ``%``: one part where there is none, else the first and the last may be empty."""
    parts: list[list[Token]] = [[]]
    for token in like_tokens(pattern):
        if token is Wildcard.ANY:
            parts.append([])
        else:
            parts[-1].append(token)
    return tuple(map(tuple, parts))


def part_length(part: Part) -> int:
    """How many characters a part matches: always the same number."""
    return sum(len(token) if isinstance(token, str) else 1 for token in part)


@lru_cache(maxsize=256)
def like_matcher(pattern: str) -> Callable[[str], bool]:
    """A function that says whether a text matches the whole pattern."""
    head, *rest = like_parts(pattern)
    begins = _compiled(head)
    if not rest:
        return lambda text: begins.fullmatch(text) is not None
    middle = [_compiled(part) for part in rest[:-1]]
    ends, length = _compiled(rest[-1]), part_length(rest[-1])

    def matches(text: str) -> bool:
        found = begins.match(text)
        for part in middle:
            if found is None:
                return False
            found = part.search(text, found.end())
        at = len(text) - length
        return found is not None and at >= found.end() and ends.match(text, at) is not None

    return matches


def _compiled(part: Sequence[Token]) -> re.Pattern[str]:
    return re.compile("".join(re.escape(token) if isinstance(token, str) else "." for token in part), re.DOTALL)
