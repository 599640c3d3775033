"""What the migration of the first schema says in each dialect's own words."""

from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa


def _plain(_dialect: sa.Dialect) -> tuple[str | None, dict[str, Any]]:
    return None, {}


class FirstSchema(NamedTuple):
    """The words of one dialect. They are frozen, as migrations are.

    Attributes:
        point_table: makes the table of the points.
        create_view: how a view is made that may be there already.
        quote: what stands around a name.
        time: a time of microseconds ``{0}`` as people read it.
        now_us: the clock.
        non_finite: the word for a value of a point ``p`` that is not finite.
        key: the type of a surrogate key.
        text: the type of a text of any length; SQL's own where ``None``.
        data: the type of 1 MiB of bytes.
        alterations: change tables that were just made.
        text_options: by what texts compare by code point, to the last blank and letter case: the collation of a column,
            and options of a table.
    """

    point_table: str
    create_view: str
    quote: str
    time: str
    now_us: str
    non_finite: str
    key: sa.types.TypeEngine[int] = sa.BigInteger()
    text: sa.types.TypeEngine[str] | None = None
    data: sa.types.TypeEngine[bytes] = sa.LargeBinary()
    alterations: tuple[str, ...] = ()
    text_options: Callable[[sa.Dialect], tuple[str | None, dict[str, Any]]] = _plain
