"""What Lightning calls when a ``Trainer`` is made, through its entry points ``*.callbacks_factory``.

A Lightning logger is never told of checkpoints being written or read; a callback is. This adds ours to the trainers of
programs that have imported :mod:`runstore.lightning`, and nothing to those of any other program, which do not even load
it.
"""

import sys
from typing import Any


def callbacks() -> list[Any]:
    """The callback that carries a run's id through checkpoints, in programs that use our logger."""
    ours = sys.modules.get("runstore.lightning.callback")
    return [] if ours is None else [ours.RunStoreCallback()]
