"""A summary that is carried on agrees with one that is computed from all points."""

import math
from array import array

from hypothesis import example, given
from hypothesis import strategies as st

from runstore.series import Columns, summarize
from runstore_mongo.documents.packed import overlay, within
from runstore_mongo.points.summaries import loses_extreme, summary_after

SERIES = ("loss", "train")
VALUES = st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, -2.5, 1.0, 1.5, 9.0])
CALLS = st.lists(st.dictionaries(st.integers(0, 30), VALUES, min_size=1, max_size=8), min_size=1, max_size=6)


def columns(points: dict[int, float]) -> Columns:
    steps = sorted(points)
    return Columns(array("q", steps), array("d", [points[step] for step in steps]), array("q", steps))


@given(calls=CALLS)
@example(calls=[{0: 0.0, 1: 5.0}, {0: -0.0}])
@example(calls=[{0: 1.0, 1: 9.0}, {1: math.nan}])
@example(calls=[{0: math.nan}, {0: 1.0}, {3: 1.0}])
def test_a_summary_after_each_call_is_that_of_all_points(calls: list[dict[int, float]]) -> None:
    stored, model, summary = Columns.empty(), dict[int, float](), None

    for call in calls:
        new = columns(call)
        known = stored if loses_extreme(summary, new) else within(stored, new.steps[0], new.steps[-1])
        summary = summary_after(SERIES, summary, new, known)
        stored = overlay(stored, new)
        model |= call

        steps = sorted(model)
        expected = summarize(*SERIES, steps, [model[step] for step in steps])
        assert repr(summary) == repr(expected)  # NaN is not equal to itself, its text is
        assert list(stored.steps) == steps
