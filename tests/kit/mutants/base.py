"""What the planted bugs in memory stand on: their register, the store with one operation or method changed, and its harness."""

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Self, cast
from urllib.parse import quote

from runstore.backend import Store
from runstore.errors import StoreFailureError, StoreUnavailableError
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.opening.reading import ReadOnlyStore
from runstore.recording import Recorder, RecorderOptions
from runstore.testing import Harness
from support import going_back


class Planted(NamedTuple):
    """A planted bug.

    Attributes:
        clause: the one that must catch it.
        harness: makes a harness over a new database of the store that has the bug.
        server: the kind of server that it needs, if any.
    """

    clause: str
    harness: Callable[[], Harness]
    server: str = ""


MUTANTS: dict[str, Planted] = {}
"""Every planted bug by name; filled by the modules of this folder, all of which :mod:`kit.mutants.catalogue` imports."""


class Mutant(MemoryStore):
    """A backend with one operation changed. Registers each subclass with the clause that it breaks."""

    def __init_subclass__(cls, *, breaks: str = "", **named: Any) -> None:
        super().__init_subclass__(**named)
        if breaks:
            MUTANTS[cls.__name__] = Planted(breaks, partial(MutantHarness, cls))

    @property
    def database(self) -> MemoryDatabase:
        return self._database


class Front:
    """A front with one method changed, around a sound store.

    For bugs that no backend can have, because the base class checks, parses and pages in front of it: they must not
    come in there either.
    """

    def __init_subclass__(cls, *, breaks: str = "") -> None:
        if breaks:
            MUTANTS[cls.__name__] = Planted(breaks, partial(MutantHarness, cls))

    def __init__(self, database: MemoryDatabase) -> None:
        self.store = MemoryStore(database)
        self.database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.__exit__(kind, error, trace)


class MutantHarness(Harness):
    """A harness over any class of memory store; counts what it calls connections, and can damage bytes."""

    def __init__(self, kind: type[MemoryStore] | type[Front], database: MemoryDatabase | None = None) -> None:
        self._kind = kind
        self._database = database or MemoryDatabase()

    def open(self) -> MemoryStore:
        return cast("MemoryStore", self._kind(self._database))

    def fresh(self) -> "MutantHarness":
        return MutantHarness(self._kind)

    def open_reader(self) -> Store:
        store = self.open()
        return store if getattr(self._kind, "readers_write", False) else cast("Store", ReadOnlyStore(store))

    def open_recorded(self) -> Store:
        options = RecorderOptions(confirm_s=5.0, read_deadline_s=5.0)
        store = Recorder(self.open, identity=f"memory://{id(self._database)}", options=options)
        store.wait_until_opened()
        return store

    def back_up(self) -> Callable[[], None]:
        return going_back.of_memory(self._database)

    def open_connections(self) -> int:
        return len(getattr(self._database, "leaked", ()))

    def damage_artifact(self, run_id: str, name: str) -> None:
        record = self._database.runs[run_id].artifacts[name]
        kept = self._database.blobs._bytes  # noqa: SLF001 - behind its back
        data, put_us = kept[record.sha256 or ""]
        kept[record.sha256 or ""] = bytes([data[0] ^ 1]) + data[1:], put_us

    def age_artifacts(self, days: float) -> None:
        self._database.blobs.age(days)

    def open_with_password(self, password: str) -> MemoryStore:
        if hasattr(self._kind, "connect"):
            self._kind.connect(f"memory://me:{quote(password, safe='')}@host")
        raise StoreUnavailableError("memory://me:***@host is away; try again later")

    def open_refused(self) -> MemoryStore:
        if hasattr(self._kind, "turn_away"):
            self._kind.turn_away()
        raise StoreFailureError("memory://stranger@host refused: no such user; check the name")
