"""Planted bugs in the end of a run (FIN)."""

from types import TracebackType
from typing import Any

from msgspec.structs import replace

from kit.mutants.base import Front, Mutant
from runstore.backend import NewRun, RunEnd
from runstore.errors import RunFinalizedError
from runstore.model import Run, RunStatus, from_microseconds
from runstore.series import SeriesColumns


class SecondEndMovesTheEndTime(Mutant, breaks="FIN.2"):
    def end_run(self, run_id: str, end: RunEnd) -> None:
        entry = self._entry(run_id)
        if entry.run.status == end.status:
            entry.run = replace(entry.run, status=RunStatus.IN_PROGRESS)
        super().end_run(run_id, end)


class AnotherEndOverwrites(Mutant, breaks="FIN.2"):
    def end_run(self, run_id: str, end: RunEnd) -> None:
        try:
            super().end_run(run_id, end)
        except RunFinalizedError:
            self._entry(run_id).run = replace(self._entry(run_id).run, status=end.status)


class AnyStatusEnds(Front, breaks="FIN.1"):
    def finalize(self, run_id: str, status: RunStatus | str, **given: Any) -> None:
        known = {"completed", "failed", "interrupted"}
        self.store.finalize(run_id, status if status in known else "completed", **given)


class EndMayPrecedeTheStart(Mutant, breaks="FIN.3"):
    def end_run(self, run_id: str, end: RunEnd) -> None:
        super().end_run(run_id, replace(end, end_us=None))
        if end.end_us is not None:
            self._entry(run_id).run = replace(self._entry(run_id).run, end_time=from_microseconds(end.end_us))


class FailureLosesItsTraceback(Mutant, breaks="FIN.4"):
    def find_run(self, run_id: str) -> Run | None:
        run = super().find_run(run_id)
        return replace(run, failure=replace(run.failure, traceback="")) if run and run.failure else run


class LatePointsAreRefused(Mutant, breaks="FIN.5"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        if self._entry(run_id).run.status.is_final:
            raise RunFinalizedError(f"run {run_id!r} has ended; resume it first")
        super().append(run_id, series)


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
    def begin_run(self, new: NewRun) -> None:
        super().begin_run(new)
        self.begun.add(new.id)


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
