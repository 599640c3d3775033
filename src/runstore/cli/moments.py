"""Moments as a person writes them: a date, a time, or how long ago."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class Moment(click.ParamType):  # type: ignore[type-arg,unused-ignore] # generic for type checkers, of new releases alone
    """``2026-01-31``, ``2026-01-31T12:00``, or ``90d``: so many days ago. Without a zone it is the local time."""

    name = "moment"

    def convert(  # noqa: D102 - the library's
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            unit = _UNITS.get(text[-1:])
            moment = datetime.fromisoformat(text) if unit is None else datetime.now(UTC) - int(text[:-1]) * unit
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is no time; give a date such as 2026-01-31, or 90d for ninety days ago", param, ctx)
        return moment if moment.tzinfo else moment.astimezone()
