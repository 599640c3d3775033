"""A Lightning callback that keeps each epoch's metrics in a run store and in files, and ends the run truthfully."""

import csv
import json
import logging
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from io import StringIO
from os import PathLike
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from pneumo_train.stores import StoreLike, store_or_opener, warn_of_no_store
from runstore import DatasetType, MetricPoint, RunStatus
from runstore.local.whole_files import write_whole
from runstore.training import MetricNames, RunSession, ending_of
from runstore.values import new_run_id

_log = logging.getLogger(__name__)

_EPOCH = "epoch"
"""The key of a row of the history, and the metric that says where a run stands."""


class MetricsCollectorCallback(pl.Callback):
    """Writes what the module logs, epoch by epoch: into a run store, and as CSV and JSON into ``save_dir``.

    The run exists before its first metric: it is created or found when fitting begins, ``in_progress``. A validation's
    metrics are written when it ends, the rest when the epoch has ended; the sanity check is left out. The step of a
    point is the epoch, counted from 0. Each epoch that begins is told as the metric ``epoch`` (``other``); what a module logs
    by that name is left out. When fitting ends, the run is ``completed``; after an exception ``failed``, with
    its traceback; after Ctrl-C or SIGTERM ``interrupted``. A store that fails costs a warning, never the training.

    Only the process of global rank 0 writes.

    Attributes:
        run_id: the run's id, known from the start.
        history: a mapping for each epoch, ``epoch`` and each metric under the name it was logged by.
        error: what ended the fitting (or a later validation or test), if it was not its natural end.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the inherited signature; what is new is keyword-only
        self,
        save_dir: str | PathLike[str],
        experiment_name: str = "experiment",
        run_id: str | None = None,
        experiment_id: str | None = None,
        training_mode: str = "centralized",
        store: StoreLike = None,
        enable_db_persistence: bool = True,  # noqa: FBT001, FBT002 - the inherited signature
        *,
        parent_run_id: str | None = None,
        client_id: str | None = None,
        name: str | None = None,
        source_path: str | None = None,
        tags: Mapping[str, str] | None = None,
        provenance: Mapping[str, Any] | None = None,
        session: RunSession | None = None,
    ) -> None:
        """Touches neither the store nor the disk yet.

        Args:
            save_dir: where the CSV and JSON files go; made if need be.
            experiment_name: part of the files' names. It does not create an experiment: give ``experiment_id``.
            run_id: an existing run to write to, or the id for a new one.
            experiment_id: of the experiment under which the run is created; needed unless the run exists.
            training_mode: ``centralized`` or ``federated``.
            store: a store, which stays the caller's, its URL, or ``None`` for the configured one.
            enable_db_persistence: ``False`` writes the files alone.
            parent_run_id: the run that this one is a part of, as a client's of a federation's.
            client_id: which member of a federation this is.
            name: a label for people.
            source_path: where the data came from.
            tags: short texts by key.
            provenance: host, versions, revision; nested and typed.
            session: a run that somebody else leads, who also ends it; the arguments about the run are then not used.

        Raises:
            SettingsError: the store's URL cannot be understood.
        """
        super().__init__()
        self._owns_session = session is None
        opener = store_or_opener(store) if session is None and enable_db_persistence else None
        if session is None and enable_db_persistence and opener is None:
            warn_of_no_store()
        if opener is not None:
            session = RunSession(
                opener,
                experiment_id=experiment_id,
                run_id=run_id,
                training_mode=training_mode,
                parent_run_id=parent_run_id,
                client_id=client_id,
                name=name,
                source_path=source_path,
                tags=tags,
                provenance=provenance,
            )
        self._session = session
        self.run_id = session.run_id if session else run_id or new_run_id()
        self.history: list[dict[str, float]] = []
        self.error: BaseException | None = None
        self._about = {"run_id": self.run_id, "experiment_name": experiment_name, "training_mode": training_mode}
        self._stem = Path(save_dir) / f"{file_name_of(experiment_name)}_{file_name_of(self.run_id)}_metrics"
        self._names = MetricNames()
        self._seen: dict[str, Tensor] = {}
        self._ended_epoch: int | None = None
        self._files_failed = False

    @property
    def csv_path(self) -> Path:
        """The table of metrics, one row an epoch."""
        return self._stem.with_name(f"{self._stem.name}.csv")

    @property
    def json_path(self) -> Path:
        """The same with what is known of the run."""
        return self._stem.with_name(f"{self._stem.name}.json")

    def state_dict(self) -> dict[str, Any]:
        """What a complete checkpoint keeps: the rows of the epochs that have ended."""
        return {"history": self.history}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes them up where a training goes on."""
        self.history = [dict(row) for row in state_dict["history"]]

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:  # noqa: ARG002 - the hook's signature
        """Begins the run, before anything is logged.

        Raises:
            InvalidValueError: a ``ValueError``: the run must be created and ``experiment_id`` is missing.
            RunStoreError: another mistake to mend before training, as an unknown experiment.
        """
        if stage == "fit" and trainer.is_global_zero and self._session is not None:
            self._session.begin()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        """Writes the epoch that has just ended, and which one begins: as the metric ``epoch``, which Lightning's loggers log."""
        self._write_ended_epoch(trainer)
        if self._session is not None and trainer.is_global_zero:
            begun = trainer.current_epoch
            self._session.log_metrics(
                [
                    MetricPoint(
                        name=_EPOCH,
                        dataset_type=DatasetType.OTHER,
                        value=begun,
                        step=begun,
                        logged_at=datetime.now(UTC),
                    )
                ]
            )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        """Remembers that an epoch has ended.

        Lightning calls this before the module's own ``on_train_epoch_end``, so what the module logs there can only be
        read at the next hook: the start of the next epoch, or the end of training, microseconds later.
        """
        self._ended_epoch = trainer.current_epoch

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        """Writes the metrics of a validation that is part of a fitting."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._collect(trainer, trainer.current_epoch)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        """Writes the metrics of a test; a finished run still takes them."""
        self._collect(trainer, max(0, trainer.current_epoch - 1))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        """Writes the last epoch."""
        self._write_ended_epoch(trainer)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        """Ends the run as completed."""
        self._end(trainer, None)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:  # noqa: ARG002 - the hook's signature
        """Writes an epoch that had ended, and ends the run as what the exception says."""
        self.error = exception
        self._write_ended_epoch(trainer)
        if trainer.state.fn == "fit":
            self._end(trainer, exception)

    def _write_ended_epoch(self, trainer: pl.Trainer) -> None:
        if self._ended_epoch is not None:
            epoch, self._ended_epoch = self._ended_epoch, None
            self._collect(trainer, epoch)

    def _collect(self, trainer: pl.Trainer, epoch: int) -> None:
        """Writes what was logged since the last time.

        Lightning keeps old values in ``callback_metrics`` until new ones are logged, and a new value is a new tensor:
        so what has not been logged again is not written again.
        """
        current = dict(trainer.callback_metrics)
        fresh = {key: value for key, value in current.items() if key != _EPOCH and value is not self._seen.get(key)}
        self._seen = current
        if not fresh or not trainer.is_global_zero:
            return
        values = {key: float(value) for key, value in fresh.items()}
        if not self.history or self.history[-1]["epoch"] != epoch:
            self.history.append({"epoch": epoch})
        self.history[-1].update(values)
        if self._session is not None:
            now = datetime.now(UTC)
            self._session.log_metrics(
                MetricPoint(name=name, dataset_type=dataset_type, value=value, step=epoch, logged_at=now)
                for key, value in values.items()
                for name, dataset_type in (self._names[key],)
            )
        self._write_files(RunStatus.IN_PROGRESS)

    def _end(self, trainer: pl.Trainer, error: BaseException | None) -> None:
        if not trainer.is_global_zero:
            return
        self._write_files(ending_of(error))
        if self._session is not None and self._owns_session:
            self._session.end_with(error)
            self._session.close()

    def _write_files(self, status: RunStatus) -> None:
        """Rewrites both files; each is whole at every moment. A disk that fails costs one warning."""
        columns = list(dict.fromkeys(key for row in self.history for key in row))
        table = StringIO(newline="")
        writer = csv.DictWriter(table, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.history)
        rows = [{key: value if math.isfinite(value) else None for key, value in row.items()} for row in self.history]
        document = {**self._about, "status": str(status), "epochs": rows}
        try:
            self._stem.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.csv_path, table.getvalue().encode())
            write_whole(self.json_path, (json.dumps(document, indent=2, allow_nan=False) + "\n").encode())
        except OSError as error:
            if not self._files_failed:
                _log.warning("the metrics files at %s cannot be written; training goes on: %s", self._stem, error)
            self._files_failed = True


def file_name_of(text: str) -> str:
    """A text as part of a file's name: no separator, no dots at its ends, at most 100 characters."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:100] or "run"
