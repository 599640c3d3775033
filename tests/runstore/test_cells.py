"""Cells of roll-ups: from points, from other cells, packed, and as a plan puts them together. Judged by plain Python."""

import math
from array import array

from hypothesis import example, given
from hypothesis import strategies as st

from runstore.series import (
    FALLS,
    FAN_OUT_BITS,
    HAS_FINITE,
    Cells,
    Columns,
    EqualBuckets,
    OctaveBuckets,
    RollUps,
    cells_of,
    level_for,
    merged,
    packs_of_packs,
    packs_of_points,
    plan,
    span_bits,
    unpacked,
)
from runstore.series.buckets import Buckets

VALUES = st.floats() | st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf])
STEPS = st.integers(0, 300) | st.integers(0, 2**63 - 1)
POINTS = st.dictionaries(STEPS, st.tuples(VALUES, st.integers(-(2**40), 2**52)), min_size=1, max_size=80)
Points = dict[int, tuple[float, int]]


def columns_of(points: Points) -> Columns:
    steps = sorted(points)
    values, times = zip(*(points[step] for step in steps), strict=True) if points else ((), ())
    return Columns(array("q", steps), array("d", values), array("q", times))


def expected(points: Points, buckets: Buckets) -> list[tuple[object, ...]]:
    """Each bucket's facts: index, count, marks, and the first, last, lowest and highest point."""
    inside: dict[int, list[int]] = {}
    for step in sorted(points):
        inside.setdefault(buckets.index(step), []).append(step)
    found: list[tuple[object, ...]] = []
    for index, steps in inside.items():
        values = {step: points[step][0] for step in steps}
        finite = [step for step in steps if math.isfinite(values[step])]
        low = min(finite, key=lambda step: (values[step], step), default=steps[0])
        high = min(finite, key=lambda step: (-values[step], step), default=steps[0])
        marks = (HAS_FINITE if finite else 0) | sum(
            bit
            for bit, name in ((1, "nan"), (2, "inf"), (4, "-inf"))
            if name in {repr(value) for value in values.values()}
        )
        times = [points[step][1] for step in steps]
        marks |= 0 if times == sorted(times) else FALLS
        found.append((index, len(steps), marks, *(_fact(points, step) for step in (steps[0], steps[-1], low, high))))
    return found


def _fact(points: Points, step: int) -> tuple[int, str, int]:
    value, time = points[step]
    return step, value.hex(), time


def facts(cells: Cells) -> list[tuple[object, ...]]:
    points = [
        [(step, value.hex(), time) for step, value, time in zip(*columns, strict=True)] for columns in cells.points
    ]
    return list(zip(cells.indices, cells.counts, cells.marks, *points, strict=True))


@given(POINTS, st.integers(0, 63))
def test_a_cell_is_what_its_points_say(points: Points, bits: int) -> None:
    assert facts(cells_of(columns_of(points), EqualBuckets(bits))) == expected(points, EqualBuckets(bits))


@given(POINTS, st.integers(0, 60), st.integers(0, 63))
def test_cells_merged_are_the_cells_of_all_points(points: Points, narrow: int, wider: int) -> None:
    fine, coarse = EqualBuckets(narrow), EqualBuckets(min(narrow + wider, 63))

    assert facts(merged(cells_of(columns_of(points), fine), coarse)) == expected(points, coarse)


@given(POINTS, st.integers(0, 58))
@example({0: (1.0, 0), 2**63 - 1: (math.nan, 2**52)}, 58)
def test_a_pack_holds_its_cells_to_the_bit(points: Points, level: int) -> None:
    packs = packs_of_points(columns_of(points), level)

    assert [index for index, _ in packs] == sorted({step >> span_bits(level) for step in points})
    assert facts(Cells.joined(unpacked(data) for _, data in packs)) == expected(points, EqualBuckets(level))


def test_the_layout_of_a_pack_stays_as_it_was_first_written() -> None:
    columns = Columns(array("q", [64, 65, 130]), array("d", [0.5, -2.0, math.nan]), array("q", [1000, 2000, 1500]))

    ((index, data),) = packs_of_points(columns, 6)

    assert index == 0
    assert data.hex() == (
        "01064849020000000000000000000000e803000000000000010208010200010040008200410082004100820040008200"
        "00000000f4010000e8030000f4010000e8030000f401000000000000f4010000000000000000e03f000000000000f87f"
        "00000000000000c0000000000000f87f00000000000000c0000000000000f87f000000000000e03f000000000000f87f"
    )
    assert facts(unpacked(data)) == expected(
        {64: (0.5, 1000), 65: (-2.0, 2000), 130: (math.nan, 1500)}, EqualBuckets(6)
    )


@given(st.integers(1, 2**40), st.integers(0, 2**62))
def test_the_base_level_holds_some_hundred_points_a_cell(count: int, gap: int) -> None:
    span = min(count + gap, 2**63 - 1)

    level = level_for(count, 0, span - 1)

    per_cell = count * 2**level / span
    assert per_cell >= 111.9 or level == 58
    assert per_cell < 224.1


def test_a_series_without_gaps_has_cells_of_128_points() -> None:
    assert level_for(10_000, 0, 9_999) == 7
    assert level_for(10_000, 5, 10_100) == 7


@given(st.integers(0, 2**63 - 1), st.integers(-6, 12))
def test_buckets_of_octaves_follow_one_another_and_begin_at_aligned_steps(step: int, bits: int) -> None:
    cut = OctaveBuckets(bits)

    index = cut.index(step)

    begin, end = cut.start(index), cut.start(index + 1)
    assert begin <= step < end
    assert cut.index(begin) == index
    assert cut.index(end - 1) == index
    assert begin == 0 or bits < 0 or begin % (end - begin) == 0


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5), st.integers(1, 600))
def test_no_more_buckets_are_needed_than_asked_for(steps: list[int], most: int) -> None:
    for kind in (EqualBuckets, OctaveBuckets):
        cut = kind.within(min(steps), max(steps), most)
        assert cut.index(max(steps)) - cut.index(min(steps)) < most
        finer = kind(cut.bits - 1)
        if cut.bits > 0 and kind is EqualBuckets:
            assert finer.index(max(steps)) - finer.index(min(steps)) >= most


DENSE = st.dictionaries(st.integers(0, 6000), st.tuples(VALUES, st.integers(0, 1000)), min_size=1, max_size=300)


@given(DENSE, st.integers(0, 4), st.integers(0, 7000), st.data())
def test_what_a_plan_reads_gives_each_bucket_whole(
    points: Points, level: int, frontier: int, data: st.DataObject
) -> None:
    rolled = frontier >> span_bits(level) << span_bits(level)
    packs = rolled_up(points, level, rolled)
    low, high = sorted(data.draw(st.tuples(st.integers(0, 7000), st.integers(0, 7000))))
    inside = {step: point for step, point in points.items() if low <= step <= high}
    buckets: Buckets = data.draw(
        st.builds(EqualBuckets, st.integers(0, 13)) | st.builds(OctaveBuckets, st.integers(-3, 6))
    )

    found = plan(low, high, buckets, RollUps(level, rolled))

    parts = [
        cells_of(columns_of({step: point for step, point in points.items() if first <= step <= last}), buckets)
        for first, last in found.points
    ]
    for asked in found.packs:
        for index in range(asked.first, asked.last + 1):
            cells = unpacked(packs[asked.level, index]) if (asked.level, index) in packs else Cells.empty()
            kept = [
                position
                for position, cell in enumerate(cells.indices)
                if asked.low <= cell << asked.level and (cell + 1) << asked.level <= asked.high + 1
            ]
            if kept:
                parts.append(cells.between(kept[0], kept[-1] + 1))
    parts = sorted((part for part in parts if part.indices), key=lambda part: part.first.steps[0])
    assert facts(merged(Cells.joined(parts), buckets)) == expected(inside, buckets)


def rolled_up(points: Points, level: int, rolled: int) -> dict[tuple[int, int], bytes]:
    """The packs of all points below a step, of all levels."""
    below = columns_of({step: point for step, point in points.items() if step < rolled})
    packs = {(level, index): data for index, data in packs_of_points(below, level)}
    while rolled >> span_bits(level + FAN_OUT_BITS):
        lower = [data for (its_level, _), data in sorted(packs.items()) if its_level == level]
        level += FAN_OUT_BITS
        whole = rolled >> span_bits(level)
        packs |= {(level, index): data for index, data in packs_of_packs(lower, level) if index < whole}
    return packs


def test_a_plan_reads_so_much_as_it_has_buckets_and_not_as_is_stored() -> None:
    for count in (10**5, 10**6, 10**7, 10**9, 10**12):
        rolled = count >> 12 << 12
        for low, high in ((0, count - 1), (count // 3, count - 1), (count // 3 + 1, count // 3 + 12_345), (5, 70_000)):
            buckets = EqualBuckets.within(low, high, 999)
            found = plan(low, high, buckets, RollUps(7, rolled))
            assert sum(asked.last - asked.first + 1 for asked in found.packs) < 400
            assert sum(last - first + 1 for first, last in found.points) < 70_000
