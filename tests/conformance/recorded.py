"""The durable recorder around a backend: the backend's own harness, opened through journals on disk."""

import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, cast

from runstore.backend import Store
from runstore.errors import StoreClosedError, StoreUnavailableError
from runstore.hookspecs import OpenOptions
from runstore.plugins.registry import backend_for
from runstore.recording import RecorderOptions, open_recorder
from runstore.testing import Harness, Unsupported
from runstore.urls import scheme_of
from support.processes import state_directory
from support.waiting import wait_until


def open_recorded_url(url: str, state_dir: str) -> Store:
    """Opens a recorded store whose journals lie in this folder."""
    options = RecorderOptions(
        state_dir=Path(state_dir), confirm_s=60.0, read_deadline_s=60.0
    )  # a busy machine is no outage
    return open_recorder(url, backend_for(scheme_of(url)), OpenOptions(), options)


class Flushed:
    """A recorder in another process. A process sees at once what its own recorders accepted; what another process's
    accepted it sees a moment later, when it is stored. The kit looks at once: so each call waits for that moment.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._store.close()

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._store, name)
        if not callable(member) or name == "close":
            return member

        def call(*arguments: Any, **named: Any) -> Any:
            result = member(*arguments, **named)
            self._store.flush()  # type: ignore[attr-defined]  # a recorder's
            return result

        return call


def open_flushed_url(url: str, state_dir: str) -> Store:
    """What another process opens."""
    return cast("Store", Flushed(open_recorded_url(url, state_dir)))


class Recorded(Harness):
    """Mixed into a backend's harness: its handles, in this process and in others, are recorders."""

    deviations: Mapping[str, str] = MappingProxyType(
        {
            "test_a_database_that_is_away_is_unavailable_and_the_same_handle_works_afterwards": (
                "a recorder accepts writes while the database is away; that is what it is for"
            )
        }
    )

    effort = 0.3  # the backend itself is tried in full
    is_immediate = False

    def open(self) -> Store:
        assert self.url is not None
        store = open_recorded_url(self.url, str(state_directory() / "recorded"))
        _opened.add(store)
        return store

    def open_recorded(self) -> Store:
        return self.open()

    def recipe(self) -> Callable[[], Store]:
        assert self.url is not None
        return partial(open_flushed_url, self.url, str(state_directory() / "recorded"))

    def open_connections(self) -> int:
        settle()
        return super().open_connections()

    def open_transactions(self) -> int:
        settle()
        return super().open_transactions()

    def count_round_trips(self) -> AbstractContextManager[Callable[[], int]]:
        raise Unsupported("a recorder's calls make no round trips; those of its drain are the backend's, counted there")


def settle() -> None:
    """Waits until the drains have caught up: at other times they hold a connection, and a transaction on it."""
    for store in list(_opened):
        with suppress(StoreUnavailableError, StoreClosedError):
            store.flush()  # type: ignore[attr-defined]  # a recorder's
        writer = getattr(store, "_writer", None)
        if writer is not None:  # the figures are stored after the records
            wait_until(partial(_is_done, writer.worker), "a recorder to have stored all", pause_s=0.01)


def _is_done(worker: Any) -> bool:
    return worker.is_idle or not worker.answers


_opened: weakref.WeakSet[Store] = weakref.WeakSet()
