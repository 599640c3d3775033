"""Where the lowest and highest values of parts lie: with numpy and without, judged by plain Python."""

import math
import subprocess
import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runstore.series import Columns, EqualBuckets, cells_of, packs_of_points
from runstore.series.extremes import extremes, rises

FEW = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 5e-324, math.nan, math.inf, -math.inf])
FINITE = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 5e-324]) | st.floats(
    allow_nan=False, allow_infinity=False
)
MARKS = {"nan": 1, "inf": 2, "-inf": 4}


@contextmanager
def numpy_at_hand(*, is_there: bool) -> Iterator[None]:
    """A program that has loaded numpy, or has not."""
    with mock.patch.dict(sys.modules, {"numpy": np if is_there else None}):
        yield


def expected(values: list[float], bounds: list[int]) -> tuple[list[int], list[int], list[int]]:
    lows, highs, marks = [], [], []
    for begin, end in pairwise(bounds):
        finite = [position for position in range(begin, end) if math.isfinite(values[position])]
        lows.append(min(finite, key=lambda position: (values[position], position), default=begin))
        highs.append(min(finite, key=lambda position: (-values[position], position), default=begin))
        kinds = {repr(value) for value in values[begin:end]}
        marks.append((8 if finite else 0) + sum(mark for kind, mark in MARKS.items() if kind in kinds))
    return lows, highs, marks


@st.composite
def cut_values(draw: st.DrawFn) -> tuple[list[float], list[int]]:
    """Values in parts, long enough that numpy is worth it: of equal length, as cells without gaps have, or not."""
    parts = draw(st.integers(1, 4))
    if draw(st.booleans()):
        count = 128 * parts
        bounds = [*range(0, count + 1, 128)]
    else:
        count = draw(st.integers(160 * parts, 200 * parts))
        inner = draw(st.lists(st.integers(1, count - 1), min_size=parts - 1, max_size=parts - 1, unique=True))
        bounds = [0, *sorted(inner), count]
    # Few values and many of them: a part's extreme comes again and again.
    some = draw(st.lists(draw(st.sampled_from([FEW, FINITE])), min_size=1, max_size=40))
    shift = draw(st.integers(0, 7))
    return [some[(index * 7 + shift) % len(some)] for index in range(count)], bounds


@pytest.mark.parametrize("is_there", [True, False], ids=["numpy", "plain"])
@given(cut=cut_values())
@example(cut=([0.0, -0.0] * 128, [0, 128, 256]))
@example(cut=([math.nan] * 128 + [math.inf, -math.inf] * 64, [0, 128, 256]))
@example(cut=([1e308] * 200, [0, 1, 200]))
def test_extremes_are_the_first_of_equals(*, is_there: bool, cut: tuple[list[float], list[int]]) -> None:
    values, bounds = cut
    with numpy_at_hand(is_there=is_there):
        lows, highs, marks = extremes(array("d", values), bounds)
    assert (lows, highs, marks.tolist()) == expected(values, bounds)
    assert {type(position) for position in lows + highs} == {int}


@pytest.mark.parametrize("is_there", [True, False], ids=["numpy", "plain"])
@given(
    some=st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2), max_size=10),
    times=st.integers(1, 40),
    is_sorted=st.booleans(),
)
def test_rises_is_said_of_times_none_of_which_is_lower_than_the_one_before(
    *, is_there: bool, some: list[int], times: int, is_sorted: bool
) -> None:
    moments = sorted(some * times) if is_sorted else some * times
    with numpy_at_hand(is_there=is_there):
        assert rises(array("q", moments)) == (moments == sorted(moments))


def test_packs_have_the_same_bytes_with_numpy_and_without() -> None:
    steps = array("q", [step for step in range(70, 9000) if step % 4000 > 30])
    values = array("d", [math.sin(step) if step % 1111 else math.nan for step in steps])
    columns = Columns(steps, values, array("q", [(step // 700 * 13) % 11 for step in steps]))
    with numpy_at_hand(is_there=True):
        with_numpy = packs_of_points(columns, 7)
    with numpy_at_hand(is_there=False):
        assert packs_of_points(columns, 7) == with_numpy
    assert len(with_numpy) == 3


def test_numpy_is_not_loaded_for_it() -> None:
    program = (
        "import sys; from array import array; from runstore.series.extremes import extremes\n"
        "assert extremes(array('d', [2.0, 1.0] * 100), [0, 200])[:2] == ([1], [0])\n"
        "assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_numpy_that_another_thread_is_loading_is_left_alone() -> None:
    half = mock.Mock(__spec__=mock.Mock(_initializing=True))
    half.frombuffer.side_effect = AttributeError("partially initialized module 'numpy'")
    with mock.patch.dict(sys.modules, {"numpy": half}):
        assert extremes(array("d", [2.0, 1.0] * 100), [0, 200])[:2] == ([1], [0])


@given(st.integers(0, 500), st.integers(1, 600), st.integers(0, 8))
def test_buckets_of_steps_without_gaps_are_as_those_of_any(first: int, count: int, bits: int) -> None:
    """Steps without gaps are cut without a search; with one more step, far behind, they are searched."""
    steps = array("q", range(first, first + count))
    far = (1 << 40) + first
    dense = cells_of(Columns(steps, array("d", steps), steps), EqualBuckets(bits))
    gapped = array("q", [*steps, far])
    searched = cells_of(Columns(gapped, array("d", gapped), gapped), EqualBuckets(bits))
    assert dense == searched.between(0, len(searched.indices) - 1)
