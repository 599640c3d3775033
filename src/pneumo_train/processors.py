"""How many processors there are to work with."""

import os


def processors() -> int:
    """Of this process: a batch system may give it fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
