"""Keyset pages one after the other, to the end or to a limit."""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from runstore._tracebacks import without_frames
from runstore.errors import InvalidValueError
from runstore.model import Page
from runstore.values.checks import shown

_PAGE: Final = 1000

ItemT = TypeVar("ItemT")


def page_by_page(read: Callable[[int, str | None], Page[ItemT]], *, limit: int | None) -> Iterator[Page[ItemT]]:
    """The pages of a question; the first is read at once, so that a mistake in the question shows at once.

    Args:
        read: reads a page of so many items at most, behind a cursor.
        limit: how many items at most; ``None`` for all.
    """
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise InvalidValueError(f"limit is {shown(limit)}; give a number from 1 on, or None for all")
    try:
        first = read(_PAGE if limit is None else min(_PAGE, limit), None)
    except InvalidValueError as error:
        raise without_frames(error)  # noqa: B904 - it is the same error
    return _pages(first, read, limit)


def _pages(
    page: Page[ItemT], read: Callable[[int, str | None], Page[ItemT]], limit: int | None
) -> Iterator[Page[ItemT]]:
    taken = 0
    while True:
        yield page
        taken += len(page)
        if page.next_cursor is None or taken == limit:
            return
        page = read(_PAGE if limit is None else min(_PAGE, limit - taken), page.next_cursor)
