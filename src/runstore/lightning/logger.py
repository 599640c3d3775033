"""The Lightning logger: one run for fit, test and fit again, told apart by how it ended."""

import functools
import logging
import os
import re
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from runstore.checks import check_name, check_run_id, shown
from runstore.errors import InvalidValueError
from runstore.ids import new_run_id
from runstore.lightning._family import Logger, be_a_logger_of_both, is_rank_zero, rank_zero_experiment, rank_zero_only
from runstore.lightning.checkpoints import CheckpointLog, Position
from runstore.lightning.hparams import config_of
from runstore.lightning.resuming import Origin, RunStoreCallback, close_attempt, read_run
from runstore.lightning.stages import StagedRun
from runstore.lightning.system import SystemMetrics
from runstore.model import MetricPoint
from runstore.naming import MetricNames
from runstore.opening import open_store
from runstore.protocol import RunStore
from runstore.provenance import gather_provenance
from runstore.secrets import redact
from runstore.session import RunSession
from runstore.settings import load_settings

_log = logging.getLogger(__name__)

_SIGNAL_PATIENCE_S = 5.0
_PACKAGES = (
    "runstore",
    "lightning",
    "pytorch-lightning",
    "torch",
    "torchvision",
    "torchmetrics",
    "numpy",
)
_UNSAFE_IN_PATHS = re.compile(r"[^\w .@=+,-]")


@be_a_logger_of_both
class RunStoreLogger(Logger):
    """Keeps a Lightning project's runs in the database at a URL.

    ``Trainer(logger=RunStoreLogger("postgresql://me@db/runs", experiment="ct-seg"))`` is all there is to it. The run
    has its id at once, in ``run_id`` and ``version``; the database is touched on rank zero only, when training begins.

    One logger is one run, through any number of ``fit``, ``validate``, ``test`` and ``predict``. Each of them that
    begins the run also ends it: ``completed``; ``failed`` with the exception's type, message and traceback;
    ``interrupted`` for Ctrl-C and SIGTERM, and for a Slurm requeue, whose reason is then ``Preempted``. What ``test``
    logs after ``fit`` is added to the completed run; another ``fit`` reopens it as its next attempt.
    ``fit(ckpt_path=...)`` in a new process continues the run that wrote the checkpoint, unless ``run_id`` is given.

    A store that is away never stops training; see :class:`runstore.session.RunSession`.
    """

    def __init__(  # noqa: PLR0913 - each is an option of its own in a LightningCLI file
        self,
        url: str | None = None,
        *,
        experiment: str = "default",
        run_id: str | None = None,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        source_path: str | None = None,
        parent_run_id: str | None = None,
        save_dir: str | os.PathLike[str] = ".",
        prefix: str = "",
        map_names: bool = True,
        log_model: Literal["all"] | bool = False,
        system_metrics_s: float | None = None,
        durable: bool = True,
        artifacts: str | None = None,
        store: RunStore | None = None,
    ) -> None:
        """Opens nothing and writes nothing.

        Args:
            url: the store's URL; by default it is looked for as :func:`runstore.open_store` does.
            experiment: the experiment's name.
            run_id: an existing run to continue, or the id for a new one. It wins over the one in a checkpoint.
            name: a label for the run.
            tags: short texts by key.
            source_path: where the data came from.
            parent_run_id: an existing run of the same store, for instance a sweep's.
            save_dir: where Lightning puts checkpoints (``save_dir/experiment/run id/checkpoints``) and the CLI its
                configuration.
            prefix: put before each metric's name, with a dash.
            map_names: whether ``val_auroc`` becomes ``auroc`` of ``validation``; see :mod:`runstore.naming`.
            log_model: ``True`` keeps the best and the last checkpoints as artifacts when training has ended well,
                ``"all"`` each one as it is written; see :class:`runstore.lightning.checkpoints.CheckpointLog`.
            system_metrics_s: seconds between readings of processor, memory, disk and GPUs; ``None`` for none.
            durable: whether calls are journaled on local disk first, as in :func:`runstore.open_store`.
            artifacts: where artifact bytes go, as in :func:`runstore.open_store`.
            store: an open store instead of a URL. It stays the caller's: it is never closed here.

        Raises:
            InvalidValueError: (a ``ValueError``) a name, the run id or ``log_model`` is not allowed, or both ``url``
                and ``store`` are given.
        """
        super().__init__()
        if url is not None and store is not None:
            raise InvalidValueError("url and store are both given; give the URL to open a store, or an open store")
        if log_model not in (True, False, "all"):
            raise InvalidValueError(f"log_model is {log_model!r}; give True, False or 'all'")
        self._experiment_name = check_name(experiment, "experiment")
        self.run_id = new_run_id() if run_id is None else check_run_id(run_id)
        self._id_was_given = run_id is not None
        self._url = url
        self._artifacts = artifacts
        self._durable = durable
        self._store = store
        self._birth: dict[str, Any] = {"name": name, "source_path": source_path, "parent_run_id": parent_run_id}
        self._tags = dict(tags or {})
        self._save_dir = os.fspath(save_dir)
        self._system_metrics_s = system_metrics_s
        self._names = MetricNames(split=map_names, prefix=prefix)
        self._refused: set[object] = set()
        self._checkpoints = CheckpointLog(log_model)
        self._experiment: RunSession | None = None
        self._run: StagedRun | None = None
        self._last_step = -1
        self._was_copied = False
        self._trainer: weakref.ref[Any] | None = None
        self._system: SystemMetrics | None = None

    @property
    def name(self) -> str:
        """The experiment's name, as a folder may be called."""
        return _fit_for_a_path(self._experiment_name)

    @property
    def version(self) -> str:
        """The run's id, as a folder may be called."""
        return _fit_for_a_path(self.run_id)

    @property
    def save_dir(self) -> str:
        """Where Lightning puts files; the store's files have their own place."""
        return self._save_dir

    @property
    def root_dir(self) -> str:
        """The folder of the experiment's files."""
        return str(Path(self._save_dir) / self.name)

    @property
    def log_dir(self) -> str:
        """The folder of the run's files."""
        return str(Path(self._save_dir) / self.name / self.version)

    @property
    @rank_zero_experiment
    def experiment(self) -> RunSession:
        """The run's session, to log what Lightning has no word for: ``logger.experiment.log_artifact("roc.png")``."""
        if self._experiment is None:
            session = RunSession(
                functools.partial(open_store, self._url, durable=self._durable, artifacts=self._artifacts)
                if self._store is None
                else self._store,
                experiment=self._experiment_name,
                run_id=self.run_id,
                tags=self._tags,
                provenance=gather_provenance(packages=_PACKAGES, seed=_seed()),
                **self._birth,
            )
            self._experiment, self._run = session, StagedRun(session)
        return self._experiment

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Writes numbers at a step; without one, at the step after the last. What is no number is warned of once.

        Raises:
            InvalidValueError: this is no mapping.
        """
        if not isinstance(metrics, Mapping):
            raise InvalidValueError(
                f"metrics is {shown(metrics)} of type {type(metrics).__name__}; give a mapping, such as {{'loss': 0.5}}"
            )
        session = self._begun_session()
        step = self._last_step + 1 if step is None else _step(step)
        if type(step) is int:
            self._last_step = step
        points = []
        for key, value in metrics.items():
            try:
                number = value if type(value) is float else _number(value)
            except Exception:  # noqa: BLE001 - a stranger's __float__ may raise anything
                self._refuse(key, value)
                continue
            name, dataset_type = self._names[key if isinstance(key, str) else str(key)]
            points.append(MetricPoint(name=name, value=number, step=step, dataset_type=dataset_type))
        if points:
            session.log_metrics(points)

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - other loggers take more
        """Merges hyperparameters of any kind into the run's config; see :mod:`runstore.lightning.hparams`."""
        self._staged_run().log_config(config_of(params))

    def log_graph(self, model: Any, input_array: Any = None) -> None:  # noqa: ARG002 - the base's face
        """Keeps no graph. Lightning calls it with the model before each stage, whose trainer gets our callback."""
        trainer = getattr(model, "_trainer", None)
        if trainer is not None and not any(isinstance(callback, RunStoreCallback) for callback in trainer.callbacks):
            trainer.callbacks.insert(0, RunStoreCallback())

    @rank_zero_only
    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Takes note of the checkpoint files, and keeps them as ``log_model`` says."""
        self._checkpoints.written(checkpoint_callback, self._position(), self._begun_session())

    def save(self) -> None:
        """Does nothing: what was logged is with the store already. Lightning calls it after each step."""

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Ends the run as it went. Lightning calls it at the end of each stage; the run may go on in another.

        Args:
            status: Lightning's word: ``"success"``; ``"finished"`` when Slurm takes the machine back; ``"failed"`` for
                any exception, which is then the one being handled.
        """
        error = sys.exc_info()[1]
        if self._run is None and not (status == "failed" and self._was_begun_by_children(error)):
            return
        run = self._staged_run()
        if status == "finished":
            # Called from a signal handler: the interrupted code may hold the store's lock, so another thread waits.
            ending = threading.Thread(target=run.be_preempted, name="runstore-preempted")
            ending.start()
            ending.join(_SIGNAL_PATIENCE_S)
            return
        self._watch_system(on=False)
        if status != "success":
            run.fail(error)
        elif run.succeed():
            self._checkpoints.finish(run.session)
        run.session.close()

    def begin(self, trainer: Any) -> None:
        """Begins the run, or reopens it for another ``fit``; called by the callback when a stage begins.

        Raises:
            RunStoreError: a mistake that must be mended before training; see :meth:`RunSession.begin`.
        """
        if not is_rank_zero():
            return
        self._trainer = weakref.ref(trainer)
        run, is_fit = self._staged_run(), trainer.state.fn == "fit"
        if not run.has_begun and self._id_was_given and not is_fit:
            run.is_guest = read_run(run.session, self.run_id) is not None
        run.begin(resume=is_fit)
        self._watch_system(on=True)

    def meet_exception(self, error: BaseException) -> None:
        """Ends the run by what stops the training; called by the callback, before any logger is finalized.

        Lightning skips the loggers that follow one whose ``finalize`` fails; this does not wait for its turn.
        """
        if is_rank_zero() and self._run is not None:
            self._run.fail(error)

    def meet_checkpoint(self, trainer: Any, origins: list[Origin]) -> None:
        """Continues the run that wrote a checkpoint, if that is to be; called by the callback on every rank."""
        if not origins:
            return
        decision = (self.version, self._choose(origins, trainer)) if is_rank_zero() else None
        old_version, run_id = trainer.strategy.broadcast(decision)
        if run_id is None:
            return
        self.run_id = run_id
        if self._experiment is not None:
            self._experiment.run_id = run_id
        # Lightning has chosen its folder for checkpoints by now. In the old run's folder, top-k goes on where it was.
        for callback in trainer.checkpoint_callbacks:
            if getattr(callback, "dirpath", None) == self._checkpoint_folder(old_version):
                callback.dirpath = self._checkpoint_folder(self.version)

    def origin(self, *, step: int) -> Origin:
        """What a checkpoint tells of this run."""
        return Origin(run_id=self.run_id, experiment=self._experiment_name, store=self._store_name(), step=step)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but threads and the trainer; the copy logs to the same run."""
        self._was_copied = True
        return self.__dict__ | {"_system": None, "_trainer": None}

    def _staged_run(self) -> StagedRun:
        if self._run is None:
            _ = self.experiment
        assert self._run is not None  # noqa: S101 - rank zero makes both at once, and no other rank comes here
        return self._run

    def _was_begun_by_children(self, error: BaseException | None) -> bool:
        """Whether processes that this one has started (``ddp_spawn``, ``ddp_fork``) have begun the run."""
        if not self._was_copied and not isinstance(error, (ProcessRaisedException, ProcessExitedException)):
            return False
        if read_run(self.experiment, self.run_id) is not None:
            return True
        self.experiment.close()
        self._experiment = self._run = None
        return False

    def _begun_session(self) -> RunSession:
        """The session of a run that has begun; it begins here where no trainer told of a stage."""
        run = self._run or self._staged_run()
        if not run.has_begun:
            run.begin(resume=self._id_was_given)
        return run.session

    def _choose(self, origins: list[Origin], trainer: Any) -> str | None:
        """The run to continue; ``None`` to keep this one, which is then linked to the one that wrote the checkpoint.

        Whether the checkpoint's run is of this store, the store itself is asked. Where it cannot answer now, or does
        not know the run (which may still wait in a journal), the stores' URLs decide.
        """
        run = self._staged_run()
        if run.has_begun or any(origin.run_id == self.run_id for origin in origins):
            return None
        store_name = self._store_name()
        origin = next((origin for origin in origins if origin.store == store_name), origins[0])
        reason = self._reason_to_keep(origin, trainer)
        if reason is None:
            found = read_run(run.session, origin.run_id)
            if found is not None:
                close_attempt(run.session, found)
                return origin.run_id
            if store_name is not None and store_name == origin.store:
                return origin.run_id
            reason = f"it is not in this store ({store_name}) but in another ({origin.store})"
        run.session.tags["from_run"] = origin.run_id
        run.session.provenance["from_checkpoint"] = origin.as_dict() | {"path": str(trainer.ckpt_path)}
        _log.warning(
            "the checkpoint %s was written by run %s, which is not continued: %s; run %s has its id in the tag from_run",
            trainer.ckpt_path,
            origin.run_id,
            reason,
            self.run_id,
        )
        return None

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

    def _position(self) -> Position | None:
        trainer = None if self._trainer is None else self._trainer()
        return None if trainer is None else Position(epoch=trainer.current_epoch, step=trainer.global_step)

    def _watch_system(self, *, on: bool) -> None:
        if on and self._system_metrics_s is not None and self._system is None:
            self._system = SystemMetrics(self.experiment, every_s=self._system_metrics_s, directory=".")
        elif not on and self._system is not None:
            self._system.stop()
            self._system = None

    def _refuse(self, key: object, value: object) -> None:
        if key not in self._refused:
            self._refused.add(key)
            _log.warning(
                "metric %s is not stored: %s of %s is not one number", shown(key), shown(value), type(value).__name__
            )


def _number(value: Any) -> float:
    if isinstance(value, (str, bytes)):
        raise TypeError("text is no number")
    return float(value)


def _step(step: Any) -> int:
    """The step, also where it was counted in floats or is a tensor; what is no whole number is left to the checks."""
    if type(step) is int:
        return step
    try:
        whole = int(step)
    except (TypeError, ValueError, OverflowError):
        return step  # type: ignore[no-any-return]  # the checks name it
    return whole if whole == step else step  # type: ignore[no-any-return]


def _seed() -> int | None:
    """What ``seed_everything`` has set."""
    seed = os.environ.get("PL_GLOBAL_SEED", "")
    return int(seed) if seed.isdecimal() else None


def _fit_for_a_path(name: str) -> str:
    safe = _UNSAFE_IN_PATHS.sub("_", name)
    return safe if safe.strip(". ") else safe.replace(".", "_")
