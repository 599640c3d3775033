"""Curves and areas, judged by their definitions over all pairs, and by figures that were published."""

import math
import random
from statistics import NormalDist

import pytest

from runstore_ui.evaluation import (
    Interval,
    all_cases,
    area_under_roc,
    average_precision,
    precision_points,
    rank,
    roc_points,
    thinned,
    wilson,
)
from ui.evaluation.judged import drawn, mean, predictions_of, variance, wins

Z = NormalDist().inv_cdf(0.975)


def log_odds_interval(area: float, spread: float) -> Interval:
    half = Z * math.sqrt(spread) / (area * (1 - area))
    odds = math.log(area / (1 - area))
    return Interval(*(1 / (1 + math.exp(-each)) for each in (odds - half, odds + half)))


def close(found: Interval | None, expected: Interval) -> bool:
    return found is not None and math.isclose(found.low, expected.low) and math.isclose(found.high, expected.high)


def test_the_areas_of_an_example_of_scikit_learn_are_its() -> None:
    ranking = rank(all_cases(predictions_of([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])))

    assert area_under_roc(ranking).value == 0.75
    assert average_precision(ranking) == pytest.approx(0.8333333333333333)
    assert [(point.x, point.y, point.threshold) for point in roc_points(ranking)] == [
        (0.0, 0.0, None),
        (0.0, 0.5, 0.8),
        (0.5, 0.5, 0.4),
        (0.5, 1.0, 0.35),
        (1.0, 1.0, 0.1),
    ]
    assert [(point.x, point.y) for point in precision_points(ranking)] == [
        (0.5, 1.0),
        (0.5, 0.5),
        (1.0, 2 / 3),
        (1.0, 0.5),
    ]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("count", [5, 40, 150])
def test_the_area_is_the_share_of_pairs_in_order_and_its_interval_is_delongs(seed: int, count: int) -> None:
    scores, targets = drawn(seed, count)
    pairs = wins(scores, targets)
    expected = mean([mean(row) for row in pairs])

    found = area_under_roc(rank(all_cases(predictions_of(scores, targets))))

    assert found.value == pytest.approx(expected)
    if min(len(pairs), len(pairs[0])) > 1 and 0 < expected < 1:
        spread = variance([mean(row) for row in pairs]) / len(pairs)
        spread += variance([mean(column) for column in list(zip(*pairs, strict=True))]) / len(pairs[0])
        if spread:
            assert close(found.interval, log_odds_interval(expected, spread))


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_of_samples_in_groups_is_obuchowskis(seed: int) -> None:
    """Of the definition in Biometrics 1997; 53: 567, with sums over groups."""
    scores, targets = drawn(seed, 60)
    chance = random.Random(seed)
    groups = [f"child {chance.randrange(25)}" for _ in scores]
    pairs = wins(scores, targets)
    area = mean([mean(row) for row in pairs])
    of_row = iter([mean(row) - area for row in pairs])
    of_column = iter([mean(column) - area for column in list(zip(*pairs, strict=True))])
    sums: dict[str, list[float]] = {group: [0.0, 0.0] for group in groups}
    for group, target in zip(groups, targets, strict=True):
        sums[group][1 - target] += next(of_row) if target else next(of_column)
    positive = {group for group, target in zip(groups, targets, strict=True) if target}
    negative = {group for group, target in zip(groups, targets, strict=True) if not target}
    m, n = len(pairs), len(pairs[0])
    s10 = len(positive) / ((len(positive) - 1) * m) * sum(sums[group][0] ** 2 for group in positive)
    s01 = len(negative) / ((len(negative) - 1) * n) * sum(sums[group][1] ** 2 for group in negative)
    s11 = len(sums) / (len(sums) - 1) * sum(each[0] * each[1] for each in sums.values())
    expected = log_odds_interval(area, s10 / m + s01 / n + 2 * s11 / (m * n))

    found = area_under_roc(rank(all_cases(predictions_of(scores, targets, groups=groups))))

    assert found.value == pytest.approx(area)
    assert close(found.interval, expected)


def test_samples_that_stand_alone_have_the_interval_of_groups_of_one() -> None:
    scores, targets = drawn(1, 50)

    alone = area_under_roc(rank(all_cases(predictions_of(scores, targets, groups=[None] * 50))))

    plain = area_under_roc(rank(all_cases(predictions_of(scores, targets)))).interval
    assert plain is not None
    assert close(alone.interval, plain)


def test_a_weight_counts_as_so_many_samples() -> None:
    scores, targets = drawn(2, 40)
    weights = [random.Random(row).randrange(4) for row in range(40)]
    weights[0] = weights[1] = 1
    repeated = [row for row, weight in enumerate(weights) for _ in range(weight)]
    once = rank(all_cases(predictions_of(scores, targets, weights=weights)))
    often = rank(all_cases(predictions_of([scores[row] for row in repeated], [targets[row] for row in repeated])))

    assert area_under_roc(once).value == pytest.approx(area_under_roc(often).value)
    assert average_precision(once) == pytest.approx(average_precision(often))
    assert area_under_roc(once).interval is None


@pytest.mark.parametrize(
    ("targets", "value"), [([0, 0, 0], None), ([1, 1, 1], None), ([0, 1, 1], 1.0), ([1, 0, 0], 0.0)]
)
def test_where_one_kind_is_missing_there_is_no_area_and_where_all_is_parted_no_interval(
    targets: list[int], value: float | None
) -> None:
    found = area_under_roc(rank(all_cases(predictions_of([0.1, 0.5, 0.9], targets))))

    assert (found.value, found.interval) == (value, None)


def test_of_no_case_there_is_nothing() -> None:
    ranking = rank(all_cases(predictions_of([0.5], [1], splits="test"), keep={"split": "validation"}))

    assert (len(ranking.cases), area_under_roc(ranking).value, average_precision(ranking)) == (0, None, None)
    assert (roc_points(ranking), precision_points(ranking)) == ([], [])


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_intervals_are_those_of_newcombe_1998(hits: int, count: int, low: float, high: float) -> None:
    """Statistics in Medicine 1998; 17: 857, table I, method 3."""
    found = wilson(hits, count)

    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_a_thinned_curve_has_both_ends_and_lies_within_half_a_cell_of_the_whole() -> None:
    scores, targets = drawn(3, 20_000, digits=9)
    whole = roc_points(rank(all_cases(predictions_of(scores, targets))))

    few = thinned(whole, parts=100)

    assert (few[0], few[-1]) == (whole[0], whole[-1])
    assert len(few) < 500
    assert [point for point in few if point not in whole] == []
    cells = {(round(point.x * 100), round(point.y * 100)) for point in few}
    assert {(round(point.x * 100), round(point.y * 100)) for point in whole} == cells
