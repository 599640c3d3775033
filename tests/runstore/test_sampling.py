"""Summaries and samples, judged by definitions written out here."""

import math
from array import array

from hypothesis import given
from hypothesis import strategies as st

from runstore.model import SeriesSummary
from runstore.series import Columns, merge_summaries, sample, summarize
from support.sampled import sampled_steps

_VALUES = st.floats() | st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf])
_SERIES = st.dictionaries(st.integers(0, 60) | st.integers(0, 2**63 - 1), _VALUES, min_size=1, max_size=60)


def _summary(points: dict[int, float]) -> SeriesSummary:
    steps = sorted(points)
    return summarize("loss", "train", steps, [points[step] for step in steps])


@given(_SERIES)
def test_a_summary_is_what_the_points_say(points: dict[int, float]) -> None:
    summary = _summary(points)

    finite = [(value, step) for step, value in points.items() if math.isfinite(value)]
    assert (summary.count, summary.first.step, summary.last.step) == (len(points), min(points), max(points))
    assert summary.last.value.hex() == points[max(points)].hex()
    assert summary.non_finite_count == len(points) - len(finite)
    if finite:
        assert summary.min is not None
        assert summary.max is not None
        assert (summary.min.value, summary.min.step) == min(finite)
        highest = max(value for value, _ in finite)
        assert (summary.max.value, summary.max.step) == (
            highest,
            min(step for value, step in finite if value == highest),
        )
    else:
        assert summary.min is None
        assert summary.max is None


@given(_SERIES, st.integers(0, 2**63))
def test_two_parts_in_any_order_have_the_summary_of_the_whole(points: dict[int, float], cut: int) -> None:
    low = {step: value for step, value in points.items() if step % 7 < cut % 8}
    high = {step: value for step, value in points.items() if step not in low}
    if low and high:
        assert repr(merge_summaries(_summary(low), _summary(high))) == repr(_summary(points))
        assert repr(merge_summaries(_summary(high), _summary(low))) == repr(_summary(points))


@given(_SERIES, st.integers(4, 30))
def test_a_sample_keeps_the_ends_and_each_buckets_extremes_within_its_size(
    points: dict[int, float], max_points: int
) -> None:
    columns = columns_of(points)

    kept = sample(columns, max_points)

    assert list(kept.steps) == sampled_steps(points, max_points)
    assert len(kept.steps) <= max_points
    assert [value.hex() for value in kept.values] == [points[step].hex() for step in kept.steps]
    assert list(kept.logged_at_us) == [7 * (step % 1000) for step in kept.steps]


def columns_of(points: dict[int, float]) -> Columns:
    steps = sorted(points)
    return Columns(
        array("q", steps), array("d", [points[step] for step in steps]), array("q", [7 * (s % 1000) for s in steps])
    )
