"""Planted bugs in handles, durability and errors (OPEN, DUR, ERR) that a store in memory can have."""

from collections.abc import Iterable
from typing import Any, Self

from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.errors import NotFoundError, RunNotFoundError, StoreUnavailableError
from runstore.memory.store import MemoryStore
from runstore.model import Experiment, MetricPoint, Run


class LeaksAConnectionOnErrors(Mutant, breaks="DUR.3"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        leaked = self.database.__dict__.setdefault("leaked", [])
        leaked.append(self)
        super().log_metrics(run_id, points)
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
    def get_run(self, run_id: str) -> Run:
        if run_id not in self.database.runs:
            raise KeyError(run_id)
        return super().get_run(run_id)


class ErrorsCannotBePickled(Mutant, breaks="ERR.1"):
    def get_experiment(self, experiment_id: str) -> Experiment:
        class LocalNotFoundError(NotFoundError):
            code = "local"

        try:
            return super().get_experiment(experiment_id)
        except NotFoundError as error:
            raise LocalNotFoundError(str(error)) from None


class MessagesSayNothing(Mutant, breaks="ERR.2"):
    def get_run(self, run_id: str) -> Run:
        if run_id not in self.database.runs:
            raise RunNotFoundError(run_id)
        return super().get_run(run_id)


class MistakesAreCalledUnavailable(Mutant, breaks="ERR.3"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        try:
            super().log_metrics(run_id, points)
        except RunNotFoundError as error:
            raise StoreUnavailableError(str(error)) from error
