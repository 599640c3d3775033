"""Stores with one planted bug each, all taken from real trackers and databases. Each names the clause it breaks.

A mutant in memory is a :class:`~runstore.memory.MemoryStore` with one method changed. What only another process, a file
or a server can show is planted in the real SQL backend: see :mod:`kit.mutants.sql`.
"""

from kit.mutants import (
    artifacts,
    changes,
    charts,
    configs,
    endings,
    going_back,
    handles,
    metrics,
    people,
    placed,
    reading,
    recorded,
    restorable,
    runs,
    sizes,
    sql_harness,
    thinned,
)
from kit.mutants.base import MUTANTS, Planted

__all__ = [
    "MUTANTS",
    "Planted",
    "artifacts",
    "changes",
    "charts",
    "configs",
    "endings",
    "going_back",
    "handles",
    "metrics",
    "people",
    "placed",
    "reading",
    "recorded",
    "restorable",
    "runs",
    "sizes",
    "sql_harness",
    "thinned",
]
