"""What a program without a recorder does about an outage: it asks again."""

import time
from collections.abc import Callable
from typing import Any

from runstore.errors import StoreUnavailableError

_PATIENCE_S = 120


def until_it_answers(call: Callable[[], Any]) -> Any:
    """What a call gives once the store answers; its error if it never does."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return call()
        except StoreUnavailableError:
            if time.monotonic() > deadline:
                raise
