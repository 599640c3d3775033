"""What a trainer's callback tells the logger: a stage begins, a checkpoint is read, an exception stops all."""

import logging
import os
import weakref
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

from runstore.lightning.callback import RunFollower
from runstore.lightning.checkpoints import CheckpointLog
from runstore.lightning.choosing import choose_run, warn_of_overlap, warn_of_what_is_abandoned
from runstore.lightning.cli_config import keep_cli_config
from runstore.lightning.lineage import Lineage, Progress
from runstore.lightning.resuming import Origin, read_run
from runstore.lightning.stages import Held, StagedRun
from runstore.protocol import RunStore
from runstore.secrets import redact
from runstore.settings import load_settings
from runstore.training.session import RunSession
from runstore.values.ids import new_run_id

_log = logging.getLogger("runstore.lightning.logger")


class LedByTrainer(RunFollower):
    """The part of the logger that a trainer leads, by :class:`runstore.lightning.callback.RunStoreCallback`.

    It knows which run a stage belongs to: the one that there is, that of a checkpoint, or a new one.
    """

    run_id: str
    _experiment_name: str
    _id_was_given: bool
    _url: str | None
    _store: RunStore | None
    _tags: dict[str, str]
    _save_dir: str
    _last_step: int

    def __init__(self, log_model: Literal["all"] | bool) -> None:  # noqa: FBT001 - the logger's own option
        """No stage was begun yet."""
        self._log_model: Literal["all"] | bool = log_model
        self._lineage = Lineage.new()
        self._checkpoints = CheckpointLog(log_model, self._lineage)
        self._progress = Progress()
        self._experiment: RunSession | None = None
        self._run: StagedRun | None = None
        self._is_global_zero: bool | None = None
        self._is_new_stage = False
        self._goes_on = False
        self._trainer: weakref.ref[Any] | None = None

    @property
    @abstractmethod
    def name(self) -> str:
        """The experiment's name, as a folder may be called."""

    @property
    @abstractmethod
    def version(self) -> str:
        """The run's id, as a folder may be called."""

    @property
    @abstractmethod
    def _writes(self) -> bool: ...

    @property
    @abstractmethod
    def _is_of_another_process(self) -> bool: ...

    @abstractmethod
    def _staged_run(self) -> StagedRun: ...

    @abstractmethod
    def _new_session(self, tags: Mapping[str, str]) -> RunSession: ...

    @abstractmethod
    def _watch_system(self, *, on: bool) -> None: ...

    def expect(self, trainer: Any) -> None:
        """Gets ready for a stage.

        From here to :meth:`begin` what is logged waits, for the stage may get a run of its own.
        """
        self._trainer = weakref.ref(trainer)
        self._is_global_zero = bool(trainer.is_global_zero)
        self._is_new_stage, self._goes_on = True, False
        if trainer.world_size > 1:
            self.run_id = trainer.strategy.broadcast(self.run_id)
        if self._run is not None:
            self._run.hold()

    def begin(self, trainer: Any) -> None:
        """Begins the run, or reopens it for another ``fit``."""
        is_new_stage, self._is_new_stage = self._is_new_stage, False
        if is_new_stage:
            run_id = self._run_of_its_own(trainer) if self._writes else None
            if trainer.world_size > 1:
                run_id = trainer.strategy.broadcast(run_id)
            if run_id is not None:
                self._move_to(run_id, trainer)
        if not self._writes:
            return
        run, is_fit = self._staged_run(), trainer.state.fn == "fit"
        if not run.has_begun and (self._id_was_given or self._is_of_another_process):
            found = read_run(run.session, self.run_id)
            run.is_guest = found is not None and not is_fit and self._id_was_given
            if found is not None and is_fit and not self._goes_on and trainer.global_step == 0:
                warn_of_overlap(run.session, self.run_id)
        run.begin(resume=is_fit)
        if is_new_stage:
            self._progress.begin(_stage_of(trainer), trainer.global_step)
            keep_cli_config(trainer, run.session)
        self._watch_system(on=True)

    def on_exception(self, error: BaseException) -> None:
        """Ends the run by what stops the training."""
        if self._writes:
            self._meet_failure_of_new_stage()
            if self._run is not None:
                self._run.fail(error)

    def on_checkpoint_loaded(self, trainer: Any, origins: list[Origin]) -> None:
        """Continues the run that wrote a checkpoint, if that is to be."""
        if not origins:
            return
        chosen = self._choose(origins, trainer) if self._writes else None
        if trainer.world_size > 1:
            chosen = trainer.strategy.broadcast(chosen)
        if trainer.state.fn != "fit" or chosen is None:
            return
        old_version, self.run_id, self._goes_on = self.version, chosen.run_id, True
        self._lineage = chosen.lineage.continued(chosen.step)
        self._checkpoints.lineage = self._lineage
        if self._experiment is not None:
            self._experiment.run_id = self.run_id
        self._move_checkpoints(trainer, old_version)

    def origin(self, *, step: int) -> Origin:
        """What a checkpoint tells of this run."""
        return Origin(
            run_id=self.run_id,
            experiment=self._experiment_name,
            store=self._store_name(),
            step=step,
            lineage=self._lineage,
        )

    def _run_of_its_own(self, trainer: Any) -> str | None:
        """The id of a new run, for a stage that would write over what was logged before."""
        if not self._goes_on and self._progress.writes_over(_stage_of(trainer), trainer.global_step):
            return new_run_id()
        return None

    def _move_to(self, run_id: str, trainer: Any) -> None:
        """Leaves the run, which has ended, and goes on with a new one that is linked to it."""
        old_id, old_version, self.run_id = self.run_id, self.version, run_id
        self._id_was_given = False
        self._lineage, self._progress, self._last_step = Lineage.new(), Progress(), -1
        self._checkpoints = CheckpointLog(self._log_model, self._lineage)
        self._move_checkpoints(trainer, old_version)
        if not self._writes:
            return
        held = Held([], []) if self._run is None else self._run.take_held()
        if self._experiment is not None:
            self._experiment.close()
        self._experiment = self._new_session(self._tags | {"from_run": old_id})
        self._run = StagedRun(self._experiment)
        self._run.give_held(held)
        _log.warning(
            "%s begins at step %d, where run %s has points already; it gets a run of its own, %s, with the other's id in "
            "its tag from_run. A logger for each training names them as you like",
            _stage_of(trainer),
            trainer.global_step,
            old_id,
            run_id,
        )

    def _move_checkpoints(self, trainer: Any, old_version: str) -> None:
        """Lightning has chosen its folder for checkpoints by now: in the run's own, top-k goes on where it was."""
        for callback in trainer.checkpoint_callbacks:
            if getattr(callback, "dirpath", None) == self._checkpoint_folder(old_version):
                callback.dirpath = self._checkpoint_folder(self.version)

    def _meet_failure_of_new_stage(self) -> None:
        """Gives a stage that failed before it began the run that it would have had."""
        trainer = None if self._trainer is None else self._trainer()
        if self._is_new_stage and trainer is not None:
            self._is_new_stage = False
            if trainer.ckpt_path is None and (run_id := self._run_of_its_own(trainer)) is not None:
                self._move_to(run_id, trainer)

    def _choose(self, origins: list[Origin], trainer: Any) -> Origin | None:
        """The origin whose run this stage goes on with; ``None`` where it goes on with none of them."""
        run = self._staged_run()
        own = next((origin for origin in origins if origin.run_id == self.run_id), None)
        if own is not None and _stage_of(trainer) == "fit":
            warn_of_what_is_abandoned(run.session, own)
        if own is not None or run.has_begun:
            return own
        return choose_run(
            origins,
            session=run.session,
            store_name=self._store_name(),
            reason_to_keep=lambda origin: self._reason_to_keep(origin, trainer),
            checkpoint=str(trainer.ckpt_path),
        )

    def _reason_to_keep(self, origin: Origin, trainer: Any) -> str | None:
        if self._id_was_given:
            return f"run_id={self.run_id!r} was given"
        if trainer.state.fn != "fit":
            return "only fit continues a run"
        if origin.experiment != self._experiment_name:
            return f"it is of the experiment {origin.experiment!r}, not {self._experiment_name!r}"
        return None

    def _store_name(self) -> str | None:
        if self._store is not None:
            return None
        url = load_settings(url=self._url).url
        return None if url is None else redact(url)

    def _checkpoint_folder(self, version: str) -> str:
        return os.path.join(self._save_dir, self.name, version, "checkpoints")  # noqa: PTH118 - the very text of Lightning's


def _stage_of(trainer: Any) -> str:
    """``fit``, ``validate``, ``test`` or ``predict``."""
    return str(getattr(trainer.state.fn, "value", trainer.state.fn))
