"""Rounds that were read a moment ago: a federation adds one, and those before it stay what they are."""

import threading
from collections import OrderedDict
from typing import Final

from runstore.protocol import RunReader
from runstore.rounds import ARTIFACT_TYPE, Round, read_round

MOST_CLIENTS: Final = 100_000
"""So many clients, of all rounds together, are kept: the page is to stay small."""


class KeptRounds:
    """Keeps the rounds that were read last, by their bytes."""

    def __init__(self, *, most_clients: int = MOST_CLIENTS) -> None:
        self._most_clients = most_clients
        self._lock = threading.Lock()
        self._rounds: OrderedDict[str, Round] = OrderedDict()
        self._clients = 0

    def of(self, reader: RunReader, run_id: str) -> list[Round]:
        """All rounds of a run, by ascending number. Only those that are new are read.

        Raises:
            RunNotFoundError: no such run.
            SourceError: the file of a round is none.
        """
        files = [
            each for each in reader.list_artifacts(run_id) if each.artifact_type == ARTIFACT_TYPE and each.is_stored
        ]
        found = []
        for artifact in files:
            digest = artifact.sha256 or artifact.name
            with self._lock:
                made = self._rounds.get(digest)
            if made is None:
                with reader.open_artifact(run_id, artifact.name) as file:
                    made = read_round(file, name=artifact.name)
                self._keep(digest, made)
            found.append(made)
        return sorted(found, key=lambda each: each.number)

    def _keep(self, digest: str, made: Round) -> None:
        with self._lock:
            if digest not in self._rounds:
                self._rounds[digest] = made
                self._clients += 1 + len(made.clients)
            while len(self._rounds) > 1 and self._clients > self._most_clients:
                _, gone = self._rounds.popitem(last=False)
                self._clients -= 1 + len(gone.clients)
