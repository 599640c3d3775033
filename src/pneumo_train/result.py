"""What a training gives back: attributes, and a mapping of the same names."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from pneumo_train.evaluating.figures import Evaluation

BEST_CHECKPOINT = "checkpoints/best.ckpt"
TRAINING_PLOT = "plots/training.png"
METRICS_TABLE = "logs/metrics.csv"
DATA_REPORT = "data/report"
SPLIT_FILE = "data/split.csv"
"""The names of a run's artifacts."""


@dataclasses.dataclass(frozen=True, slots=True)
class Result(Mapping[str, Any]):
    """What is read by attributes and by keys of the same names, in their order."""

    def __getitem__(self, key: str) -> Any:
        """The attribute of this name."""
        if key not in self.__dataclass_fields__:
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        """The attributes' names."""
        return iter(self.__dataclass_fields__)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.__dataclass_fields__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult(Result):
    """The end of a training, as ``result.run_id`` or ``result["run_id"]``.

    Attributes:
        run_id: the run's id; known whatever the store did.
        experiment_name: the experiment that the run belongs to.
        best_model_path: the best checkpoint on disk.
        best_model_score: its value of the monitored metric.
        best_epoch: the epoch that made it, counted from 0.
        monitor: the monitored metric, as ``val_auroc``.
        final_metrics: the best checkpoint's metrics on the whole validation part, as ``val_auroc``.
        metrics_history: a mapping for each epoch: ``epoch``, and each metric by the name it was logged under.
        total_epochs_trained: how many epochs were completed.
        current_epoch: Lightning's count of epochs when training ended.
        global_step: optimiser steps taken.
        state: Lightning's word for how fitting ended.
        stopped_early: whether training stopped before ``max_epochs`` for want of improvement.
        model_summary: layers and parameters, as text.
        checkpoint_dir: where this run's checkpoints lie.
        logs_dir: where the metrics files and the plot lie.
        plot_path: the plot of loss and AUROC.
        metrics_metadata: what is known of the training beside its metrics: sizes, hashes, parameters, duration.
        evaluations: by part, ``validation`` and, if the source has one, ``test``: all figures of the best checkpoint.
        evaluation_run_ids: by part, the run that keeps it; the training's own for ``validation``.
        is_recorded: whether the store took everything.
    """

    run_id: str
    experiment_name: str
    best_model_path: str
    best_model_score: float
    best_epoch: int
    monitor: str
    final_metrics: dict[str, float]
    metrics_history: list[dict[str, float]]
    total_epochs_trained: int
    current_epoch: int
    global_step: int
    state: str
    stopped_early: bool
    model_summary: str
    checkpoint_dir: str
    logs_dir: str
    plot_path: str
    metrics_metadata: dict[str, Any]
    evaluations: dict[str, Evaluation]
    evaluation_run_ids: dict[str, str]
    is_recorded: bool
