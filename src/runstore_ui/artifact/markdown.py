"""A text in Markdown as a page, where markdown-it-py is installed beside this one, as it is wherever rich is.

Its author is anybody who may log an artifact: markup in it is shown as text, pictures are not fetched, and only addresses of the
web are links.
"""

import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

ENDINGS: Final = frozenset({".md", ".markdown"})
_MOST_NESTED: Final = 20
_LOWEST: Final = 6
"""The least heading that HTML has."""


def can_read_markdown() -> bool:
    """Whether markdown-it-py is there."""
    return find_spec("markdown_it") is not None


def markdown_page(text: str) -> str:
    """The text as HTML that belongs below a first heading: its own headings are one step lower."""
    reader = _reader()
    tokens = reader.parse(text)
    _place_headings(tokens)
    for token in tokens:
        _make_ours(token)
    page: str = reader.renderer.render(tokens, reader.options, {})
    # What is wider than the screen is moved by keys, too.
    opening = '<div class="wide" tabindex="0" role="group" aria-label="table"><table class="plain">'
    return page.replace("<table>", opening).replace("</table>", "</table></div>")


def _reader() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415 - it may not be installed

    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": _MOST_NESTED}).enable("table").disable("image")
    reader.validateLink = _is_of_the_web  # type: ignore[method-assign, assignment]  # as its documentation says
    return reader


def _is_of_the_web(address: str) -> bool:
    return re.match(r"https?://", address, re.IGNORECASE) is not None


def _place_headings(tokens: "Sequence[Token]") -> None:
    """Headings one step lower, and none of them more than one below the one before: who listens goes by them."""
    last = 1
    for token in tokens:
        if token.type == "heading_open":
            last = min(int(token.tag[1:]) + 1, last + 1, _LOWEST)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{last}"


def _make_ours(token: "Token") -> None:
    """Numbers to the right by a class, and links that tell nobody where they stood."""
    if "right" in str(token.attrs.pop("style", "")):
        token.attrs["class"] = "number"
    for child in token.children or ():
        if child.type == "link_open":
            child.attrs["rel"] = "noreferrer noopener nofollow"
