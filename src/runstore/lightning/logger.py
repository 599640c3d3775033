"""The Lightning logger: one run for a training and its tests, told apart by how it ended."""

import os
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

from runstore.errors import InvalidValueError
from runstore.lightning._family import DummyExperiment, Logger, be_a_logger_of_both
from runstore.lightning.callback import RunStoreCallback
from runstore.lightning.current import CurrentRun
from runstore.lightning.folders import fit_for_a_path
from runstore.lightning.media import MediaOfLoggers
from runstore.lightning.sessions import Sessions
from runstore.media import Media
from runstore.opening import check_url
from runstore.protocol import RunStore
from runstore.settings import load_settings, require_url
from runstore.training.hparams import config_of
from runstore.training.naming import MetricNames
from runstore.training.points import PointMaker
from runstore.training.scalars import step_of
from runstore.training.session import RunSession
from runstore.values.checks import check_name, shown


@be_a_logger_of_both
class RunStoreLogger(MediaOfLoggers, Logger):
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
        experiment: str | None = None,
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
            experiment: the experiment's name. Without one, a run that the store has stays in its own, and a new one is of
                the experiment ``default``.
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
            SettingsError: the URL cannot be understood. The database itself is asked when the run begins.
            PluginError: no backend can serve the URL; says what to install.
        """
        super().__init__()
        if log_model not in (True, False, "all"):
            raise InvalidValueError(f"log_model is {log_model!r}; give True, False or 'all'")
        if url is not None:  # told at this line, and not below three screens of the trainer's own calls
            check_url(require_url(load_settings(url=url)))
        sessions = Sessions(
            url,
            store=store,
            durable=durable,
            artifacts=artifacts,
            experiment=None if experiment is None else check_name(experiment, "experiment"),
            tags=tags,
            birth={"name": name, "source_path": source_path, "parent_run_id": parent_run_id},
        )
        self._maker = PointMaker(MetricNames(split=map_names, prefix=prefix))
        self._current = CurrentRun(
            sessions,
            os.fspath(save_dir),
            maker=self._maker,
            run_id=run_id,
            log_model=log_model,
            system_metrics_s=system_metrics_s,
        )

    @property
    def run_id(self) -> str:
        """The run's id. Until the run begins, a checkpoint may still name another one."""
        return self._current.run_id

    @property
    def current_run(self) -> CurrentRun:
        """The run as :class:`RunStoreCallback` leads it through the trainer's stages."""
        return self._current

    @property
    def name(self) -> str:
        """The experiment's name, as a folder may be called."""
        return self._current.folders.experiment

    @property
    def version(self) -> str:
        """The run's id, as a folder may be called."""
        return fit_for_a_path(self.run_id)

    @property
    def save_dir(self) -> str:
        """Where Lightning puts files; the store's files have their own place."""
        return self._current.folders.save_dir

    @property
    def root_dir(self) -> str:
        """The folder of the experiment's files."""
        return self._current.folders.root

    @property
    def log_dir(self) -> str:
        """The folder of the run's files."""
        return self._current.folders.of_run(self.run_id)

    @property
    def experiment(self) -> RunSession:
        """The run's session, to log what Lightning has no word for: ``logger.experiment.log_artifact("roc.png")``.

        ``logger.experiment.log({"my/metric": 3})`` logs numbers where the training is, as for ``self.log``.

        In a process that does not write it is Lightning's dummy, which takes every call and does nothing.
        """
        if not self._current.is_written_here:
            return DummyExperiment()  # type: ignore[return-value]  # as each of Lightning's own loggers
        return self._current.staged().session

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Writes numbers at a step; without one, at the step after the last. What is no number is warned of once.

        Raises:
            InvalidValueError: this is no mapping.
            Exception: the run begins with this call and cannot; see :meth:`runstore.training.session.RunSession.begin`.
        """
        if not self._current.is_written_here:
            self._say_why_nothing_is_written()
            return
        current = self._current
        session = current.begun_session()  # first: it hears what the series of a run that goes on are called
        at = current.steps.last + 1 if step is None else step_of(step)
        points = self._maker.points(metrics, at)
        current.steps.note(at)
        if points:
            current.progress.note(current.steps.last)
            session.log_metrics(points)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Merges hyperparameters of any kind into the run's config; see :mod:`runstore.training.hparams`.

        Args:
            params: what is merged.
            args: as for other loggers, the numbers that these parameters led to, which are logged as metrics.
            kwargs: ``metrics`` likewise, and their ``step``; anything else is named in a warning.
        """
        if not self._current.is_written_here:
            return
        metrics, *others = args or (None,)
        metrics = kwargs.pop("metrics", None) if metrics is None else metrics
        step = kwargs.pop("step", None)
        run = self._current.staged()
        run.log_config(config_of(params))
        if isinstance(metrics, Mapping):
            at = max(self._current.steps.last, 0) if step is None else step_of(step)
            points = self._maker.points(metrics, at)
            self._current.steps.note(at)
            run.log_points(points)
        elif metrics is not None:
            others.insert(0, metrics)
        for ignored in (*map(shown, others), *kwargs):
            self._maker.warn_once(ignored, "log_hyperparams takes params, metrics and step; %s is not kept", ignored)

    def _log_media(self, make: Callable[[int], Iterable[Media]], step: int | None) -> None:
        """Keeps what is made, at a step; on the process that writes alone."""
        current = self._current
        if not current.is_written_here:
            return
        made = list(make(current.steps.now() if step is None else step_of(step)))
        session = current.begun_session()
        for each in made:
            session.log_media(each)

    def log_graph(self, model: Any, input_array: Any = None) -> None:  # noqa: ARG002 - the base's face
        """Keeps no graph. Lightning calls it with the model before each stage, whose trainer gets our callback."""
        trainer = getattr(model, "_trainer", None)
        if trainer is not None and not any(isinstance(callback, RunStoreCallback) for callback in trainer.callbacks):
            trainer.callbacks.insert(0, RunStoreCallback())
            self._current.expect(trainer)

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Takes note of the checkpoint files, and keeps them as ``log_model`` says."""
        self._current.keep_checkpoint(checkpoint_callback)

    def save(self) -> None:
        """Does nothing: what was logged is with the store already. Lightning calls it after each step."""

    def finalize(self, status: str) -> None:
        """Ends the run as it went. Lightning calls it at the end of each stage; the run may go on in another.

        Args:
            status: Lightning's word: ``"success"``; ``"finished"`` when Slurm takes the machine back; ``"failed"`` for
                any exception, which is then the one being handled.
        """
        self._current.finalize(status)

    def __enter__(self) -> Self:
        """Begins nothing yet; the block's end is the run's."""
        self._current.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the run by what left the block, for programs without a trainer: ``completed``, or by the exception."""
        self._current.leave(error)

    def _say_why_nothing_is_written(self) -> None:
        """Says once where no trainer is known and a cluster's word alone keeps this process from writing."""
        rank = os.environ.get("SLURM_PROCID")
        if not self._current.knows_trainer and rank is not None and not {"RANK", "LOCAL_RANK"} & os.environ.keys():
            self._maker.warn_once(
                "rank",
                "this process writes nothing: SLURM_PROCID=%s says that another one of the job does. Where it trains "
                "alone, unset SLURM_PROCID before Lightning is imported",
                rank,
            )
