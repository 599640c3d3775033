"""Patterns of ``like`` as regular expressions of the server."""

import re

from runstore.query import Part, Wildcard, like_parts, part_length


def regex_of(pattern: str) -> str:
    r"""A pattern as a regular expression that never tries a place twice.

    The server gives up on one that does after so many tries, says nothing, and the text counts as one that does not
    match. So each part between two ``%`` is taken where it fits first, for good (``(?>…)``), and the last one by
    looking back from the end, once it is sure that so much text is left. ``\\z``, for ``$`` stops before a newline.
    """
    head, *rest = like_parts(pattern)
    if not rest:
        return f"\\A{_spelled(head)}\\z"
    *middle, tail = rest
    taken = "".join(f"(?>(?s:.*?){_spelled(part)})" for part in middle)
    end = f"(?=(?s:.{{{part_length(tail)}}}))(?>(?s:.*))(?<={_spelled(tail)})\\z" if tail else ""
    return f"\\A{_spelled(head)}{taken}{end}"


def _spelled(part: Part) -> str:
    return "".join("(?s:.)" if token is Wildcard.ONE else re.escape(str(token)) for token in part)
