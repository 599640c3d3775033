"""How much of a list is read, and what is said where there is more."""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from runstore.cli.options import Form
from runstore.cli.output.text import print_line
from runstore.errors import QueryError
from runstore.model import Page

ItemT = TypeVar("ItemT")

_PAGE: Final = 1000
_FIRST: Final = 20


class Extent(NamedTuple):
    """How much of a list somebody asked for.

    Attributes:
        limit: at most so many items; where none is said, a table has the first 20 and programs get all.
        is_all: whether all of them.
        cursor: behind which place it begins.
    """

    limit: int | None = None
    is_all: bool = False
    cursor: str | None = None

    def most(self, form: Form) -> int | None:
        """How many items at most; ``None``: all."""
        if self.is_all:
            return None
        return _FIRST if self.limit is None and form is Form.TABLE else self.limit

    def read(self, form: Form, page: Callable[[int, str | None], Page[ItemT]]) -> tuple[list[ItemT], str | None]:
        """The items, page by page, and the cursor behind which there are more, if there are."""
        items: list[ItemT] = []
        most, cursor = self.most(form), self.cursor
        while True:
            try:
                found = page(_PAGE if most is None else min(_PAGE, most - len(items)), cursor)
            except QueryError as error:
                raise self._spoken(error) from None
            items += found.items
            cursor = found.next_cursor
            if cursor is None or len(items) == most:
                return items, cursor

    def _spoken(self, error: QueryError) -> QueryError:
        """An error about the cursor speaks of options, where the store's speaks of a call's arguments."""
        if self.cursor is None or not str(error).startswith("cursor "):
            return error
        return QueryError(
            f"--cursor {self.cursor!r} is none of this list; give one as the page before told it, with the same options, "
            "or none to begin with the first page"
        )

    def say_more(self, what: str, count: int, cursor: str | None) -> None:
        """Says on stderr that there are more; whoever goes page by page is told where the next one begins."""
        if cursor is None:
            return
        these = "the next" if self.cursor else "the first"
        said = f"More {what} match; these are {these} {count}. --limit N gives more, --all gives all."
        if self.limit is not None or self.cursor is not None:
            said += f" The next page: --cursor '{cursor}'"
        print_line(said, err=True)
