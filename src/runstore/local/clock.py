"""This machine's clock."""

import time

_now_ns = time.time_ns


def now_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return _now_ns() // 1000
