"""Planted bugs in the end of a run (FIN)."""

from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Any

from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.errors import RunFinalizedError
from runstore.model import MetricPoint, Run, RunStatus


class SecondEndMovesTheEndTime(Mutant, breaks="FIN.2"):
    def finalize(self, run_id: str, status: RunStatus | str, **given: Any) -> None:
        entry = self._entry(run_id)
        if entry.run.status == status:
            entry.run = replace(entry.run, status=RunStatus.IN_PROGRESS)
        super().finalize(run_id, status, **given)


class AnotherEndOverwrites(Mutant, breaks="FIN.2"):
    def finalize(self, run_id: str, status: RunStatus | str, **given: Any) -> None:
        try:
            super().finalize(run_id, status, **given)
        except RunFinalizedError:
            self._entry(run_id).run = replace(self._entry(run_id).run, status=RunStatus(status))


class AnyStatusEnds(Mutant, breaks="FIN.1"):
    def finalize(self, run_id: str, status: RunStatus | str, **given: Any) -> None:
        known = {"completed", "failed", "interrupted"}
        super().finalize(run_id, status if status in known else "completed", **given)


class EndMayPrecedeTheStart(Mutant, breaks="FIN.3"):
    def finalize(self, run_id: str, status: RunStatus | str, *, end_time: datetime | None = None, **given: Any) -> None:
        super().finalize(run_id, status, **given)
        if end_time is not None:
            self._entry(run_id).run = replace(self._entry(run_id).run, end_time=end_time)


class FailureLosesItsTraceback(Mutant, breaks="FIN.4"):
    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        return replace(run, failure=replace(run.failure, traceback="")) if run.failure else run


class LatePointsAreRefused(Mutant, breaks="FIN.5"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        if self._entry(run_id).run.status.is_final:
            raise RunFinalizedError(f"run {run_id!r} has ended; resume it first")
        super().log_metrics(run_id, points)


class DeadRunsStayInProgress(Mutant, breaks="FIN.6"):
    @staticmethod
    def _seen(run: Run, now_us: int) -> Run:  # noqa: ARG004 - the clock that it should ask
        return run


class LeavingEndsNothing(Mutant, breaks="FIN.7"):
    def __exit__(self, *_: object) -> None:
        self.close()


class LeavingEndsEveryRunAsFailed(Mutant, breaks="FIN.7"):
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, RuntimeError(str(error)) if error else None, trace)


class LeavingEndsRunsThatWereOnlyFound(Mutant, breaks="FIN.7"):
    def ensure_run(self, *arguments: Any, **given: Any) -> str:
        run_id = super().ensure_run(*arguments, **given)
        self.begun.add(run_id)
        return run_id


class LeavingWellKeepsTheLeaseOfADay(Mutant, breaks="FIN.7"):
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        super().__exit__(kind, error, trace)


class WritingIsNoSignOfLife(Mutant, breaks="FIN.6"):
    @staticmethod
    def _touch(entry: Any, now_us: int) -> None: ...
