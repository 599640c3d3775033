"""What comes of a threshold, calibration, subgroups, groups and several classes: small cases that can be done by hand."""

import math

import pytest

from runstore.predictions import new_predictions
from runstore_ui.evaluation import (
    Pooling,
    Rate,
    all_cases,
    class_matrix,
    decide,
    operating_points,
    pooled,
    rank,
    reliability,
    subgroups,
    wilson,
)
from ui.evaluation.judged import drawn, predictions_of

SCORES = [0.9, 0.8, 0.7, 0.6, 0.6, 0.4, 0.3, 0.1]
TARGETS = [1, 1, 0, 1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("threshold", "fields"),
    [
        (0.6, (3, 2, 1, 2)),
        (0.61, (2, 1, 2, 3)),
        (0.5, (3, 2, 1, 2)),
        (2.0, (0, 0, 4, 4)),
        (0.0, (4, 4, 0, 0)),
        (0.9, (1, 0, 3, 4)),
    ],
)
def test_a_score_of_the_threshold_or_more_counts_as_positive(threshold: float, fields: tuple[int, ...]) -> None:
    found = decide(rank(all_cases(predictions_of(SCORES, TARGETS))), threshold)

    assert (found.true_positives, found.false_positives, found.false_negatives, found.true_negatives) == fields
    tp, fp, fn, tn = fields
    assert found.sensitivity == Rate(hits=tp, count=4, interval=wilson(tp, 4))
    assert found.specificity == Rate(hits=tn, count=4, interval=wilson(tn, 4))
    assert found.ppv == Rate(hits=tp, count=tp + fp, interval=wilson(tp, tp + fp))
    assert found.npv == Rate(hits=tn, count=tn + fn, interval=wilson(tn, tn + fn))
    assert found.accuracy == Rate(hits=tp + tn, count=8, interval=wilson(tp + tn, 8))
    assert found.balanced_accuracy == (tp / 4 + tn / 4) / 2
    assert found.f1 == pytest.approx(2 * tp / (2 * tp + fp + fn))


def test_a_rate_of_nothing_is_none() -> None:
    found = decide(rank(all_cases(predictions_of([0.2, 0.3], [0, 0]))), 0.5)

    assert (found.sensitivity.value, found.sensitivity.interval, found.ppv.value, found.f1) == (None, None, None, None)
    assert found.balanced_accuracy is None


def test_samples_of_one_group_that_all_say_the_same_count_as_one() -> None:
    """Four films of each of ten children: the interval is that of ten children."""
    targets = [1] * 40
    scores = [0.9 if child < 7 else 0.1 for child in range(10) for _ in range(4)]
    groups = [f"child {child}" for child in range(10) for _ in range(4)]

    found = decide(rank(all_cases(predictions_of(scores, targets, groups=groups))), 0.5).sensitivity

    assert found.value == 0.7
    assert found.interval is not None
    width = found.interval.high - found.interval.low
    of_ten, of_forty = wilson(7, 10), wilson(28, 40)
    assert of_ten is not None
    assert of_forty is not None
    assert of_forty.high - of_forty.low < width
    # The variance between groups is divided by one less than their number: it is a little wider than that of ten alone.
    assert of_ten.high - of_ten.low < width < 1.1 * (of_ten.high - of_ten.low)


def test_the_interval_of_samples_in_groups_is_that_of_their_effective_number() -> None:
    """By the definition of Rao and Scott (1992): the variance between groups over that of as many samples apart."""
    scores, targets = drawn(9, 80)
    groups = [f"child {row * row % 23}" for row in range(80)]
    ones = [row for row in range(80) if targets[row]]
    hits = [scores[row] >= 0.5 for row in ones]
    names = sorted({groups[row] for row in ones})
    share = sum(hits) / len(ones)
    between = 0.0
    for name in names:
        own = [hit for hit, row in zip(hits, ones, strict=True) if groups[row] == name]
        between += (sum(own) - share * len(own)) ** 2
    variance = len(names) / (len(names) - 1) * between / len(ones) ** 2
    effect = max(1.0, variance * len(ones) / (share * (1 - share)))

    found = decide(rank(all_cases(predictions_of(scores, targets, groups=groups))), 0.5).sensitivity

    expected = wilson(sum(hits) / effect, len(ones) / effect)
    assert expected is not None
    assert found.interval is not None
    assert math.isclose(found.interval.low, expected.low)
    assert math.isclose(found.interval.high, expected.high)


def test_of_weighted_cases_there_are_rates_and_no_intervals() -> None:
    found = decide(rank(all_cases(predictions_of([0.9, 0.2, 0.4], [1, 1, 0], weights=[2, 1, 0.5]))), 0.3)

    assert (found.sensitivity.value, found.sensitivity.interval) == (2 / 3, None)
    assert (found.specificity.value, found.false_positives) == (0.0, 0.5)


def test_operating_points_are_the_thresholds_that_keep_what_they_promise() -> None:
    scores, targets = drawn(5, 500)
    ranking = rank(all_cases(predictions_of(scores, targets)))
    decisions = [decide(ranking, threshold) for threshold in sorted(set(scores), reverse=True)]

    found = {point.name: point.decision for point in operating_points(ranking)}

    highest = next(each for each in decisions if (each.sensitivity.value or 0) >= 0.9)
    lowest = [each for each in decisions if (each.specificity.value or 0) >= 0.95][-1]
    assert found["sensitivity 90 % or more"] == highest
    assert found["specificity 95 % or more"] == lowest
    assert (found["Youden's J"].balanced_accuracy or 0) == pytest.approx(
        max(each.balanced_accuracy or 0 for each in decisions)
    )


def test_reliability_is_the_share_in_each_part_of_the_range() -> None:
    scores = [0.05, 0.1, 0.19, 0.95, 1.0]
    targets = [0, 0, 1, 1, 0]

    found = reliability(rank(all_cases(predictions_of(scores, targets))))

    assert found is not None
    assert [(each.low, each.high, each.count, each.share) for each in found.bins] == [
        (0.0, 0.1, 1, 0.0),
        (0.1, 0.2, 2, 0.5),
        (0.9, 1.0, 2, 0.5),
    ]
    assert [each.interval for each in found.bins] == [wilson(0, 1), wilson(1, 2), wilson(1, 2)]
    assert found.expected_error == pytest.approx((0.05 + 2 * (0.5 - 0.145) + 2 * (0.975 - 0.5)) / 5)
    assert found.brier == pytest.approx((0.0025 + 0.01 + 0.81**2 + 0.0025 + 1) / 5)


def test_each_subgroup_has_the_figures_of_its_cases_alone() -> None:
    scores, targets = drawn(6, 120)
    sites = ["lyon" if row % 3 else None for row in range(120)]
    predictions = predictions_of(scores, targets, sites=sites, splits="test")
    ranking = rank(all_cases(predictions))

    test, lyon, unknown = subgroups(ranking, predictions.divisions)

    assert [(each.division, each.name, each.count) for each in (test, lyon, unknown)] == [
        ("split", "test", 120),
        ("site", "lyon", 80),
        ("site", None, 40),
    ]
    assert decide(test.ranking, 0.5) == decide(ranking, 0.5)
    only = [row for row in range(120) if row % 3]
    alone = predictions_of([scores[row] for row in only], [targets[row] for row in only])
    assert decide(lyon.ranking, 0.5) == decide(rank(all_cases(alone)), 0.5)
    assert lyon.positives == sum(targets[row] for row in only)
    assert lyon.area.value is not None


def test_of_many_subgroups_those_with_the_most_cases_are_looked_at() -> None:
    scores, targets = drawn(8, 60)
    predictions = predictions_of(
        scores, targets, sites=[f"site {row if row < 20 else row % 3:02}" for row in range(60)]
    )

    found = subgroups(rank(all_cases(predictions)), predictions.divisions, most=3)

    assert [each.name for each in found] == ["site 00", "site 01", "site 02"]


def test_cases_are_kept_by_what_their_divisions_say() -> None:
    predictions = predictions_of([0.1, 0.2, 0.3], [0, 1, 1], splits=["test", "validation", "test"], sites="lyon")

    kept = all_cases(predictions, keep={"split": "test", "site": "lyon"})

    assert (list(kept.rows), list(kept.scores), kept.are_positive) == ([0, 2], [0.1, 0.3], b"\0\1")
    assert len(all_cases(predictions, keep={"site": "elsewhere"})) == 0


def test_the_first_class_of_two_may_count_as_positive() -> None:
    cases = all_cases(predictions_of([0.25, 1.0], [0, 1]), positive=0)

    assert (list(cases.scores), cases.are_positive) == ([0.75, 0.0], b"\1\0")


@pytest.mark.parametrize(("pooling", "scores"), [(Pooling.MEAN, [0.4, 0.9, 0.1]), (Pooling.MAX, [0.6, 0.9, 0.1])])
def test_a_group_is_one_case(pooling: Pooling, scores: list[float]) -> None:
    predictions = predictions_of([0.2, 0.9, 0.6, 0.1], [0, 0, 1, 1], groups=["a", None, "a", "b"], weights=[1, 2, 3, 4])

    found = pooled(all_cases(predictions), pooling)

    assert list(found.scores) == pytest.approx(scores)
    assert (found.are_positive, list(found.rows), list(found.weights or ())) == (b"\1\0\1", [0, 1, 3], [2, 2, 4])
    assert pooled(all_cases(predictions), Pooling.NONE) == all_cases(predictions)


def test_each_sample_of_several_classes_is_taken_for_that_of_its_highest_score() -> None:
    predictions = new_predictions(
        ids=["a", "b", "c", "d"],
        classes=["none", "bacterial", "viral"],
        targets=[0, 1, 2, 2],
        scores=[[0.5, 0.5, 0.0], [0.1, 0.7, 0.2], [0.1, 0.8, 0.1], [0.0, 0.0, 1.0]],
    )

    found = class_matrix(predictions, range(4))

    assert found.counts == ((1, 0, 0), (0, 1, 0), (0, 1, 1))
    assert found.accuracy == 0.75
    assert list(all_cases(predictions, positive=1).scores) == [0.5, 0.7, 0.8, 0.0]
    assert math.isclose(sum(map(sum, found.counts)), 4)
