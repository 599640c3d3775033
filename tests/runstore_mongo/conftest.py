"""Stores on both kinds of server, and an ear on the commands that the driver sends."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import monitoring

from runstore_mongo.store import MongoStore


class Commands(monitoring.CommandListener):
    """Keeps the commands that this process sends while somebody listens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: list[dict[str, Any]] | None = None

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        with self._lock:
            if self._heard is not None:
                self._heard.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...
    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...

    @contextmanager
    def heard(self) -> Iterator[list[dict[str, Any]]]:
        """The commands sent inside the block."""
        commands: list[dict[str, Any]] = []
        self._heard = commands
        try:
            yield commands
        finally:
            self._heard = None


_COMMANDS = Commands()
monitoring.register(_COMMANDS)


@pytest.fixture
def commands() -> Commands:
    return _COMMANDS


@pytest.fixture(params=["standalone", "replica set"])
def url(request: pytest.FixtureRequest) -> str:
    """A new database on each kind of server."""
    name = "mongodb_url" if request.param == "standalone" else "mongodb_replica_url"
    found: str = request.getfixturevalue(name)
    return found


@pytest.fixture
def store(url: str) -> Iterator[MongoStore]:
    with MongoStore(url) as store:
        yield store


@pytest.fixture
def run_id(store: MongoStore) -> str:
    return store.ensure_run(store.get_or_create_experiment("pneumonia"))
