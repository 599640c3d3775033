"""One run over the stages of a Lightning program: fit, test, fit again, each with an end that Lightning tells."""

import logging
from typing import Any

from runstore.model import RunFailure, RunStatus
from runstore.session import RunSession, ending_of

_log = logging.getLogger(__name__)

_PREEMPTED = RunFailure(
    type="Preempted", message="the cluster took the machine back and requeued the job", traceback=""
)
_UNTOLD = RunFailure(type="Unknown", message="Lightning said that it failed, and not why", traceback="")


class StagedRun:
    """Begins a run once, ends it after each stage as it went, and reopens it when training goes on.

    A run that ended well stays ``completed`` while ``test``, ``validate`` and ``predict`` add to it: nothing that
    happens to the process afterwards makes a finished training look lost. Another ``fit`` is the run's next attempt,
    and so is a later stage that fails.

    Attributes:
        session: the run's session.
        has_begun: whether :meth:`begin` was called.
        is_guest: whether this process only adds to a run of another one, whose status is then left alone.
    """

    def __init__(self, session: RunSession) -> None:
        """Begins nothing yet."""
        self.session = session
        self.has_begun = False
        self.is_guest = False
        self._ended_as: RunStatus | None = None
        self._held_configs: list[dict[str, Any]] = []

    def begin(self, *, resume: bool) -> None:
        """Begins the run, or, with ``resume=True``, reopens it if it has ended.

        Raises:
            RunStoreError: a mistake that must be mended before training; see :meth:`RunSession.begin`.
        """
        if self.has_begun and not (resume and (self.is_guest or self._ended_as is not None)):
            return
        if resume:
            self.is_guest = False
        self.session.begin(resume=resume)
        self.has_begun, self._ended_as = True, None
        held, self._held_configs = self._held_configs, []
        for config in held:
            self.session.log_config(config)

    def log_config(self, config: dict[str, Any]) -> None:
        """Logs a config, at the beginning if that is still to come: a checkpoint may yet tell another run."""
        if self.has_begun:
            self.session.log_config(config)
        else:
            self._held_configs.append(config)

    def succeed(self) -> bool:
        """Ends the run as ``completed`` unless it has ended before; whether it stands as completed."""
        if self._held_configs:
            self.begin(resume=False)
        if self.has_begun and not self.is_guest and self._ended_as is None:
            self.session.end(RunStatus.COMPLETED)
            self._ended_as = RunStatus.COMPLETED
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
        self.session.end(status, error or _UNTOLD)
        self._ended_as = status

    def be_preempted(self) -> None:
        """Ends the run as ``interrupted`` with the reason ``Preempted``; what is logged later is still taken."""
        if self.has_begun and not self.is_guest and self._ended_as is None:
            self.session.end(RunStatus.INTERRUPTED, _PREEMPTED)
            self._ended_as = RunStatus.INTERRUPTED
