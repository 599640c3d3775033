"""The trainer: from a source of chest X-rays to a complete run in the user's own database.

Nothing here imports torch before the data were found good: a mistake is told at once.
"""

import os
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pneumo_train.config.monitored import require_logged
from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.errors import ConfigError
from pneumo_train.fitting.machine import require_gpu_device
from pneumo_train.fitting.outputs import require_writable
from pneumo_train.preparing.checking import check_source
from pneumo_train.preparing.reading import read_source
from pneumo_train.result import TrainingResult
from pneumo_train.stores import StoreLike, store_or_opener
from pneumo_train.terminal import track
from runstore.provenance import gather_provenance
from runstore.training import RunSession
from runstore.values import new_run_id

if TYPE_CHECKING:
    import pytorch_lightning as pl

PACKAGES = ("runstore", "torch", "torchvision", "pytorch-lightning", "torchmetrics", "numpy", "pillow")
"""Whose versions are kept with a run."""


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
        callbacks: "Iterable[pl.Callback]" = (),
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
        """What a source holds, as :func:`pneumo_train.preparing.checking.check_source` tells it."""
        progress = track("reading films", shown=self._progress)
        return check_source(source_path, self._config_for(csv_filename), track=progress)

    def train(  # noqa: PLR0913 - the inherited signature; what is new is keyword-only
        self,
        source_path: str | PathLike[str],
        experiment_name: str = "pneumonia_detection",
        csv_filename: str | None = None,
        run_id: str | None = None,
        *,
        name: str | None = None,
        parent_run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        resume: bool = False,
    ) -> TrainingResult:
        """Trains, and returns how it went.

        Args:
            source_path: a directory or a zip with a metadata CSV and images.
            experiment_name: the experiment under which the run is kept; made if need be.
            csv_filename: the metadata CSV inside the source, if not the usual one.
            run_id: an existing run to write to, which has not ended, or the id for a new one.
            name: of the run, for people.
            parent_run_id: an existing run of the same store that this one is a part of.
            tags: short texts by key, kept with the run.
            resume: go on with the run of ``run_id``, however it was cut off, from its last checkpoint below
                ``checkpoint_dir``; on a CPU with the figures of a training that was never stopped. A run that has not
                begun is begun.

        Raises:
            ConfigError: there is nothing to go on with, or the configuration is not the run's; the network cannot be
                built as configured, this machine cannot train so, nothing logs the
                monitored metric, or the folders cannot be written; no run is created. Only what callbacks log is known
                no sooner than after the first epoch; the run then ended as failed.
            SourceError: the source holds no table or no images; no run is created.
            DataError: the table or the images cannot be trained on; no run is created.
            RunStoreError: a mistake about the store to mend before training, or a store that turns us away; see
                :meth:`runstore.training.session.RunSession.begin`.
            DivergedError: the loss became NaN or infinite; the run ended as failed.
            KeyboardInterrupt: Ctrl-C, after the run was ended as interrupted.
        """
        config = self._config_for(csv_filename)
        is_named = bool(run_id)
        if resume and not is_named:
            raise ConfigError("resume = True: wants the run to go on with; name it (--run_id RUN)")
        run_id = run_id or new_run_id()
        if not self._callbacks:  # which may log metrics of their own
            require_logged(config.training.monitor)
        require_gpu_device(config)
        require_writable(self._checkpoint_dir, "checkpoint_dir")
        require_writable(self._logs_dir, "logs_dir")
        store = store_or_opener(self._store)
        with read_source(source_path, config) as reading:
            session = None if store is None else RunSession(
                store,
                experiment=experiment_name,
                run_id=run_id,
                parent_run_id=parent_run_id,
                name=name,
                tags=tags,
                source_path=os.fspath(source_path),
                provenance=gather_provenance(packages=PACKAGES, seed=config.seed),
            )  # fmt: skip

            from pneumo_train.fitting.leading import lead_training  # noqa: PLC0415 - torch is slow to import

            return lead_training(
                reading=reading,
                session=session,
                run_id=run_id,
                may_exist=is_named,
                resume=resume,
                experiment_name=experiment_name,
                checkpoint_dir=self._checkpoint_dir,
                logs_dir=self._logs_dir,
                progress=self._progress,
                callbacks=self._callbacks,
            )

    def _config_for(self, csv_filename: str | None) -> TrainConfig:
        overrides = {"data.csv_filename": csv_filename} if csv_filename else {}
        return load_config(overrides=overrides, base=self.config)
