"""From a network and films to an evaluation: the one way for the end of a training and for any later time."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from pneumo_train.config.settings import TrainConfig
from pneumo_train.evaluating.calibration import sigmoid
from pneumo_train.evaluating.corruptions import STRENGTHS, Pixels, corrupted, setting_of
from pneumo_train.evaluating.deciding import calibrated, decide, evaluate, evaluated_of, require_finite
from pneumo_train.evaluating.figures import CorruptionRow, Decision, Evaluation, Floats, Labels
from pneumo_train.evaluating.scores import score
from pneumo_train.examining.logits import logits_of
from pneumo_train.images.films import Films
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.terminal import Track


def targets_of(films: Films) -> Labels:
    """0 or 1 for each film."""
    return np.array([sample.target for sample in films.samples], np.int8)


def patients_of(films: Films) -> list[str]:
    """Whose film each is."""
    return [sample.patient for sample in films.samples]


def decide_on(model: LitClassifier, films: Films, config: TrainConfig) -> tuple[Decision, Floats]:
    """The decision that the validation films teach, and their logits.

    Raises:
        PredictionError: a prediction is NaN or infinite.
    """
    logits = logits_of(model, films, batch_size=config.training.batch_size)
    decision = decide(logits, targets_of(films), patients_of(films), config.evaluation, seed=config.seed)
    return decision, logits


def examine(  # noqa: PLR0913 - keyword-only
    model: LitClassifier,
    films: Films,
    decision: Decision,
    config: TrainConfig,
    *,
    part: str,
    divisions: Mapping[str, tuple[str | None, ...]],
    about: Mapping[str, Any],
    logits: Floats | None = None,
    track: Track = iter,
) -> Evaluation:
    """All figures of some films, with those of films made worse if the configuration says so.

    Args:
        model: what looks at them.
        films: at least one.
        decision: the temperature and the threshold, applied unchanged.
        config: its section ``evaluation``, ``seed`` and ``training.batch_size`` count.
        part: what the films are called together.
        divisions: what they can be divided by.
        about: what else is to be kept.
        logits: of the films, when they are known.
        track: wraps the batches, for a progress bar.

    Raises:
        PredictionError: a prediction is NaN or infinite.
    """
    batch_size = config.training.batch_size
    if logits is None:
        logits = logits_of(model, films, batch_size=batch_size, track=track)
    evaluated = evaluated_of(
        part=part,
        ids=[sample.image_id for sample in films.samples],
        patients=patients_of(films),
        targets=targets_of(films),
        logits=logits,
        decision=decision,
        divisions=divisions,
    )
    evaluation = evaluate(evaluated, decision, draws=config.evaluation.bootstrap_draws, seed=config.seed, about=about)
    if not config.evaluation.corruptions:
        return evaluation
    rows = _corruption_rows(model, films, decision, batch_size=batch_size, seed=config.seed)
    return dataclasses.replace(evaluation, corruptions=rows)


def _corruption_rows(
    model: LitClassifier, films: Films, decision: Decision, *, batch_size: int, seed: int
) -> tuple[CorruptionRow, ...]:
    rows = []
    for corruption, settings in STRENGTHS.items():
        for strength in range(1, len(settings) + 1):
            rng = np.random.default_rng([seed, strength])

            def change(
                pixels: Pixels, corruption: str = corruption, strength: int = strength, rng: Any = rng
            ) -> Pixels:
                return corrupted(pixels, corruption, strength, rng=rng)

            logits = logits_of(model, films, batch_size=batch_size, change=change)
            require_finite(logits)
            scores = score(
                targets_of(films),
                sigmoid(calibrated(logits, decision)),
                patients_of(films),
                threshold=decision.threshold,
                draws=0,
            )
            rows.append(
                CorruptionRow(
                    corruption=corruption, strength=strength, setting=setting_of(corruption, strength), scores=scores
                )
            )
    return tuple(rows)
