"""Times as the page says them: how long ago, with the exact time beside it."""

from datetime import UTC, datetime
from typing import Final

_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400
_MONTH_S: Final = 30 * _DAY_S
_YEAR_S: Final = 365 * _DAY_S


def ago(moment: datetime, now: datetime | None) -> str:
    """How long ago a moment was, in one unit: ``2 h ago``; in a file, which has no now, the exact time."""
    if now is None:
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    seconds = (now - moment).total_seconds()
    if seconds < -_MINUTE_S:
        return moment.astimezone().strftime("%Y-%m-%d %H:%M")
    for unit, size in (("y", _YEAR_S), ("mo", _MONTH_S), ("d", _DAY_S), ("h", _HOUR_S), ("min", _MINUTE_S)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"
