"""Ids are made here, by the client: a run can begin while the database is away."""

import os
import time
import uuid

_EXPERIMENTS = uuid.UUID("6f1f0d9a-6e4b-5c55-9a25-9f2f4b1c7d10")
"""Namespace of experiment ids. It must never change: the same name must give the same id for ever (EXP.1)."""


def experiment_id_of(name: str) -> str:
    """The id of the experiment of this name: UUID version 5 (RFC 9562) of the exact text."""
    return str(uuid.uuid5(_EXPERIMENTS, name))


def new_run_id() -> str:
    """A new run id, which sorts by the time it was made."""
    return time_ordered_id()


def time_ordered_id() -> str:
    """A new UUID of version 7 (RFC 9562, 5.7), whose 12 bits after the milliseconds are their fraction (6.2, method 3).

    So ids that one thread makes sort in the order it made them. The other 62 bits come from the operating system each
    time: a forked child cannot repeat its parent's. ``uuid.uuid7`` takes its place once Python 3.14 is the oldest.
    """
    milliseconds, rest_ns = divmod(time.time_ns(), 1_000_000)
    fraction = rest_ns * 2**12 // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 0b10 << 62 | random))
