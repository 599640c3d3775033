"""Harnesses over the SQL stores that have a bug, and their entries in the register."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self

from conformance.sql_harness import ServerHarness, SqliteHarness
from kit.mutants import sql
from kit.mutants.base import MUTANTS, Planted
from kit.mutants.sql import SqlMutant
from runstore.backend import Store
from runstore.testing import Harness, Unsupported
from support.servers import shared_server


class SqliteMutantHarness(SqliteHarness):
    """A SQLite file, opened with a bug here and in child processes."""

    def __init__(self, kind: type[SqlMutant], folder: Path | None = None) -> None:
        super().__init__(folder)
        self._kind = kind

    def open(self) -> Store:
        store = self._kind.at(self.url)
        self._stores.add(store)
        return store

    def recipe(self) -> Callable[[], Store]:
        return partial(self._kind.at, self.url)

    def fresh(self) -> "SqliteMutantHarness":
        return SqliteMutantHarness(self._kind)

    def private(self) -> SqliteHarness:
        raise Unsupported("no planted bug needs a disk of its own")


class ServerMutantHarness(ServerHarness):
    """A database of a server, opened with a bug here and in child processes."""

    kind: type[SqlMutant] = SqlMutant

    def open(self) -> Store:
        store = self.kind.at(self.url)
        self._stores.add(store)
        return store

    def recipe(self) -> Callable[[], Store]:
        return partial(self.kind.at, self.url)

    def of(self, kind: type[SqlMutant]) -> Self:
        """This harness, with this bug."""
        self.kind = kind
        return self

    def fresh(self) -> ServerHarness:
        return ServerMutantHarness(self._server).of(self.kind)

    def faulty(self) -> ServerHarness:
        faulty = super().faulty()
        assert isinstance(faulty, ServerMutantHarness)
        return faulty.of(self.kind)

    def private(self) -> ServerHarness:
        raise Unsupported("no planted bug needs a server of its own")


def harness_of(kind: type[SqlMutant], server: str) -> Harness:
    """A harness over a new database with this bug."""
    return ServerMutantHarness(shared_server(server)).of(kind) if server else SqliteMutantHarness(kind)


for each in vars(sql).values():
    if isinstance(each, type) and issubclass(each, SqlMutant) and each.breaks:
        MUTANTS[each.__name__] = Planted(each.breaks, partial(harness_of, each, each.server), each.server)
