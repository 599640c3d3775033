"""The run that a logger writes to now: the one it was made for, a checkpoint's, or a new one for a stage of its own."""

import logging
import multiprocessing
import os
import sys
import threading
from contextlib import suppress
from typing import Any, Literal

from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from runstore.errors import RunStoreError
from runstore.lightning._family import is_rank_zero
from runstore.lightning.checkpoints import CheckpointLog
from runstore.lightning.choosing import Own, choose_run, warn_of_overlap
from runstore.lightning.cli_config import keep_cli_config
from runstore.lightning.folders import Folders, fit_for_a_path
from runstore.lightning.launched import is_under_way, tells_the_end
from runstore.lightning.lineage import Lineage, Progress
from runstore.lightning.position import Steps
from runstore.lightning.resuming import Origin
from runstore.lightning.sessions import Sessions
from runstore.lightning.stages import Held, RunOverStages
from runstore.model import Run
from runstore.training.ending import close_when_dropped, stop_when_dropped
from runstore.training.going_on import experiment_of, learn_names, read_run
from runstore.training.points import PointMaker
from runstore.training.session import RunSession
from runstore.training.system import SystemMetrics
from runstore.values.checks import check_run_id
from runstore.values.ids import new_run_id

_log = logging.getLogger("runstore.lightning.logger")

_SIGNAL_PATIENCE_S = 5.0


class CurrentRun:
    """A logger's run, led from stage to stage by the trainer, or by the program where there is none.

    Attributes:
        run_id: the run that is written to.
        steps: where its training is.
        progress: what the stages of this run have logged.
        folders: where Lightning puts files.
    """

    def __init__(  # noqa: PLR0913 - the logger's own options
        self,
        sessions: Sessions,
        save_dir: str,
        *,
        maker: PointMaker,
        run_id: str | None,
        log_model: Literal["all"] | bool,
        system_metrics_s: float | None,
    ) -> None:
        self.run_id: str = new_run_id() if run_id is None else check_run_id(run_id)
        self.steps: Steps = Steps()
        self.progress: Progress = Progress()
        self._id_was_given = run_id is not None
        self._sessions = sessions
        self._maker = maker
        self.folders: Folders = Folders(save_dir, fit_for_a_path(sessions.experiment))
        self._log_model: Literal["all"] | bool = log_model
        self._lineage = Lineage.new()
        self._checkpoints = CheckpointLog(log_model, self._lineage)
        self._run: RunOverStages | None = None
        self._is_global_zero: bool | None = None
        self._is_new_stage = False
        self._goes_on = False
        self._system_metrics_s = system_metrics_s
        self._was_copied = False
        self._process = os.getpid()
        self._is_in_block = False

    @property
    def is_written_here(self) -> bool:
        """Whether this process is the one that writes: as its trainer says, else as the environment tells."""
        return is_rank_zero() if self._is_global_zero is None else self._is_global_zero

    @property
    def knows_trainer(self) -> bool:
        """Whether a trainer has told whether this process writes."""
        return self._is_global_zero is not None

    def staged(self) -> RunOverStages:
        """The run, which may still have to begin."""
        if self._run is None:
            self._run = RunOverStages(self._new_session())
            # Of a logger that a block outside holds, while this process is launched within.
            self._run.leaves_failures = self._is_in_block and os.getpid() != self._process
        return self._run

    def begun_session(self) -> RunSession:
        """The session of a run that has begun; it begins here where no trainer told of a stage."""
        run = self._run or self.staged()
        if not run.has_begun:
            if self._id_was_given:
                found = self._found(run.session)
                run.is_guest = found is not None and not found.status.is_final  # its end is another process's business
            run.begin(resume=self._id_was_given and not run.is_guest, is_stage=False)
            self._watch_system(on=True)
        return run.session

    def enter(self) -> None:
        """A block of the program's begins, whose end is the run's."""
        self._is_in_block = True

    def keep_checkpoint(self, callback: Any) -> None:
        """Takes note of the file that a ``ModelCheckpoint`` has written, and keeps it as ``log_model`` says."""
        if self.is_written_here and self._log_model:
            trainer = self.steps.trainer
            self._checkpoints.written(callback, self.steps.position(), self.begun_session(), trainer=trainer)

    # What the trainer tells

    def expect(self, trainer: Any) -> None:
        """Gets ready for a stage, on every rank, before Lightning chooses a folder for checkpoints.

        From here to :meth:`begin` what is logged waits, for the stage may get a run of its own.
        """
        self.steps.follow(trainer)
        self._is_global_zero = bool(trainer.is_global_zero)
        self._is_new_stage, self._goes_on = True, False
        if trainer.world_size > 1:
            self.run_id = trainer.strategy.broadcast(self.run_id)
        if self._run is not None:
            self._run.hold()

    def begin(self, trainer: Any) -> None:
        """Begins the run, or reopens it for another ``fit``, after checkpoints were read.

        Raises:
            Exception: what must be mended before training; see :meth:`runstore.training.session.RunSession.begin`.
        """
        is_new_stage, self._is_new_stage = self._is_new_stage, False
        if is_new_stage:
            run_id = self._run_of_its_own(trainer) if self.is_written_here else None
            if trainer.world_size > 1:
                run_id = trainer.strategy.broadcast(run_id)
            if run_id is not None:
                self._move_to(run_id, trainer)
        if not self.is_written_here:
            return
        run, is_fit = self.staged(), trainer.state.fn == "fit"
        is_of_another_process = os.getpid() != self._process  # that may have trained: ``ddp_spawn``, ``ddp_fork``
        if not run.has_begun and (self._id_was_given or is_of_another_process):
            found = self._found(run.session)
            run.is_guest = found is not None and not is_fit and self._id_was_given
            if found is not None and is_fit and not self._goes_on and trainer.global_step == 0:
                warn_of_overlap(run.session, self.run_id)
        if not run.has_begun and self._goes_on:
            learn_names(run.session, self._maker)
        run.begin(resume=is_fit)
        if is_new_stage:
            self.progress.begin(_stage_of(trainer), trainer.global_step)
            keep_cli_config(trainer, run.session)
        self._watch_system(on=True)

    def on_exception(self, error: BaseException) -> None:
        """Ends the run by what stops the training, before any logger is finalized.

        Lightning skips the loggers that follow one whose ``finalize`` fails; this does not wait for its turn.
        """
        if self.is_written_here:
            self._give_failed_stage_its_run()
            if self._run is not None:
                self._run.fail(error)

    def on_checkpoint_loaded(self, trainer: Any, origins: list[Origin]) -> None:
        """Continues the run that wrote a checkpoint, if that is to be; called on every rank."""
        if not origins:
            return
        chosen = self._choose(origins, trainer) if self.is_written_here else None
        if trainer.world_size > 1:
            chosen = trainer.strategy.broadcast(chosen)
        if trainer.state.fn != "fit" or chosen is None:
            return
        old_folder, self.run_id, self._goes_on = self.folders.of_checkpoints(self.run_id), chosen.run_id, True
        self._lineage = chosen.lineage.continued(chosen.step)
        self._checkpoints.lineage = self._lineage
        self._sessions.experiment = chosen.experiment
        self.folders = self.folders._replace(experiment=fit_for_a_path(chosen.experiment))
        if self._run is not None:
            self._run.session.run_id, self._run.session.experiment = chosen.run_id, chosen.experiment
        self._move_checkpoints(trainer, old_folder)

    def origin(self, *, step: int) -> Origin:
        """What a checkpoint tells of this run."""
        return Origin(
            run_id=self.run_id,
            experiment=self._sessions.experiment,
            store=self._sessions.store_name,
            step=step,
            lineage=self._lineage,
        )

    # Its end

    def finalize(self, status: str) -> None:
        """Ends the run as it went; see :meth:`runstore.lightning.RunStoreLogger.finalize`."""
        if not self.is_written_here:
            return
        error = sys.exc_info()[1]
        if status == "failed":
            self._give_failed_stage_its_run()
        if self._run is None and not (status == "failed" and self._was_given_to_children(error)):
            return
        run = self.staged()
        if status == "finished":
            # Called from a signal handler: the interrupted code may hold the store's lock, so another thread waits.
            ending = threading.Thread(target=run.be_preempted, name="runstore-preempted")
            ending.start()
            ending.join(_SIGNAL_PATIENCE_S)
            return
        self._watch_system(on=False)
        self.progress.end()
        if status != "success":
            self._fail(run, error)
        is_completed = status == "success" and run.succeed()
        if run.has_begun:
            self._checkpoints.finish(run.session, is_completed=is_completed)
        run.session.close()

    def leave(self, error: BaseException | None) -> None:
        """Ends the run by what left the logger's block, if anything."""
        self._is_in_block = False
        if not self.is_written_here:
            return
        if self._run is None and error is None:
            self._end_what_children_left()
            return
        run = self.staged()
        self._watch_system(on=False)
        if error is None:
            run.succeed()
        else:
            self._fail(run, error)
        run.session.close()

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what the trainer told; the copy writes to the same run."""
        self._was_copied = True
        return self.__dict__ | {"_is_global_zero": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The same run; what is opened is closed with it."""
        self.__dict__.update(state)
        if self._run is not None:
            close_when_dropped(self, self._run.session)

    def _found(self, session: RunSession) -> Run | None:
        """The run as the store knows it; if the program has named no experiment, it stays in its own."""
        found = read_run(session, self.run_id)
        if found is not None:
            learn_names(session, self._maker)
        if found is not None and not self._sessions.names_experiment:
            experiment = experiment_of(session, found)
            if experiment is not None:
                session.experiment = self._sessions.experiment = experiment
        return found

    def _new_session(self, **tags: str) -> RunSession:
        session = self._sessions.new(self.run_id, **tags)
        session.maker, session.step_now = self._maker, self.steps.now
        close_when_dropped(self, session)
        return session

    def _watch_system(self, *, on: bool) -> None:
        run = self.staged()
        if on and self._system_metrics_s is not None and run.system is None:
            run.system = SystemMetrics(run.session, every_s=self._system_metrics_s, directory=".")
            stop_when_dropped(self, run.system, run.session)
        elif not on:
            run.stop_system()

    def _fail(self, run: RunOverStages, error: BaseException | None) -> None:
        """Ends the run by an error, unless a process that this one has started has ended it so already."""
        if not run.has_begun and (not self._id_was_given or self._was_given_to_children(error)):
            found = None
            with suppress(RunStoreError):  # that the store cannot be opened is what ends the training, or is told below
                found = self._found(run.session)
            if found is not None and tells_the_end(found, error):
                return
        run.fail(error)

    def _end_what_children_left(self) -> None:
        """Ends a run whose launched processes have failed, where the program has caught that."""
        if self._was_copied and not multiprocessing.active_children():
            run = self.staged()
            if is_under_way(self._found(run.session)):
                run.fail(None)
            run.session.close()

    def _was_given_to_children(self, error: BaseException | None) -> bool:
        """Whether processes that this one has started (``ddp_spawn``, ``ddp_fork``) were to write the run."""
        return self._was_copied or isinstance(error, (ProcessRaisedException, ProcessExitedException))

    def _give_failed_stage_its_run(self) -> None:
        """Gives a stage that failed before it began the run that it would have had."""
        trainer = self.steps.trainer
        if self._is_new_stage and trainer is not None:
            self._is_new_stage = False
            if trainer.ckpt_path is None and (run_id := self._run_of_its_own(trainer)) is not None:
                self._move_to(run_id, trainer)

    def _run_of_its_own(self, trainer: Any) -> str | None:
        """The id of a new run, for a stage that would write over what was logged before."""
        if not self._goes_on and self.progress.writes_over(_stage_of(trainer), trainer.global_step):
            return new_run_id()
        return None

    def _move_to(self, run_id: str, trainer: Any) -> None:
        """Leaves the run, which has ended, and goes on with a new one that is linked to it."""
        old_id, old_folder, self.run_id = self.run_id, self.folders.of_checkpoints(self.run_id), run_id
        self._id_was_given = False
        self._lineage, self.progress, self.steps.last = Lineage.new(), Progress(), -1
        self._checkpoints = CheckpointLog(self._log_model, self._lineage)
        self._move_checkpoints(trainer, old_folder)
        if not self.is_written_here:
            return
        held = Held([], [])
        if self._run is not None:
            held = self._run.take_held()
            self._run.session.close()
        self._run = RunOverStages(self._new_session(from_run=old_id))
        self._run.give_held(held)
        _log.warning(
            "%s begins at step %d, where run %s has points already; it gets a run of its own, %s, with the other's id in "
            "its tag from_run. A logger for each training names them as you like",
            _stage_of(trainer),
            trainer.global_step,
            old_id,
            run_id,
        )

    def _move_checkpoints(self, trainer: Any, old_folder: str) -> None:
        """Lightning has chosen its folder for checkpoints by now: in the run's own, top-k goes on where it was."""
        for callback in trainer.checkpoint_callbacks:
            if getattr(callback, "dirpath", None) == old_folder:
                callback.dirpath = self.folders.of_checkpoints(self.run_id)

    def _choose(self, origins: list[Origin], trainer: Any) -> Origin | None:
        own = Own(
            run_id=self.run_id,
            id_was_given=self._id_was_given,
            experiment=self._sessions.experiment if self._sessions.names_experiment else None,
            store_name=self._sessions.store_name,
        )
        return choose_run(
            origins, self.staged(), own=own, stage=_stage_of(trainer), checkpoint=str(trainer.ckpt_path)
        )  # fmt: skip


def _stage_of(trainer: Any) -> str:
    """``fit``, ``validate``, ``test`` or ``predict``."""
    return str(getattr(trainer.state.fn, "value", trainer.state.fn))
