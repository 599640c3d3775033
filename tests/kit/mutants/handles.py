"""Planted bugs in handles, durability and errors (OPEN, DUR, ERR) that a store in memory can have."""

from typing import Any, Self

from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.errors import NotFoundError, RunNotFoundError, StoreUnavailableError
from runstore.memory.store import MemoryStore
from runstore.model import Experiment, Run
from runstore.series import SeriesColumns


class LeaksAConnectionOnErrors(Mutant, breaks="DUR.3"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        leaked = self.database.__dict__.setdefault("leaked", [])
        leaked.append(self)
        super().append(run_id, series)
        leaked.remove(self)


class HandsOutItsOwnValues(Mutant, breaks="DUR.6"):
    @staticmethod
    def _seen(run: Run, now_us: int) -> Run:
        seen = MemoryStore._seen(run, now_us)  # noqa: SLF001 - one bug, not two
        return replace(seen, tags=run.tags, provenance=run.provenance)


class ClosedHandlesGoOn(Mutant, breaks="OPEN.7"):
    def close(self) -> None: ...


class ClosingClosesTheOthersToo(Mutant, breaks="OPEN.7"):
    def _session(self) -> Any:
        self._is_closed = self._is_closed or self.database.__dict__.get("is_closed", False)
        return super()._session()

    def close(self) -> None:
        super().close()
        self.database.__dict__["is_closed"] = True


class PasswordStandsInTheError(Mutant, breaks="OPEN.6"):
    @classmethod
    def connect(cls, url: str) -> Self:
        raise StoreUnavailableError(f"could not connect to {url}; try again later")


class PasswordStandsBehindTheError(Mutant, breaks="OPEN.6"):
    @classmethod
    def connect(cls, url: str) -> Self:
        try:
            raise OSError(f"cannot parse {url}")  # noqa: TRY301 - a driver's error in its place
        except OSError:
            raise StoreUnavailableError("could not connect to memory://me:***@host; try again later") from None


class ARefusalLooksLikeAnOutage(Mutant, breaks="OPEN.8"):
    @classmethod
    def turn_away(cls) -> None:
        raise StoreUnavailableError("memory://stranger@host is away: no such user; try again later")


class DriverErrorsEscape(Mutant, breaks="ERR.1"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        if run_id not in self.database.runs:
            raise KeyError(run_id)
        super().append(run_id, series)


class ErrorsCannotBePickled(Mutant, breaks="ERR.1"):
    def find_experiment_by_id(self, experiment_id: str) -> Experiment | None:
        class LocalNotFoundError(NotFoundError):
            code = "local"

        found = super().find_experiment_by_id(experiment_id)
        if found is None:
            raise LocalNotFoundError(f"there is no experiment {experiment_id}; make it first")
        return found


class MessagesSayNothing(Mutant, breaks="ERR.2"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        if run_id not in self.database.runs:
            raise RunNotFoundError(run_id)
        super().append(run_id, series)


class MessagesNameNoCure(Mutant, breaks="ERR.2"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        if run_id not in self.database.runs:
            raise RunNotFoundError(f"in this store of runs no run has the id {run_id!r}")
        super().append(run_id, series)


class MistakesAreCalledUnavailable(Mutant, breaks="ERR.3"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        try:
            super().append(run_id, series)
        except RunNotFoundError as error:
            raise StoreUnavailableError(str(error)) from error
