"""How an evaluation lies in a store: metrics with their intervals, predictions image by image, all figures as JSON."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pneumo_train.evaluating.figures import Decision, Evaluation
from pneumo_train.evaluating.tables import as_json, corruption_columns, subgroup_columns
from runstore import DatasetType, MetricPoint, media
from runstore.predictions import Calibration, Threshold, media_of, new_predictions
from runstore.training import RunSession

NAME = "evaluation: {part}"
"""What the run of an evaluation is called."""

CLASSES = ("normal", "pneumonia")
FIGURES = "evaluation/{part}.json"
PREDICTIONS = "predictions/{part}"
SUBGROUPS = "evaluation/{part}-subgroups"
CORRUPTIONS = "evaluation/{part}-corruptions"
"""The artifacts of an evaluation."""


def keep_artifacts(session: RunSession, evaluation: Evaluation) -> None:
    """Keeps predictions, figures and tables with a run; what the store does not take costs a warning."""
    evaluated, part = evaluation.evaluated, _file_name(evaluation.evaluated.part)
    predictions = new_predictions(
        ids=evaluated.ids,
        classes=CLASSES,
        targets=evaluated.targets.tolist(),
        scores=evaluated.probabilities.tolist(),
        groups=evaluated.patients,
        splits=evaluated.part,
        subgroups=evaluated.divisions,
        thresholds=[
            Threshold(
                name=evaluation.decision.rule,
                value=evaluation.decision.threshold,
                chosen_on=evaluation.decision.chosen_on,
                rule=evaluation.decision.rule_in_words,
            ),
            Threshold(name="0.5", value=0.5, chosen_on="nothing", rule="fixed at 0.5"),
        ],
        calibration=_calibration(evaluation.decision),
        about=dict(evaluation.about),
    )
    session.log_media(media_of(predictions, PREDICTIONS.format(part=part)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "figures.json"
        path.write_text(json.dumps(as_json(evaluation), allow_nan=False), encoding="utf-8")
        session.log_artifact(path, name=FIGURES.format(part=part), artifact_type="evaluation")
    if evaluation.subgroups:
        session.log_media(media.table(SUBGROUPS.format(part=part), subgroup_columns(evaluation)))
    if evaluation.corruptions:
        session.log_media(media.table(CORRUPTIONS.format(part=part), corruption_columns(evaluation)))


def points_of(evaluation: Evaluation, dataset_type: DatasetType) -> Iterator[MetricPoint]:
    """Of an evaluation's run: each score, its interval as ``NAME_low`` and ``NAME_high``, threshold and temperature."""
    values: dict[str, float] = {}
    for name, score in evaluation.scores.by_name.items():
        values[name] = score.value
        if not math.isnan(score.low):
            values |= {f"{name}_low": score.low, f"{name}_high": score.high}
    values |= _of_decision(evaluation.decision)
    for name, value in values.items():
        yield MetricPoint(name=name, dataset_type=dataset_type, value=value, step=0)


def decision_points(evaluation: Evaluation, *, step: int) -> Iterator[MetricPoint]:
    """Of a training run: the decision, and what it gives on the validation part."""
    names = ("sensitivity", "specificity", "ppv", "npv", "f1", "balanced_accuracy", "brier", "ece", "auprc")
    values = {name: evaluation.scores.by_name[name].value for name in names}
    values |= _of_decision(evaluation.decision)
    for name, value in values.items():
        yield MetricPoint(name=f"decision_{name}", dataset_type=DatasetType.VALIDATION, value=value, step=step)


def _calibration(decision: Decision) -> Calibration | None:
    if decision.chosen_on == "nothing":
        return None
    shift = {"shift": decision.shift} if decision.shift else {}
    return Calibration(
        method="temperature and shift" if shift else "temperature",
        fitted_on=decision.chosen_on,
        parameters={"temperature": decision.temperature, **shift},
    )


def _of_decision(decision: Decision) -> dict[str, float]:
    shift = {"shift": decision.shift} if decision.shift else {}
    return {"threshold": decision.threshold, "temperature": decision.temperature, **shift}


def _file_name(part: str) -> str:
    return (
        "".join(character if character.isalnum() or character in "._-" else "-" for character in part).strip(".-")
        or "part"
    )
