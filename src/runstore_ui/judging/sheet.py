"""What is known of the cases, and what comes of a threshold, as texts and figures."""

from typing import Final

from msgspec import Struct

from runstore_ui.evaluation import Area, Decision, Interval, Rate, decide
from runstore_ui.figures import (
    Curve,
    Figure,
    matrix_figure,
    precision_figure,
    reliability_figure,
    roc_figure,
)
from runstore_ui.judging.judged import Judged

_MOST_MISTAKES: Final = 10


class RateRow(Struct, frozen=True, kw_only=True):
    """One rate at the threshold."""

    name: str
    value: str
    interval: str
    of: str


class PointRow(Struct, frozen=True, kw_only=True):
    """One threshold with a name."""

    name: str
    origin: str
    threshold: float
    told: str
    sensitivity: str
    specificity: str
    is_here: bool


class PartRow(Struct, frozen=True, kw_only=True):
    """One subgroup."""

    division: str
    name: str | None
    count: str
    positives: str
    auroc: str
    sensitivity: str
    specificity: str


class MistakeRow(Struct, frozen=True, kw_only=True):
    """One case on the wrong side of the threshold."""

    what: str
    sample: str
    group: str
    score: str


class Sheet(Struct, frozen=True, kw_only=True):
    """All that the page of an evaluation shows.

    Attributes:
        count: the cases, in words.
        threshold: as it is used.
        told_threshold: as it is shown.
        low: the least threshold that makes a difference.
        high: the highest.
        facts: the main figures: name, value, interval.
        rates: what comes of the threshold.
        figures: the pictures.
        points: thresholds to go to.
        parts: the subgroups.
        mistakes: the cases that are furthest on the wrong side, of each kind the worst first.
        remarks: what one must know to read the figures.
    """

    count: str
    threshold: float
    told_threshold: str
    low: float
    high: float
    facts: tuple[tuple[str, str, str], ...]
    rates: tuple[RateRow, ...]
    figures: tuple[Figure, ...]
    points: tuple[PointRow, ...]
    parts: tuple[PartRow, ...]
    mistakes: tuple[MistakeRow, ...]
    remarks: tuple[str, ...]


def sheet_of(judged: Judged, threshold: float | None) -> Sheet:
    """What the page shows at a threshold; at the usual one if ``None``."""
    used = judged.usual_threshold if threshold is None else threshold
    ranking = judged.ranking
    decision = decide(ranking, used)
    scores = ranking.thresholds
    is_probability = judged.predictions.is_probability
    return Sheet(
        count=_count(judged),
        threshold=used,
        told_threshold=f"{used:.4g}",
        low=0.0 if is_probability or not scores else scores[-1],
        high=1.0 if is_probability or not scores else scores[0],
        facts=_facts(judged, decision),
        rates=tuple(
            RateRow(
                name=name,
                value=_share(rate.value),
                interval=_interval(rate.interval),
                of=f"{_amount(rate.hits)} of {_amount(rate.count)}",
            )
            for name, rate in _rates(decision)
        ),
        figures=_figures(judged, decision),
        points=tuple(
            PointRow(
                name=point.name,
                origin=point.origin,
                threshold=point.decision.threshold,
                told=f"{point.decision.threshold:.4g}",
                sensitivity=_rate(point.decision.sensitivity),
                specificity=_rate(point.decision.specificity),
                is_here=point.decision.threshold == used,
            )
            for point in judged.points
        ),
        parts=_parts(judged, used),
        mistakes=(*_mistakes(judged, used, missed=True), *_mistakes(judged, used, missed=False)),
        remarks=_remarks(judged),
    )


def _count(judged: Judged) -> str:
    ranking = judged.ranking
    cases = len(ranking.order)
    positive = sum(ranking.cases.are_positive)
    groups = len(set(ranking.cases.groups)) if ranking.cases.groups is not None else cases
    of = f" of {groups:,} groups" if groups != cases else ""
    return f"{cases:,} case{'' if cases == 1 else 's'}{of}, {positive:,} {judged.positive}"


def _facts(judged: Judged, decision: Decision) -> tuple[tuple[str, str, str], ...]:
    found = [
        ("AUROC", _share(judged.area.value), _interval(judged.area.interval)),
        ("average precision", _share(judged.average_precision), ""),
        ("sensitivity", _share(decision.sensitivity.value), _interval(decision.sensitivity.interval)),
        ("specificity", _share(decision.specificity.value), _interval(decision.specificity.interval)),
        ("balanced accuracy", _share(decision.balanced_accuracy), ""),
        ("F1", _share(decision.f1), ""),
    ]
    if judged.reliability:
        found += [
            ("Brier score", _share(judged.reliability.brier), ""),
            ("ECE", _share(judged.reliability.expected_error), ""),
        ]
    if judged.matrix:
        found.append((f"accuracy, {len(judged.matrix.classes)} classes", _share(judged.matrix.accuracy), ""))
    return tuple(found)


def _figures(judged: Judged, decision: Decision) -> tuple[Figure, ...]:
    sensitivity, specificity, ppv = decision.sensitivity.value, decision.specificity.value, decision.ppv.value
    found = []
    if judged.roc and sensitivity is not None and specificity is not None:
        name = f"AUROC {_area(judged.area)}"
        found.append(roc_figure([Curve(name=name, points=judged.roc, mark=(1 - specificity, sensitivity))]))
    if judged.precision and sensitivity is not None:
        mark = None if ppv is None else (sensitivity, ppv)
        name = f"average precision {_share(judged.average_precision)}"
        whole = judged.ranking.positives + judged.ranking.negatives
        found.append(
            precision_figure(
                [Curve(name=name, points=judged.precision, mark=mark)], prevalence=judged.ranking.positives / whole
            )
        )
    if judged.reliability:
        found.append(reliability_figure(judged.reliability))
    if judged.ranking.order:
        others = [name for name in judged.predictions.classes if name != judged.positive]
        rest = others[0] if len(others) == 1 else f"not {judged.positive}"
        found.append(
            matrix_figure(
                [rest, judged.positive],
                [
                    [decision.true_negatives, decision.false_positives],
                    [decision.false_negatives, decision.true_positives],
                ],
                title="At the threshold",
            )
        )
    if judged.matrix:
        found.append(matrix_figure(judged.matrix.classes, judged.matrix.counts, title="By the highest score"))
    return tuple(found)


def _parts(judged: Judged, threshold: float) -> tuple[PartRow, ...]:
    found = []
    for part in judged.subgroups:
        decision = decide(part.ranking, threshold)
        found.append(
            PartRow(
                division=part.division,
                name=part.name,
                count=f"{part.count:,}",
                positives=f"{part.positives:,}",
                auroc=_area(part.area),
                sensitivity=_rate(decision.sensitivity),
                specificity=_rate(decision.specificity),
            )
        )
    return tuple(found)


def _mistakes(judged: Judged, threshold: float, *, missed: bool) -> list[MistakeRow]:
    """Positive cases below the threshold, from the lowest score on; or others above it, from the highest on."""
    cases, predictions = judged.ranking.cases, judged.predictions
    groups = predictions.groups
    found: list[MistakeRow] = []
    for case in reversed(judged.ranking.order) if missed else judged.ranking.order:
        score = cases.scores[case]
        if (score >= threshold) == missed or len(found) == _MOST_MISTAKES:
            break
        if bool(cases.are_positive[case]) == missed:
            row = cases.rows[case]
            code = -1 if groups is None else groups.codes[row]
            found.append(
                MistakeRow(
                    what="missed" if missed else "false alarm",
                    sample=predictions.ids[row],
                    group="" if groups is None or code < 0 else groups.names[code],
                    score=f"{score:.4g}",
                )
            )
    return found


def _remarks(judged: Judged) -> tuple[str, ...]:
    cases = judged.ranking.cases
    found = ["Intervals hold the truth in 95 of 100 studies."]
    if cases.groups is not None and len(set(cases.groups)) < len(cases):
        found.append("They know which samples belong to one group, and are wider for it.")
    if cases.weights is not None:
        found = ["Cases are weighted: there are no intervals."]
    splits = judged.predictions.splits
    if splits is not None and len({splits.codes[row] for row in cases.rows}) > 1:
        found.append(
            "These cases are of several splits. Choose one: figures of a part that was trained or tuned on flatter."
        )
    if judged.points:
        found.append("A threshold that was chosen on these cases flatters them; one from other data does not.")
    calibration = judged.predictions.calibration
    if calibration is not None:
        fitted = ", ".join(f"{name} {value:.4g}" for name, value in calibration.parameters.items())
        found.append(
            f"Scores were calibrated by {calibration.method}{f' ({fitted})' if fitted else ''}, fitted on "
            f"{calibration.fitted_on}."
        )
    return tuple(found)


def _rates(decision: Decision) -> list[tuple[str, Rate]]:
    return [
        ("sensitivity", decision.sensitivity),
        ("specificity", decision.specificity),
        ("PPV", decision.ppv),
        ("NPV", decision.npv),
        ("accuracy", decision.accuracy),
    ]


def _rate(rate: Rate) -> str:
    return f"{_share(rate.value)} {_interval(rate.interval)}".strip()


def _area(area: Area) -> str:
    return f"{_share(area.value)} {_interval(area.interval)}".strip()


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(interval: Interval | None) -> str:
    return "" if interval is None else f"({interval.low:.3f}–{interval.high:.3f})"


def _amount(value: float) -> str:
    return f"{value:,.10g}"
