"""Summaries and samples, judged by definitions written out here."""

import math

from hypothesis import given
from hypothesis import strategies as st

from runstore.model import SeriesSummary
from runstore.series.sampling import bucket_count, bucket_of, sample_indices
from runstore.series.summaries import merge_summaries, summarize

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
    steps = sorted(points)
    values = [points[step] for step in steps]

    kept = sample_indices(steps, values, max_points)

    assert kept == sorted(set(kept))
    assert len(kept) <= max_points
    if len(steps) <= max_points:
        assert kept == list(range(len(steps)))
    else:
        assert {0, len(steps) - 1} <= set(kept)
        for bucket in range(bucket_count(max_points)):
            inside = [
                value
                for step, value in zip(steps, values, strict=True)
                if bucket_of(step, first=steps[0], last=steps[-1], buckets=bucket_count(max_points)) == bucket
                and math.isfinite(value)
            ]
            if inside:
                assert {min(inside), max(inside)} <= {values[index] for index in kept}
