"""From logits to figures: the decision that the validation part teaches, and the evaluation of any part under it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pneumo_train.config.evaluation import EvaluationConfig
from pneumo_train.errors import PredictionError
from pneumo_train.evaluating.calibration import fit_shifted, fit_temperature, sigmoid
from pneumo_train.evaluating.figures import Decision, Evaluated, Evaluation, Floats, Labels
from pneumo_train.evaluating.scores import calibration_bins, score, subgroup_rows
from pneumo_train.evaluating.thresholds import Thresholds, rule_in_words

UNDECIDED = Decision(
    threshold=0.5,
    rule="fixed",
    rule_in_words="fixed at 0.5",
    temperature=1.0,
    chosen_on="nothing",
    notes=("the checkpoint holds no threshold: 0.5 was taken",),
)
"""Of a checkpoint that was made before thresholds were kept."""


_DRAWS_OF_THE_RULE = 1000
"""Of a bootstrap by patient that is made for the threshold alone, where no intervals were asked for."""


def decide(
    logits: Floats, targets: Labels, patients: Sequence[str], config: EvaluationConfig, *, seed: int
) -> Decision:
    """The temperature and the threshold, chosen on the validation part by the configured rule.

    Raises:
        PredictionError: a prediction is NaN or infinite.
    """
    require_finite(logits)
    temperature, shift, notes = _calibration_of(logits, targets, config)
    rule = config.threshold_rule
    draws = config.bootstrap_draws or (_DRAWS_OF_THE_RULE if rule == "sensitivity_bound" else 0)
    thresholds = Thresholds(targets, sigmoid(logits / temperature + shift), patients, draws=draws, seed=seed)
    chosen = {"sensitivity": config.target_sensitivity, "fixed": config.fixed_threshold}
    threshold, taken, more = thresholds.choose(rule, **chosen)
    return Decision(
        threshold=threshold,
        rule=rule,
        rule_in_words=rule_in_words(taken, **chosen),
        temperature=temperature,
        shift=shift,
        chosen_on="validation",
        table=thresholds.table(threshold),
        notes=(*notes, *more),
    )


def calibrated(logits: Floats, decision: Decision) -> Floats:
    """Logits whose probabilities mean what they say, by the decision's temperature and shift."""
    return logits / decision.temperature + decision.shift


def evaluated_of(  # noqa: PLR0913 - the columns of a part
    *,
    part: str,
    ids: Sequence[str],
    patients: Sequence[str],
    targets: Labels,
    logits: Floats,
    decision: Decision,
    divisions: Mapping[str, tuple[str | None, ...]],
) -> Evaluated:
    """What a model said of each image, made into probabilities by the decision's temperature and shift.

    Raises:
        PredictionError: a prediction is NaN or infinite.
    """
    require_finite(logits)
    return Evaluated(
        part=part,
        ids=tuple(ids),
        patients=tuple(patients),
        targets=targets,
        logits=logits,
        probabilities=sigmoid(calibrated(logits, decision)),
        divisions=divisions,
    )


def evaluate(
    evaluated: Evaluated, decision: Decision, *, draws: int, seed: int, about: Mapping[str, Any] | None = None
) -> Evaluation:
    """All figures of a part, but for the films made worse. The same seed gives the same intervals."""
    targets, probabilities, patients = evaluated.targets, evaluated.probabilities, evaluated.patients
    scores, at_half = (
        score(targets, probabilities, patients, threshold=threshold, draws=draws, seed=seed)
        for threshold in (decision.threshold, 0.5)
    )
    return Evaluation(
        evaluated=evaluated,
        decision=decision,
        scores=scores,
        scores_at_half=at_half,
        bins=calibration_bins(targets, probabilities),
        subgroups=subgroup_rows(evaluated, threshold=decision.threshold, draws=draws, seed=seed),
        about=dict(about or {}),
    )


def _calibration_of(logits: Floats, targets: Labels, config: EvaluationConfig) -> tuple[float, float, tuple[str, ...]]:
    """Temperature, shift, and what a person should know of them."""
    if config.calibration_shift:
        return fit_shifted(logits, targets)
    temperature, notes = fit_temperature(logits, targets) if config.temperature_scaling else (1.0, ())
    return temperature, 0.0, notes


def require_finite(logits: Floats) -> None:
    """Refuses what has no order: NaN would count as a negative without a word.

    Raises:
        PredictionError: says how many there are.
    """
    ruined = sum(not math.isfinite(value) for value in logits.tolist())
    if ruined:
        raise PredictionError(
            f"{ruined:,} of {len(logits):,} predictions are NaN or infinite; the weights are of a training that has "
            "diverged, or hold such values: evaluate another checkpoint"
        )
