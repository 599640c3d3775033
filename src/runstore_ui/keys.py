"""Keys in use, found by a part of their name: what the chooser of columns and the completion of a filter offer.

A store may have tens of thousands. They are looked through here, and a few are shown; a list that was just read is used
again, so that each further letter costs next to nothing.
"""

import threading
import time
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from runstore.model import KeyCount
from runstore.protocol import RunReader

Of = Literal["metric", "config", "tag"]
OF: Final[tuple[Of, ...]] = ("metric", "config", "tag")
SHOWN: Final = 50
_MOST: Final = 10_000
_KEPT_S: Final = 5.0


class FoundKeys(Struct, frozen=True, kw_only=True):
    """Keys whose name has what was looked for.

    Attributes:
        keys: the first of them: those that begin so, then those of most runs.
        count: how many there are; at least so many where ``is_all`` is not.
        is_all: whether all keys were looked through.
    """

    keys: Sequence[KeyCount]
    count: int
    is_all: bool


class Keys:
    """The keys of a store. It may be used from any thread."""

    def __init__(self, reader: RunReader) -> None:
        """Reads nothing."""
        self._reader = reader
        self._lock = threading.Lock()
        self._kept: dict[tuple[Of, str | None], tuple[float, tuple[KeyCount, ...]]] = {}

    def find(self, text: str, *, experiment_id: str | None, of: Sequence[Of] = OF, limit: int = SHOWN) -> FoundKeys:
        """The keys that have a text in the field's name, whatever its case."""
        wanted = text.strip().lower()
        if not wanted:
            return self._of_most_runs(experiment_id, of, limit)
        found: list[tuple[bool, int, KeyCount]] = []
        is_all = True
        for each in of:
            keys = self._all(each, experiment_id)
            if len(keys) == _MOST:
                is_all = False
                further = self._reader.list_keys(each, experiment_id=experiment_id, prefix=text.strip(), limit=SHOWN)
                keys = tuple({key.field: key for key in (*keys, *further)}.values())
            for key in keys:
                if wanted in key.field.lower():
                    begins = key.key.lower().startswith(wanted) or key.field.lower().startswith(wanted)
                    found.append((not begins, -key.runs, key))
        found.sort(key=lambda item: item[:2])
        return FoundKeys(keys=[key for _, _, key in found[:limit]], count=len(found), is_all=is_all)

    def _of_most_runs(self, experiment_id: str | None, of: Sequence[Of], limit: int) -> FoundKeys:
        """The first keys, for which not all of them need be read: a list of thousands takes longer than a page may."""
        found = [
            key for each in of for key in self._reader.list_keys(each, experiment_id=experiment_id, limit=limit + 1)
        ]
        found.sort(key=lambda key: -key.runs)
        return FoundKeys(keys=found[:limit], count=len(found), is_all=len(found) <= limit)

    def _all(self, of: Of, experiment_id: str | None) -> tuple[KeyCount, ...]:
        with self._lock:
            at, keys = self._kept.get((of, experiment_id), (0.0, ()))
            if not at or time.monotonic() - at > _KEPT_S:
                keys = self._reader.list_keys(of, experiment_id=experiment_id, limit=_MOST)
                self._kept = {
                    each: kept for each, kept in self._kept.items() if time.monotonic() - kept[0] <= _KEPT_S
                } | {(of, experiment_id): (time.monotonic(), keys)}
            return keys
