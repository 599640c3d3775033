"""Predictions that were read and judged a moment ago: who moves a threshold asks for the same ones again and again."""

import threading
from collections import OrderedDict
from typing import Final

from runstore.model import Artifact
from runstore.predictions import Predictions, read_predictions
from runstore.protocol import RunReader
from runstore_ui.judging.judged import Choice, Judged, judge

MOST_ROWS: Final = 200_000
"""So many rows the page computes, of one file and of all that it keeps: it is to stay small."""


class Shelf:
    """Keeps what was judged last. One is judged at a time, so that many who look at large files need no more memory."""

    def __init__(self, *, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._lock = threading.Lock()
        self._read: OrderedDict[str, Predictions] = OrderedDict()
        self._judged: OrderedDict[tuple[str, Choice], Judged] = OrderedDict()

    def judged(self, reader: RunReader, artifact: Artifact, choice: Choice) -> Judged:
        """What is known of the predictions of an artifact.

        Raises:
            SourceError: the file is none of predictions, or has more rows than the page computes.
            InvalidValueError: there is no such class or division.
        """
        with self._lock:
            # By its bytes, not by its name: a file that is kept again is read again.
            digest = artifact.sha256 or ""
            key = (digest, choice)
            found = self._judged.get(key)
            if found is None:
                found = judge(self._predictions(reader, artifact, digest), choice)
                self._judged[key] = found
                while len(self._judged) > 1 and self._rows_judged() > self._most_rows:
                    self._judged.popitem(last=False)
            self._judged.move_to_end(key)
            return found

    def _predictions(self, reader: RunReader, artifact: Artifact, digest: str) -> Predictions:
        found = self._read.get(digest)
        if found is None:
            with reader.open_artifact(artifact.run_id, artifact.name) as file:
                found = read_predictions(file, name=artifact.name, max_rows=self._most_rows)
            self._read[digest] = found
            while len(self._read) > 1 and sum(map(len, self._read.values())) > self._most_rows:
                gone, _ = self._read.popitem(last=False)
                for key in [key for key in self._judged if key[0] == gone]:
                    del self._judged[key]
        self._read.move_to_end(digest)
        return found

    def _rows_judged(self) -> int:
        return sum(len(each.ranking.order) for each in self._judged.values())
