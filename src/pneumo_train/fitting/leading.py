"""One training led from data that was read to a run that ended truthfully. The part of the trainer that needs torch."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from pneumo_train.collector import MetricsCollectorCallback, file_name_of
from pneumo_train.config.settings import as_dict
from pneumo_train.fitting.alone import alone_in
from pneumo_train.fitting.checkpoints import Checkpoint
from pneumo_train.fitting.data_kept import keep_data, write_split_file
from pneumo_train.fitting.examined import Examined, Examiner
from pneumo_train.fitting.fitting import Fitted, Fitting, torch_set_up
from pneumo_train.fitting.interrupts import StopWhenInterrupted
from pneumo_train.fitting.last import Origin, find_last
from pneumo_train.fitting.runs import begin_run, open_run
from pneumo_train.plots import plot_training
from pneumo_train.preparing.data_report import data_report
from pneumo_train.preparing.reading import DecodedSplit, Reading
from pneumo_train.reporting.keeping import keep_model_card
from pneumo_train.result import BEST_CHECKPOINT, METRICS_TABLE, TRAINING_PLOT, TrainingResult
from pneumo_train.stores import warn_of_no_store
from pneumo_train.terminal import track
from runstore import MetricPoint
from runstore.training import RunSession, split_metric_name

_log = logging.getLogger(__name__)


def lead_training(  # noqa: PLR0913 - keyword-only
    *,
    reading: Reading,
    session: RunSession | None,
    run_id: str,
    may_exist: bool,
    resume: bool,
    experiment_name: str,
    checkpoint_dir: Path,
    logs_dir: Path,
    progress: bool,
    callbacks: Iterable[pl.Callback],
) -> TrainingResult:
    """Trains on what was read, and returns how it went; what can be wrong before training is looked at in order of cost.

    Raises:
        InUseError: another process is training this run.
        ConfigError: the network cannot be built as configured, or this machine cannot train so; no run is created. Or
            nothing has logged the monitored metric in the first epoch; the run ended as failed.
        DataError: images cannot be read; no run is created.
        RunStoreError: a mistake about the store to mend before training.
        DivergedError: the loss is NaN or infinite; the run ended as failed.
    """
    config, interrupts = reading.config, StopWhenInterrupted()
    folder = checkpoint_dir / file_name_of(run_id)
    with torch_set_up(config), interrupts.listening(), alone_in(folder, run_id):
        last = find_last(folder) if resume else None
        if last is not None:
            last.origin.require_same_training(last.path, run_id, as_dict(config), reading.split.digest())
        collector = MetricsCollectorCallback(
            logs_dir, experiment_name, run_id=run_id, session=session, enable_db_persistence=session is not None
        )
        fitting = Fitting(
            config=config,
            split=reading.split,
            checkpoint_dir=folder,
            callbacks=[collector, interrupts, *callbacks],
            progress=progress,
            last=last,
        )
        try:
            run = open_run(
                session, may_exist=may_exist, resume=resume, goes_on=last is not None, folder=folder, reading=reading
            )
            films = reading.decode(track=track("reading films", shown=progress))
            if last is not None:
                last.origin.require_same_data(films.data_hash)
            # Nothing is said before every mistake is told: an error then stands alone.
            for note in (*reading.notes, *films.notes):
                _log.warning(note)
            if session is None:
                warn_of_no_store()
            about = _describe(reading, films, fitting)
            report, examiner = data_report(reading, films), Examiner(reading, films, films.test)
            if session is not None:
                begin_run(session, run, resume=resume, goes_on=last is not None)
            return _train(fitting, films, session, collector, about, experiment_name, examiner, report)
        finally:
            if session is not None:
                session.close()


def _train(  # noqa: PLR0913, PLR0917 - all that a run is made of
    fitting: Fitting,
    films: DecodedSplit,
    session: RunSession | None,
    collector: MetricsCollectorCallback,
    about: dict[str, Any],
    experiment_name: str,
    examiner: Examiner,
    report: dict[str, Any],
) -> TrainingResult:
    """Leads the run, which has begun, to its truthful end."""
    try:
        split_file = write_split_file(examiner.reading, collector.csv_path)
        if session is not None:
            session.log_config(about)
        config, split = fitting.config, examiner.reading.split
        origin = Origin(run_id=collector.run_id, config=as_dict(config), split=split.digest(), data_set=films.data_hash)
        fitted = fitting.fit(films, origin)
        examined = examiner.examine(fitted.best.path, collector.run_id)
        plot = _plot(collector, fitted, experiment_name)
        if session is not None:
            keep_data(session, report, split_file)
        is_recorded = session is not None and _keep(session, fitted, plot, collector.csv_path, examined)
    except BaseException as error:
        # Lightning turns Ctrl-C into SystemExit(1); the collector saw what it was.
        cause = collector.error or error
        if session is not None:
            session.end_with(cause)
            _keep_checkpoint(session, _readable_checkpoint(fitting))
        if isinstance(cause, KeyboardInterrupt) and cause is not error:
            raise KeyboardInterrupt(*cause.args) from None
        raise
    if session is not None:
        keep_model_card(session)
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
        stopped_early=fitted.epochs < fitting.config.training.max_epochs,
        model_summary=fitting.summary,
        checkpoint_dir=str(fitted.best.path.parent),
        logs_dir=str(collector.csv_path.parent),
        plot_path=str(plot),
        metrics_metadata={**about, "duration_s": fitted.duration_s},
        evaluations=examined.evaluations,
        evaluation_run_ids={} if session is None else examined.run_ids,
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
    """Where the plot lies. What keeps it from being made costs a warning: the training itself is complete."""
    path = collector.csv_path.with_suffix(".png")
    title = f"{experiment_name} · {fitted.best.monitor} {fitted.best.score:.4f}"
    try:
        plot_training(collector.history, path, title=title, best_epoch=fitted.best.epoch)
    except Exception as error:  # noqa: BLE001 - matplotlib's own troubles must not fail a finished training
        _log.warning("the plot %s cannot be made: %s", path, error)
    return path


def _describe(reading: Reading, films: DecodedSplit, fitting: Fitting) -> dict[str, Any]:
    """What is kept as the run's config: the whole configuration, the data, the split, the model."""
    source, split = reading.source, reading.split
    return {
        **as_dict(reading.config),
        "source": {"path": os.fspath(source.path), "csv": source.table_name},
        "data_set": {
            "hash": films.data_hash,
            "images": len(films),
            "left_out": split.left_out,
            "patient_column": reading.patient_column,
            "given_parts": split.given(),
        },
        "split": {"hash": split.digest(), **split.describe()},
        "derived": {"pos_weight": fitting.pos_weight, "parameters": fitting.parameter_counts},
    }


def _keep(session: RunSession, fitted: Fitted, plot: Path, table: Path, examined: Examined) -> bool:
    """Stores what a completed training leaves, and ends the run; whether the store took everything."""
    session.log_metrics(
        MetricPoint(name=f"final_{name}", dataset_type=dataset_type, value=value, step=fitted.best.epoch)
        for key, value in fitted.final_metrics.items()
        for name, dataset_type in (split_metric_name(key),)
    )
    examined.keep(session, step=fitted.best.epoch)
    _keep_checkpoint(session, fitted.best)
    for path, name, artifact_type in ((plot, TRAINING_PLOT, "image"), (table, METRICS_TABLE, "log")):
        if path.is_file():
            session.log_artifact(path, name=name, artifact_type=artifact_type)
    is_recorded = session.end_with(None) and session.failures == 0
    return examined.keep_test(session) and is_recorded


def _keep_checkpoint(session: RunSession, best: Checkpoint | None) -> None:
    if best is not None:
        session.log_artifact(
            best.path,
            name=BEST_CHECKPOINT,
            artifact_type="model",
            metadata={
                "role": "best",
                "monitor": best.monitor,
                "mode": best.mode,
                "score": best.score,
                "epoch": best.epoch,
                "step": best.step,
            },
        )
