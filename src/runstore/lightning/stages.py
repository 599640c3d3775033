"""One run over the stages of a Lightning program: fit, test, fit again, each with an end that Lightning tells."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from runstore.lightning.launched import failure_of, left_a_launched_function
from runstore.model import MetricPoint, RunFailure, RunStatus
from runstore.training.ending import expect_end, note_end
from runstore.training.session import RunSession, ending_of
from runstore.training.system import SystemMetrics

_log = logging.getLogger(__name__)

_PREEMPTED = RunFailure(
    type="Preempted", message="the cluster took the machine back and requeued the job", traceback=""
)
_UNTOLD = RunFailure(type="Unknown", message="Lightning said that it failed, and not why", traceback="")
_UNENDED = RunFailure(
    type="Unended", message="the process ended before anything said how this training ended", traceback=""
)


class Held(NamedTuple):
    """What was logged before its run was known."""

    configs: list[dict[str, Any]]
    points: list[MetricPoint]


class RunOverStages:
    """Begins a run once, ends it after each stage as it went, and reopens it when training goes on.

    A run that ended well stays ``completed`` while ``test``, ``validate`` and ``predict`` add to it: nothing that
    happens to the process afterwards makes a finished training look lost. Another ``fit`` is the run's next attempt,
    and so is a later stage that fails. A run that nobody ends is ended with its process.

    Attributes:
        session: the run's session.
        has_begun: whether :meth:`begin` was called.
        is_guest: whether this process only adds to a run of another one, whose status is then left alone.
        leaves_failures: whether the process that launched this one tells of its failures.
        system: what watches the machine meanwhile, if anything does.
    """

    def __init__(self, session: RunSession) -> None:
        self.session = session
        self.has_begun: bool = False
        self.is_guest: bool = False
        self.leaves_failures = False
        self.system: SystemMetrics | None = None
        self._is_in_stage = False
        self._ended_as: RunStatus | None = None
        self._is_holding = True
        self._held = Held([], [])

    def begin(self, *, resume: bool, is_stage: bool = True) -> None:
        """Begins the run, or, with ``resume=True``, reopens it if it has ended.

        Args:
            resume: whether a run that has ended is reopened.
            is_stage: whether a trainer began it, who will tell its end.

        Raises:
            Exception: what must be mended before training; see :meth:`RunSession.begin`.
        """
        self._is_in_stage = self._is_in_stage or is_stage
        if not self.has_begun or (resume and (self.is_guest or self._ended_as is not None)):
            if resume:
                self.is_guest = False
            self.session.begin(resume=resume)
            self.has_begun, self._ended_as = True, None
            if not self.is_guest:
                expect_end(self)
        self._release()

    def hold(self) -> None:
        """Holds what is logged until :meth:`begin` is called again: the next stage may get a run of its own."""
        self._is_holding = True

    def take_held(self) -> Held:
        """What was held, for another run."""
        held, self._held, self._is_holding = self._held, Held([], []), False
        return held

    def give_held(self, held: Held) -> None:
        """Holds what was held elsewhere."""
        self._held.configs.extend(held.configs)
        self._held.points.extend(held.points)

    def log_config(self, config: dict[str, Any]) -> None:
        """Logs a config, or holds it until the run begins: loading a checkpoint may still switch to another run."""
        if self._is_holding:
            self._held.configs.append(config)
        else:
            self.session.log_config(config)

    def log_points(self, points: Sequence[MetricPoint]) -> None:
        """Logs points that belong to a config, when it is logged."""
        if self._is_holding:
            self._held.points.extend(points)
        else:
            self.session.log_metrics(points)

    def succeed(self) -> bool:
        """Ends the run as ``completed`` unless it has ended before; whether it stands as completed."""
        if self._held.configs or self._held.points:
            self.begin(resume=False)
        if self.has_begun and not self.is_guest and self._ended_as is None:
            self.session.end(RunStatus.COMPLETED)
            self._note_end(RunStatus.COMPLETED)
        self._is_in_stage = False
        return self._ended_as is RunStatus.COMPLETED

    def fail(self, error: BaseException | None) -> None:
        """Ends the run by what the training was stopped by, unless it has been preempted before."""
        status = RunStatus.FAILED if error is None else ending_of(error)
        if self.is_guest or status is self._ended_as or self._ended_as is RunStatus.INTERRUPTED:
            return
        try:
            self.begin(resume=True)
        except Exception as mistake:  # noqa: BLE001 - the error that stops the training is the one to be seen
            _log.warning("run %s could not begin, so its failure is not stored: %s", self.session.run_id, mistake)
            return
        self.session.end(status, failure_of(error) or _UNTOLD)
        self._note_end(status)

    def be_preempted(self) -> None:
        """Ends the run as ``interrupted`` with the reason ``Preempted``; what is logged later is still taken."""
        if self.has_begun and not self.is_guest and self._ended_as is None:
            self.session.end(RunStatus.INTERRUPTED, _PREEMPTED)
            self._note_end(RunStatus.INTERRUPTED)

    def end_with_process(self, error: BaseException | None) -> None:
        """Ends the run when its process ends: as that did, or as unended where a trainer should have told its end."""
        self.stop_system()
        # Lightning tells a launched process of no failure, and ends the stage in the one that launched it.
        if (self.leaves_failures or self._is_in_stage) and left_a_launched_function(error):
            pass
        elif error is not None:
            self.session.end_with(error)
        elif self._is_in_stage:
            self.session.end(RunStatus.INTERRUPTED, _UNENDED)
        else:
            self.session.end(RunStatus.COMPLETED)
        self.session.close()

    def stop_system(self) -> None:
        """Watches the machine no longer."""
        system, self.system = self.system, None
        if system is not None:
            system.stop()

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what watches this machine, which is a thread."""
        return self.__dict__ | {"system": None}

    def _release(self) -> None:
        self._is_holding = False
        held, self._held = self._held, Held([], [])
        for config in held.configs:
            self.session.log_config(config)
        if held.points:
            self.session.log_metrics(held.points)

    def _note_end(self, status: RunStatus) -> None:
        self._ended_as = status
        self._is_in_stage = False
        note_end(self)
