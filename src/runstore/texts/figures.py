"""Times, spans, sizes and numbers as a person reads them."""

from datetime import UTC, datetime, timedelta

from runstore.model import Run, RunStatus, StepValue

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_THOUSAND = 1000


def time_text(moment: datetime, *, to_seconds: bool = True) -> str:
    """A moment in the local time zone, to the second or the minute."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S" if to_seconds else "%Y-%m-%d %H:%M")


def time_zone() -> str:
    """What the local time zone is called now, such as ``CET`` or ``UTC``."""
    return datetime.now(UTC).astimezone().tzname() or "local"


def duration_text(run: Run) -> str:
    """How long a run took, or has been running as far as is known: ``2h05m``, ``3m20s``, ``12.5s``.

    Of a lost run nothing: when it died nobody knows, and its last heartbeat may be from long before, or from a journal
    that was stored afterwards.
    """
    if run.status == RunStatus.LOST:
        return ""
    return span_text((run.end_time or max(run.heartbeat_at, run.start_time)) - run.start_time)


def span_text(span: timedelta) -> str:
    """A time span to two units."""
    seconds = span.total_seconds()
    if seconds < _MINUTE_S:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}m{whole % _MINUTE_S:02}s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S}h{whole % _HOUR_S // _MINUTE_S:02}m"
    return f"{whole // _DAY_S}d{whole % _DAY_S // _HOUR_S:02}h"


def number_text(point: StepValue | None) -> str:
    """A value to six digits."""
    return "" if point is None else f"{point.value:.6g}"


def size_text(size: int) -> str:
    """A number of bytes, such as ``2.5 kB``."""
    if size < _THOUSAND:
        return f"{size} bytes"
    number = float(size)
    for unit in ("kB", "MB", "GB"):
        number /= _THOUSAND
        if number < _THOUSAND:
            return f"{number:.1f} {unit}"
    return f"{number / _THOUSAND:.1f} TB"
