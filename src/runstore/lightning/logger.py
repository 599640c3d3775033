"""The Lightning logger: one run for a training and its tests, told apart by how it ended."""

import functools
import logging
import os
import re
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self

from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from runstore.errors import InvalidValueError
from runstore.lightning._family import DummyExperiment, Logger, be_a_logger_of_both, is_rank_zero
from runstore.lightning.callback import RunStoreCallback
from runstore.lightning.ending import close_when_dropped
from runstore.lightning.hparams import config_of
from runstore.lightning.led import LedByTrainer
from runstore.lightning.position import Position
from runstore.lightning.resuming import read_run
from runstore.lightning.scalars import number_of, step_of
from runstore.lightning.stages import StagedRun
from runstore.lightning.system import SystemMetrics
from runstore.model import MetricPoint
from runstore.opening.stores import open_store
from runstore.protocol import RunStore
from runstore.provenance import gather_provenance
from runstore.training.naming import MetricNames
from runstore.training.session import RunSession
from runstore.values.checks import check_name, check_run_id, shown
from runstore.values.ids import new_run_id

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
class RunStoreLogger(LedByTrainer, Logger):
    """Keeps a Lightning project's runs in the database at a URL.

    ``Trainer(logger=RunStoreLogger("postgresql://me@db/runs", experiment="ct-seg"))`` is all there is to it. The run
    has its id at once, in ``run_id`` and ``version``; the database is touched on rank zero only, when training begins.

    A run is one training with what is tested of it. Each ``fit``, ``validate``, ``test`` or ``predict`` that begins the
    run also ends it: ``completed``; ``failed`` with the exception's type, message and traceback; ``interrupted`` for
    Ctrl-C and SIGTERM, and for a Slurm requeue, whose reason is then ``Preempted``. What ``test`` logs after ``fit`` is
    added to the completed run; a ``fit`` that goes on reopens it as its next attempt. A ``fit`` that begins anew, or a
    second ``test`` at the same step, would write over what is there: it gets a run of its own, whose tag ``from_run``
    names the one before. ``fit(ckpt_path=...)`` in a new process continues the run that wrote the checkpoint, unless
    ``run_id`` is given.

    Without a trainer (Fabric, a loop of one's own) ``with logger:`` ends the run by what leaves the block; otherwise the
    end of the process does.

    A store that is away never stops training; see :class:`runstore.training.session.RunSession`.
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
            map_names: whether ``val_auroc`` becomes ``auroc`` of ``validation``; see :mod:`runstore.training.naming`.
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
        LedByTrainer.__init__(self, log_model)
        Logger.__init__(self)
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
        self._last_step = -1
        self._was_copied = False
        self._process = os.getpid()
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
        return os.path.join(self._save_dir, self.name)  # noqa: PTH118 - it may be a URL, which a Path would break

    @property
    def log_dir(self) -> str:
        """The folder of the run's files."""
        return os.path.join(self._save_dir, self.name, self.version)  # noqa: PTH118 - likewise

    @property
    def experiment(self) -> RunSession:
        """The run's session, to log what Lightning has no word for: ``logger.experiment.log_artifact("roc.png")``.

        In a process that does not write it is Lightning's dummy, which takes every call and does nothing.
        """
        if not self._writes:
            return DummyExperiment()  # type: ignore[return-value]  # as each of Lightning's own loggers
        if self._experiment is None:
            self._experiment = self._new_session(self._tags)
            self._run = StagedRun(self._experiment)
        return self._experiment

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Writes numbers at a step; without one, at the step after the last. What is no number is warned of once.

        Raises:
            InvalidValueError: this is no mapping.
            Exception: the run begins with this call and cannot; see :meth:`runstore.training.session.RunSession.begin`.
        """
        if not self._writes:
            self._say_why_nothing_is_written()
            return
        points = self._points(metrics, self._last_step + 1 if step is None else step_of(step))
        session = self._begun_session()
        if points:
            self._progress.note(self._last_step)
            session.log_metrics(points)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Merges hyperparameters of any kind into the run's config; see :mod:`runstore.lightning.hparams`.

        Args:
            params: what is merged.
            args: as for other loggers, the numbers that these parameters led to, which are logged as metrics.
            kwargs: ``metrics`` likewise, and their ``step``; anything else is named in a warning.
        """
        if not self._writes:
            return
        metrics, *others = args or (None,)
        metrics = kwargs.pop("metrics", None) if metrics is None else metrics
        step = kwargs.pop("step", None)
        run = self._staged_run()
        run.log_config(config_of(params))
        if isinstance(metrics, Mapping):
            run.log_points(self._points(metrics, max(self._last_step, 0) if step is None else step_of(step)))
        elif metrics is not None:
            others.insert(0, metrics)
        for ignored in (*map(shown, others), *kwargs):
            self._warn_once(ignored, "log_hyperparams takes params, metrics and step; %s is not kept", ignored)

    def log_graph(self, model: Any, input_array: Any = None) -> None:  # noqa: ARG002 - the base's face
        """Keeps no graph. Lightning calls it with the model before each stage, whose trainer gets our callback."""
        trainer = getattr(model, "_trainer", None)
        if trainer is not None and not any(isinstance(callback, RunStoreCallback) for callback in trainer.callbacks):
            trainer.callbacks.insert(0, RunStoreCallback())
            self.expect(trainer)

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Takes note of the checkpoint files, and keeps them as ``log_model`` says."""
        if self._writes and self._log_model:
            trainer = None if self._trainer is None else self._trainer()
            self._checkpoints.written(checkpoint_callback, self._position(), self._begun_session(), trainer=trainer)

    def save(self) -> None:
        """Does nothing: what was logged is with the store already. Lightning calls it after each step."""

    def finalize(self, status: str) -> None:
        """Ends the run as it went. Lightning calls it at the end of each stage; the run may go on in another.

        Args:
            status: Lightning's word: ``"success"``; ``"finished"`` when Slurm takes the machine back; ``"failed"`` for
                any exception, which is then the one being handled.
        """
        if not self._writes:
            return
        error = sys.exc_info()[1]
        if status == "failed":
            self._meet_failure_of_new_stage()
        if self._run is None and not (status == "failed" and self._was_given_to_children(error)):
            return
        run = self._staged_run()
        if status == "finished":
            # Called from a signal handler: the interrupted code may hold the store's lock, so another thread waits.
            ending = threading.Thread(target=run.be_preempted, name="runstore-preempted")
            ending.start()
            ending.join(_SIGNAL_PATIENCE_S)
            return
        self._watch_system(on=False)
        self._progress.end()
        if status != "success":
            run.fail(error)
        is_completed = status == "success" and run.succeed()
        if run.has_begun:
            self._checkpoints.finish(run.session, is_completed=is_completed)
        run.session.close()

    def __enter__(self) -> Self:
        """Begins nothing yet; the block's end is the run's."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the run by what left the block, for programs without a trainer: ``completed``, or by the exception."""
        if not self._writes or (self._run is None and error is None):
            return
        run = self._staged_run()
        self._watch_system(on=False)
        if error is None:
            run.succeed()
        else:
            run.fail(error)
        run.session.close()

    def __getstate__(self) -> dict[str, Any]:
        """Everything but threads and the trainer; the copy logs to the same run."""
        self._was_copied = True
        return self.__dict__ | {"_system": None, "_trainer": None, "_is_global_zero": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The same logger; what it opens is closed with it."""
        self.__dict__.update(state)
        if self._experiment is not None:
            close_when_dropped(self, self._experiment)

    @property
    def _is_of_another_process(self) -> bool:
        """Whether another process has made this logger (``ddp_spawn``, ``ddp_fork``) and may have trained with it."""
        return os.getpid() != self._process

    @property
    def _writes(self) -> bool:
        """Whether this process is the one that writes: as its trainer says, else as the environment tells."""
        return is_rank_zero() if self._is_global_zero is None else self._is_global_zero

    def _new_session(self, tags: Mapping[str, str]) -> RunSession:
        session = RunSession(
            functools.partial(open_store, self._url, durable=self._durable, artifacts=self._artifacts)
            if self._store is None
            else self._store,
            experiment=self._experiment_name,
            run_id=self.run_id,
            tags=tags,
            provenance=gather_provenance(packages=_PACKAGES, seed=_seed()),
            **self._birth,
        )
        close_when_dropped(self, session)
        return session

    def _staged_run(self) -> StagedRun:
        if self._run is None:
            _ = self.experiment
        assert self._run is not None  # noqa: S101 - rank zero makes both at once, and no other rank comes here
        return self._run

    def _points(self, metrics: Mapping[str, Any], step: Any) -> list[MetricPoint]:
        if type(metrics) is not dict and not isinstance(metrics, Mapping):
            raise InvalidValueError(
                f"metrics is {shown(metrics)} of type {type(metrics).__name__}; give a mapping, such as {{'loss': 0.5}}"
            )
        if type(step) is int:
            self._last_step = step
        points = []
        for key, value in metrics.items():
            try:
                number = value if type(value) is float else number_of(value)
            except Exception:  # noqa: BLE001 - a stranger's __float__ may raise anything
                self._warn_once(
                    key, "metric %s is not stored: %s of %s is not one number",
                    shown(key), shown(value), type(value).__name__,
                )  # fmt: skip
                continue
            name, dataset_type = self._names[key if isinstance(key, str) else str(key)]
            points.append(MetricPoint(name=name, value=number, step=step, dataset_type=dataset_type))
        return points

    def _was_given_to_children(self, error: BaseException | None) -> bool:
        """Whether processes that this one has started (``ddp_spawn``, ``ddp_fork``) were to write the run."""
        return self._was_copied or isinstance(error, (ProcessRaisedException, ProcessExitedException))

    def _begun_session(self) -> RunSession:
        """The session of a run that has begun; it begins here where no trainer told of a stage."""
        run = self._run or self._staged_run()
        if not run.has_begun:
            if self._id_was_given:
                found = read_run(run.session, self.run_id)
                run.is_guest = found is not None and not found.status.is_final  # its end is another process's business
            run.begin(resume=self._id_was_given and not run.is_guest, is_stage=False)
        return run.session

    def _position(self) -> Position | None:
        trainer = None if self._trainer is None else self._trainer()
        if trainer is None:
            return None
        return Position(epoch=trainer.current_epoch, step=trainer.global_step, logged_step=max(self._last_step, 0))

    def _watch_system(self, *, on: bool) -> None:
        if on and self._system_metrics_s is not None and self._system is None:
            self._system = SystemMetrics(self.experiment, every_s=self._system_metrics_s, directory=".")
        elif not on and self._system is not None:
            self._system.stop()
            self._system = None

    def _say_why_nothing_is_written(self) -> None:
        """Says once where no trainer is known and a cluster's word alone keeps this process from writing."""
        rank = os.environ.get("SLURM_PROCID")
        if self._is_global_zero is None and rank is not None and not {"RANK", "LOCAL_RANK"} & os.environ.keys():
            self._warn_once(
                "rank",
                "this process writes nothing: SLURM_PROCID=%s says that another one of the job does. Where it trains "
                "alone, unset SLURM_PROCID before Lightning is imported",
                rank,
            )

    def _warn_once(self, what: object, text: str, *arguments: object) -> None:
        if what not in self._refused:
            self._refused.add(what)
            _log.warning(text, *arguments)


def _seed() -> int | None:
    """What ``seed_everything`` has set."""
    seed = os.environ.get("PL_GLOBAL_SEED", "")
    return int(seed) if seed.isdecimal() else None


def _fit_for_a_path(name: str) -> str:
    safe = _UNSAFE_IN_PATHS.sub("_", name)
    return safe if safe.strip(". ") else safe.replace(".", "_")
