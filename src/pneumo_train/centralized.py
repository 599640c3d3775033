"""The trainer: from a source of chest X-rays to a complete run in the user's own database."""

import logging
import os
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from pneumo_train.checkpoints import Checkpoint
from pneumo_train.collector import MetricsCollectorCallback, file_name_of
from pneumo_train.config import TrainConfig, as_dict, load_config
from pneumo_train.fitting import Fitted, Fitting, torch_set_up
from pneumo_train.images import Films, load_films
from pneumo_train.plots import plot_training
from pneumo_train.progress import track
from pneumo_train.result import TrainingResult
from pneumo_train.samples import Split, read_samples, split_samples
from pneumo_train.source import open_source
from pneumo_train.stores import StoreLike, store_or_opener
from runstore import MetricPoint
from runstore.ids import new_run_id
from runstore.naming import split_metric_name
from runstore.provenance import gather_provenance
from runstore.session import RunSession

_log = logging.getLogger(__name__)

PACKAGES = ("runstore", "torch", "torchvision", "pytorch-lightning", "torchmetrics", "numpy", "pillow")
"""Whose versions are kept with a run."""

BEST_CHECKPOINT = "checkpoints/best.ckpt"
TRAINING_PLOT = "plots/training.png"
METRICS_TABLE = "logs/metrics.csv"
"""The names of a run's artifacts."""


class CentralizedTrainer:
    """Trains a classifier on the X-rays of one source, and keeps the run in a store.

    A mistake of the user (configuration, source, data, the store's URL) is an error before training starts. After
    that the store never stops training: what it does not take costs a warning, and the run id is returned all the
    same. The trainer closes a store that it opened, never one that it was given.
    """

    def __init__(  # noqa: PLR0913 - the inherited signature; what is new is keyword-only
        self,
        config_path: str | PathLike[str] | None = None,
        checkpoint_dir: str | PathLike[str] = "results/checkpoints",
        logs_dir: str | PathLike[str] = "results/training_logs",
        store: StoreLike = None,
        *,
        config: TrainConfig | None = None,
        progress: bool = False,
        callbacks: Iterable[pl.Callback] = (),
    ) -> None:
        """Reads the configuration; opens and makes nothing yet.

        Args:
            config_path: a YAML file, see :func:`pneumo_train.load_config`; the defaults without one.
            checkpoint_dir: checkpoints go to ``<checkpoint_dir>/<run id>``.
            logs_dir: where the metrics files and the plot go.
            store: a store, its URL, or ``None`` for the configured one; with none configured, only files are written.
            config: the configuration itself; the file's values are laid over it.
            progress: show progress bars.
            callbacks: further Lightning callbacks.

        Raises:
            ConfigError: the configuration file cannot be used.
        """
        self.config = load_config(config_path, base=config)
        self._checkpoint_dir = Path(checkpoint_dir)
        self._logs_dir = Path(logs_dir)
        self._store = store
        self._progress = progress
        self._callbacks = tuple(callbacks)

    def validate_source(self, source_path: str | PathLike[str], csv_filename: str | None = None) -> dict[str, Any]:
        """What a source holds, as :func:`pneumo_train.source.validate_source` tells it."""
        return validate_source(source_path, self._config_for(csv_filename).data)

    def train(
        self,
        source_path: str | PathLike[str],
        experiment_name: str = "pneumonia_detection",
        csv_filename: str | None = None,
        run_id: str | None = None,
    ) -> TrainingResult:
        """Trains, and returns how it went.

        Args:
            source_path: a directory or a zip with a metadata CSV and images.
            experiment_name: the experiment under which the run is kept; made if need be.
            csv_filename: the metadata CSV inside the source, if not the usual one.
            run_id: an existing run to write to, or the id for a new one.

        Raises:
            ConfigError: the network cannot be built as configured; no run is created.
            SourceError: the source holds no table or no images; no run is created.
            DataError: the table or the images cannot be trained on; no run is created.
            RunStoreError: a mistake about the store to mend before training; see
                :meth:`runstore.session.RunSession.begin`.
            KeyboardInterrupt: Ctrl-C, after the run was ended as interrupted.
        """
        config = self._config_for(csv_filename)
        run_id = run_id or new_run_id()
        session = self._session(source_path, experiment_name, run_id, config)
        with open_source(source_path, config.data) as source, torch_set_up(config):
            samples = read_samples(source, config.data)
            split = split_samples(samples, config.data, seed=config.seed, origin=str(source.csv_path))
            films, data_hash = load_films(
                (*split.train, *split.validation),
                size=config.data.image_size,
                cache_mib=config.data.cache_mib,
                track=track("reading films", shown=self._progress),
            )
            collector = MetricsCollectorCallback(
                self._logs_dir,
                experiment_name,
                run_id=run_id,
                session=session,
                enable_db_persistence=session is not None,
            )
            fitting = Fitting(
                config=config,
                split=split,
                films=films,
                checkpoint_dir=self._checkpoint_dir / file_name_of(run_id),
                callbacks=[collector, *self._callbacks],
                progress=self._progress,
            )
            about = _describe(config, split, films, data_hash, fitting)
            about["source"] = {"path": os.fspath(source_path), "csv": source.csv_path.name}
            return self._lead(fitting, session, collector, about, experiment_name)

    def _config_for(self, csv_filename: str | None) -> TrainConfig:
        overrides = {"data.csv_filename": csv_filename} if csv_filename else {}
        return load_config(overrides=overrides, base=self.config)

    def _session(
        self, source_path: str | PathLike[str], experiment_name: str, run_id: str, config: TrainConfig
    ) -> RunSession | None:
        """What leads the run in the store, or ``None`` without a store."""
        store = store_or_opener(self._store)
        if store is None:
            return None
        return RunSession(
            store,
            experiment=experiment_name,
            run_id=run_id,
            source_path=os.fspath(source_path),
            provenance=gather_provenance(packages=PACKAGES, seed=config.seed),
        )

    def _lead(
        self,
        fitting: Fitting,
        session: RunSession | None,
        collector: MetricsCollectorCallback,
        about: dict[str, Any],
        experiment_name: str,
    ) -> TrainingResult:
        """Leads the run from its beginning to its truthful end."""
        if session is not None:
            session.begin()
        try:
            if session is not None:
                session.log_config(about)
            fitted = fitting.fit()
            plot = _plot(collector, fitted, experiment_name)
            is_recorded = session is not None and _keep(session, fitted, plot, collector.csv_path)
        except BaseException as error:
            # Lightning turns Ctrl-C into SystemExit(1); the collector saw what it was.
            cause = collector.error or error
            if session is not None:
                session.end_with(cause)
                _keep_checkpoint(session, _readable_checkpoint(fitting))
            if isinstance(cause, KeyboardInterrupt) and cause is not error:
                raise KeyboardInterrupt(*cause.args) from None
            raise
        finally:
            if session is not None:
                session.close()
        return TrainingResult(
            run_id=collector.run_id,
            experiment_name=experiment_name,
            best_model_path=str(fitted.best.path),
            best_model_score=fitted.best.score,
            best_epoch=fitted.best.epoch,
            monitor=fitted.best.monitor,
            final_metrics=fitted.final_metrics,
            metrics_history=collector.history,
            total_epochs_trained=fitted.epochs,
            current_epoch=fitted.epochs,
            global_step=fitted.global_step,
            state=fitted.state,
            stopped_early=fitted.epochs < self.config.training.max_epochs,
            model_summary=fitting.summary,
            checkpoint_dir=str(fitted.best.path.parent),
            logs_dir=str(self._logs_dir),
            plot_path=str(plot),
            metrics_metadata={**about, "duration_s": fitted.duration_s},
            is_recorded=is_recorded,
        )


def _readable_checkpoint(fitting: Fitting) -> Checkpoint | None:
    """The best checkpoint of a training that was cut off; what ended it is told, not that a disk fails as well."""
    try:
        return fitting.best_checkpoint()
    except Exception as error:  # noqa: BLE001 - torch raises many kinds over a file that it cannot read
        _log.warning("the best checkpoint cannot be read, and is not kept in the store: %s", error)
        return None


def _plot(collector: MetricsCollectorCallback, fitted: Fitted, experiment_name: str) -> Path:
    """Where the plot lies. A disk that does not take it costs a warning: the training itself is complete."""
    path = collector.csv_path.with_suffix(".png")
    title = f"{experiment_name} · {fitted.best.monitor} {fitted.best.score:.4f}"
    try:
        plot_training(collector.history, path, title=title, best_epoch=fitted.best.epoch)
    except OSError as error:
        _log.warning("the plot %s cannot be written: %s", path, error)
    return path


def _describe(
    config: TrainConfig, split: Split, films: Films, data_hash: str, fitting: Fitting
) -> dict[str, Any]:  # fmt: skip
    """What is kept as the run's config: the whole configuration, the data, the split, the model."""
    return {
        **as_dict(config),
        "data_set": {"hash": data_hash, "images": len(films), "left_out": split.left_out},
        "split": {"hash": split.digest(), **split.describe()},
        "derived": {"pos_weight": fitting.pos_weight, "parameters": fitting.parameter_counts},
    }


def _keep(session: RunSession, fitted: Fitted, plot: Path, table: Path) -> bool:
    """Stores what a completed training leaves, and ends the run; whether the store took everything."""
    session.log_metrics(
        MetricPoint(name=f"final_{name}", dataset_type=dataset_type, value=value, step=fitted.best.epoch)
        for key, value in fitted.final_metrics.items()
        for name, dataset_type in (split_metric_name(key),)
    )
    _keep_checkpoint(session, fitted.best)
    for path, name, artifact_type in ((plot, TRAINING_PLOT, "image"), (table, METRICS_TABLE, "log")):
        if path.is_file():
            session.log_artifact(path, name=name, artifact_type=artifact_type)
    return session.end_with(None) and session.failures == 0


def _keep_checkpoint(session: RunSession, best: Checkpoint | None) -> None:
    if best is not None:
        session.log_artifact(
            best.path,
            name=BEST_CHECKPOINT,
            artifact_type="model",
            metadata={
                "role": "best",
                "monitor": best.monitor,
                "score": best.score,
                "epoch": best.epoch,
                "step": best.step,
            },
        )
