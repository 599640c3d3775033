"""What comes of a threshold: the table of four fields, the rates, and thresholds that others might choose."""

from collections import Counter
from itertools import compress
from typing import Final

from msgspec import Struct

from runstore_ui.evaluation.intervals import Interval, clustered_wilson, wilson
from runstore_ui.evaluation.ranking import Ranking

_LEAST: Final = (0.90, 0.95)
_OTHER: Final = (1, 0)
_ROUNDING: Final = 1e-9
"""0.95 of 20 cases are 19 of them, whatever a float makes of it."""


class Rate(Struct, frozen=True, kw_only=True):
    """A share of cases.

    Attributes:
        hits: how many of them, or their weight.
        count: of how many.
        interval: ``None`` of nothing, and where cases are weighted.
    """

    hits: float
    count: float
    interval: Interval | None

    @property
    def value(self) -> float | None:
        """The share; ``None`` of nothing."""
        return self.hits / self.count if self.count else None


class Decision(Struct, frozen=True, kw_only=True):
    """What comes of a threshold. A case whose score is the threshold or more counts as positive."""

    threshold: float
    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float
    sensitivity: Rate
    specificity: Rate
    ppv: Rate
    npv: Rate
    accuracy: Rate

    @property
    def balanced_accuracy(self) -> float | None:
        """The mean of sensitivity and specificity."""
        sensitivity, specificity = self.sensitivity.value, self.specificity.value
        return None if sensitivity is None or specificity is None else (sensitivity + specificity) / 2

    @property
    def f1(self) -> float | None:
        """The harmonic mean of sensitivity and PPV; ``None`` where nothing is or counts as positive."""
        whole = 2 * self.true_positives + self.false_positives + self.false_negatives
        return 2 * self.true_positives / whole if whole else None


class OperatingPoint(Struct, frozen=True, kw_only=True):
    """A threshold with a name, and what comes of it."""

    name: str
    origin: str
    decision: Decision


def decide(ranking: Ranking, threshold: float) -> Decision:
    """What comes of a threshold, with Wilson's intervals; of samples in groups they are wider."""
    step = ranking.step_of(threshold)
    true = ranking.true_positives[step] if step >= 0 else 0.0
    false = ranking.false_positives[step] if step >= 0 else 0.0
    missed, spared = ranking.positives - true, ranking.negatives - false
    above = ranking.ends[step] if step >= 0 else 0
    parts = {
        "sensitivity": (true, ranking.positives),
        "specificity": (spared, ranking.negatives),
        "ppv": (true, true + false),
        "npv": (spared, spared + missed),
        "accuracy": (true + spared, ranking.positives + ranking.negatives),
    }
    intervals: dict[str, Interval | None]
    if ranking.cases.weights is not None:
        intervals = dict.fromkeys(parts)
    elif ranking.cases.groups is None:
        intervals = {name: wilson(hits, count) for name, (hits, count) in parts.items()}
    else:
        intervals = _clustered(ranking, above)
    rates = {name: Rate(hits=hits, count=count, interval=intervals[name]) for name, (hits, count) in parts.items()}
    return Decision(
        threshold=threshold,
        true_positives=true,
        false_positives=false,
        false_negatives=missed,
        true_negatives=spared,
        **rates,
    )


def operating_points(ranking: Ranking) -> list[OperatingPoint]:
    """Thresholds that these very cases would choose. They flatter: a threshold belongs chosen on other data."""
    positives, negatives = ranking.positives, ranking.negatives
    if not positives or not negatives:
        return []
    steps = list(zip(ranking.thresholds, ranking.true_positives, ranking.false_positives, strict=True))
    youden = max(steps, key=lambda step: step[1] / positives - step[2] / negatives)
    sensitive = [
        (
            f"sensitivity {least * 100:.0f} % or more",
            next(step[0] for step in steps if step[1] >= least * positives - _ROUNDING),
        )
        for least in _LEAST
    ]
    specific = [
        (
            f"specificity {least * 100:.0f} % or more",
            [step[0] for step in steps if negatives - step[2] >= least * negatives - _ROUNDING],
        )
        for least in _LEAST
    ]
    found = [("Youden's J", youden[0]), *sensitive, *((name, allowed[-1]) for name, allowed in specific if allowed)]
    return [
        OperatingPoint(name=name, origin="chosen on these cases", decision=decide(ranking, threshold))
        for name, threshold in found
    ]


def _clustered(ranking: Ranking, above: int) -> dict[str, Interval | None]:
    """The intervals of the rates, of cases that belong together in groups; ``above`` cases count as positive."""
    groups, labels = ranking.groups_in_order(), ranking.labels_in_order()
    taken, left = groups[:above], groups[above:]
    others = bytes(map(_OTHER.__getitem__, labels))
    true = Counter(compress(taken, labels[:above]))
    spared = Counter(compress(left, others[above:]))
    return {
        "sensitivity": clustered_wilson(true, Counter(compress(groups, labels))),
        "specificity": clustered_wilson(spared, Counter(compress(groups, others))),
        "ppv": clustered_wilson(true, Counter(taken)),
        "npv": clustered_wilson(spared, Counter(left)),
        "accuracy": clustered_wilson(true + spared, Counter(groups)),
    }
