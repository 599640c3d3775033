"""What an evaluation gives: plain values, from which tables are printed and plots are drawn. Nothing here computes."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated:
    """What a model said of each image of a part, and what was true; every array has one value an image.

    Attributes:
        part: what was evaluated, as ``validation``, ``test``, or the name that the user gave.
        ids: what the images are called, each once.
        patients: whose they are.
        targets: 1 with pneumonia, 0 without; int8.
        logits: what the network gave; float64, finite.
        probabilities: of pneumonia, after the temperature; float64 in [0, 1].
        divisions: by name (``sex``, ``age``, ``view``), what each image belongs to; ``None`` where it is not known.
    """

    part: str
    ids: tuple[str, ...]
    patients: tuple[str, ...]
    targets: Labels
    logits: Floats
    probabilities: Floats
    divisions: Mapping[str, tuple[str | None, ...]] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        """The number of images."""
        return len(self.ids)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A number with its 95 % interval; NaN where it has no value, as an AUROC of one class.

    Attributes:
        value: on all images.
        low: the 2.5th percentile of the bootstrap by patient.
        high: the 97.5th.
    """

    value: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """How well a model does on some images, at one threshold.

    Attributes:
        images: how many there are.
        patients: how many patients they are of.
        positives: how many show pneumonia.
        threshold: from which probability on an image counts as positive.
        true_positives: positives that count as such; likewise the other three.
        draws: how many times patients were drawn for the intervals; 0 when there are none.
        by_name: ``auroc``, ``auprc``, ``sensitivity``, ``specificity``, ``ppv``, ``npv``, ``f1``, ``balanced_accuracy``,
            ``accuracy``, ``brier``, ``ece``.
    """

    images: int
    patients: int
    positives: int
    threshold: float
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    draws: int
    by_name: Mapping[str, Score]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """What one threshold gives; a ratio without a denominator is NaN.

    Attributes:
        threshold: from which probability on an image counts as positive.
        sensitivity_low: the lower end of the 95 % interval of the sensitivity, by patient; NaN when it was not computed.
    """

    threshold: float
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    sensitivity: float
    specificity: float
    ppv: float
    npv: float
    f1: float
    balanced_accuracy: float
    sensitivity_low: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How a probability is made of a logit, and a decision of a probability. It is kept in the checkpoint.

    Attributes:
        threshold: from which probability on (after the temperature) an image counts as positive.
        rule: the rule that chose it, as the configuration calls it.
        rule_in_words: the rule that gave it, for people; another one where no threshold keeps the configured one.
        temperature: what logits are divided by before the sigmoid; 1 leaves them.
        shift: what is added to logits after that; 0 leaves them.
        chosen_on: the part on which both were chosen.
        table: the whole operating table of that part, by falling threshold.
        notes: what a person should know of the choice, as that the rule could not be kept.
    """

    threshold: float
    rule: str
    rule_in_words: str
    temperature: float
    chosen_on: str
    shift: float = 0.0
    table: tuple[OperatingPoint, ...] = ()
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """Images whose probability lies from ``low`` to below ``high`` (the last bin has 1 too).

    Attributes:
        images: how many.
        mean_probability: what the model said of them; NaN of none.
        positive_share: what was true; NaN of none.
    """

    low: float
    high: float
    images: int
    mean_probability: float
    positive_share: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SubgroupRow:
    """The scores of one subgroup.

    Attributes:
        division: what was divided by, as ``sex``.
        level: which of them, as ``F``; ``not known`` for the rest.
        scores: of these images at the same threshold.
        note: why the numbers say little, as ``few: 12 patients``; empty otherwise.
    """

    division: str
    level: str
    scores: Scores
    note: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CorruptionRow:
    """The scores on films that were made worse.

    Attributes:
        corruption: ``contrast``, ``brightness``, ``blur``, ``gamma`` or ``noise``.
        strength: 1 (mildest) to 5.
        setting: what was done, as ``factor 0.8``.
        scores: at the same threshold and temperature; without intervals.
    """

    corruption: str
    strength: int
    setting: str
    scores: Scores


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """All figures of one part.

    Attributes:
        evaluated: image by image.
        decision: the temperature and the threshold that were applied.
        scores: of the whole part.
        scores_at_half: the same at a threshold of 0.5.
        bins: ten bins of the reliability diagram.
        subgroups: none when the source has no such columns.
        corruptions: none when they were not asked for.
        about: what else is known: the run, the checkpoint's SHA-256, the data's hash.
    """

    evaluated: Evaluated
    decision: Decision
    scores: Scores
    scores_at_half: Scores
    bins: tuple[CalibrationBin, ...]
    subgroups: tuple[SubgroupRow, ...] = ()
    corruptions: tuple[CorruptionRow, ...] = ()
    about: Mapping[str, Any] = dataclasses.field(default_factory=dict)
