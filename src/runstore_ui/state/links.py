"""Relative links."""

from collections.abc import Iterable
from urllib.parse import quote, urlencode


def link(page: str, pairs: Iterable[tuple[str, str | None]] = ()) -> str:
    """The relative address of a page: ``run?id=…``. A pair without a value is left out.

    Args:
        page: its name, one level deep; ``./`` for the table.
        pairs: the query, in this order; a name may stand in it several times.
    """
    query = urlencode([(name, value) for name, value in pairs if value], quote_via=quote, safe="/:,")
    return f"{page}?{query}" if query else page
