"""What a trial tells, in the terms of a run: its parameters, its values, and how it ended."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from runstore.model import RunStatus
from runstore.session import ActiveRun

_TRIALS = uuid.UUID("a55ac60c-3f5c-5ae6-8a0e-0f6d9c1f3a57")

_DURATION = "duration_s"

_ENDS = {
    TrialState.COMPLETE: RunStatus.COMPLETED,
    TrialState.PRUNED: RunStatus.INTERRUPTED,
    TrialState.FAIL: RunStatus.FAILED,
}


def run_id_of(sweep_id: str, number: int) -> str:
    """The id of a trial's run: the same wherever and whenever it is asked for."""
    return str(uuid.uuid5(_TRIALS, f"{sweep_id}/{number}"))


def config_of_study(study: optuna.Study) -> dict[str, Any]:
    """What a study is, for the config of its run."""
    return {
        "study": {
            "name": study.study_name,
            "directions": [direction.name.lower() for direction in study.directions],
            "sampler": type(study.sampler).__name__,
            "pruner": type(study.pruner).__name__,
        }
    }


def write_config(run: ActiveRun, trial: optuna.Trial | FrozenTrial) -> None:
    """Writes a trial's parameters by their own names, and what the program has put with it under ``user_attrs``."""
    attrs = trial.user_attrs
    config = {**trial.params, **({"user_attrs": attrs} if attrs else {})}
    if config:
        run.log_config(config)


def names_of_values(study: optuna.Study) -> list[str]:
    """What a study's objectives are called: as it says, else ``value``, or ``value_0``, ``value_1`` of several."""
    names = study.metric_names
    if names is not None:
        return list(names)
    count = len(study.directions)
    return ["value"] if count == 1 else [f"value_{index}" for index in range(count)]


def values_of(trial: FrozenTrial, names: Sequence[str]) -> dict[str, float]:
    """What a trial has come to, by name; nothing for one that did not, of which Optuna keeps the last report."""
    return dict(zip(names, trial.values, strict=True)) if trial.state is TrialState.COMPLETE else {}


def write_trial(run: ActiveRun, trial: FrozenTrial, names: Sequence[str]) -> None:
    """Writes all that a finished trial tells. What was written while it went on is written again, and changes nothing."""
    write_config(run, trial)
    for step, value in trial.intermediate_values.items():
        write_intermediate(run, value, step)
    last = max((step for step in trial.intermediate_values if step >= 0), default=0)
    values = values_of(trial, names)
    if trial.duration is not None:
        values[_DURATION] = trial.duration.total_seconds()
    if values:
        run.log(values, step=last)


def write_cut_short(run: ActiveRun, trial: optuna.Trial) -> None:
    """Writes what is known of a trial that an exception is ending; what it has reported is written already."""
    write_config(run, trial)
    if trial.datetime_start is not None:
        run.log({_DURATION: (datetime.now() - trial.datetime_start).total_seconds()}, step=0)  # noqa: DTZ005 - Optuna's are


def write_intermediate(run: ActiveRun, value: Any, step: Any) -> None:
    """Writes what a trial reports on its way."""
    run.log({"intermediate_value": value}, step=step)


def end_trial(run: ActiveRun, trial: FrozenTrial) -> None:
    """Ends a trial's run as Optuna has ended the trial."""
    error: Exception | None = None
    if trial.state is TrialState.PRUNED:
        error = optuna.TrialPruned("the trial was pruned")
    elif trial.state is TrialState.FAIL:
        error = RuntimeError(f"Optuna ended trial {trial.number} as failed; sweep.track(objective) keeps the exception")
    run.finish(_ENDS.get(trial.state, RunStatus.INTERRUPTED), error=error)
