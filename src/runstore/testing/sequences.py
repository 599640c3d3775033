"""Generated sequences of calls of ``log_metrics``, and what histories, summaries and samples must then be.

What must be is worked out from a plain dictionary of steps; nothing here calls what a store calls.
"""

import itertools
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from random import Random
from typing import Final, NamedTuple

from runstore.backend import Store
from runstore.charts import GridSeries, NonFinite
from runstore.model import MetricPoint
from runstore.testing.strategies import NASTY_FLOATS, STEPS
from runstore.testing.values import expected_facts, facts_of

SERIES: Final = (("loss", "train"), ("loss", "validation"), ("$a.b/ä", "train"))
MOMENTS: Final = tuple(datetime(2026, 7, 1, tzinfo=UTC) + timedelta(microseconds=us) for us in (0, 1, 10**6))
PALETTES: Final = (
    (0.0, -0.0),
    (0.0, -0.0, math.nan),
    (-0.0, 0.0, 1.0),
    (math.nan, math.inf, -math.inf),
    (1.0, math.nan),
    (1.0, -1.0, 0.5),
)
"""Values of one sequence. They are few, so that they meet: mistakes in a summary are made where values are equal."""


class Call(NamedTuple):
    """One call: the handle that makes it, and its points. ``times`` is how often it is sent, as after a lost reply."""

    handle: int
    points: tuple[MetricPoint, ...]
    times: int


def some_calls(chance: Random) -> list[Call]:
    """Calls of few points whose steps and values meet, and now and then one of a thousand."""
    palette = chance.choice(PALETTES) if chance.random() < 0.7 else tuple(chance.choices(NASTY_FLOATS, k=3))
    names = chance.choices(SERIES, k=chance.choice((1, 1, 2)))

    def point() -> MetricPoint:
        step = chance.choice(STEPS) if chance.random() < 0.1 else chance.randrange(4)
        return _point(chance.choice(names), chance.choice(palette), step, chance.choice(MOMENTS))

    def points() -> tuple[MetricPoint, ...]:
        if chance.random() < 0.02:
            return _block(chance.choice(names), chance.choice((0, 3, 900)), chance.choice((600, 1100)))
        return tuple(point() for _ in range(chance.choice((1, 1, 2, 3, 5))))

    return [Call(chance.randrange(2), points(), chance.choice((1, 1, 1, 2))) for _ in range(chance.randint(1, 7))]


def _point(series: tuple[str, str], value: float, step: int, moment: datetime) -> MetricPoint:
    name, kind = series
    return MetricPoint(name=name, value=value, step=step, dataset_type=kind, logged_at=moment)


def _block(series: tuple[str, str], first: int, count: int) -> tuple[MetricPoint, ...]:
    """Many points, each tenth of them not finite, the extremes several times."""
    return tuple(
        _point(series, math.nan if step % 10 == 9 else float(step * 7 % 13), step, MOMENTS[0])
        for step in range(first, first + count)
    )


_KINDS: Final = {NonFinite.NAN: "nan", NonFinite.POSITIVE_INFINITY: "inf", NonFinite.NEGATIVE_INFINITY: "-inf"}
BucketFacts = tuple[int, tuple[int, int], int, int, frozenset[str]]
"""Of a bucket: how many points, the steps of the first and last, of the lowest and of the highest, and what is not finite."""


class Series(dict[int, MetricPoint]):
    """The points of one series by step."""

    def rows(self) -> list[tuple[int, str, datetime | None]]:
        """The history: step, value to the bit, time."""
        return [(step, float(self[step].value).hex(), self[step].logged_at) for step in sorted(self)]

    def values(self) -> list[tuple[int, float]]:  # type: ignore[override]  # pairs, in the order of their steps
        """Step and value."""
        return [(step, float(self[step].value)) for step in sorted(self)]

    def sampled(self, most: int) -> list[int]:
        """The steps that a sample of so many points keeps (MET.12)."""
        pairs = self.values()
        if len(pairs) <= most:
            return [step for step, _ in pairs]
        first, last = pairs[0][0], pairs[-1][0]
        bits = next(bits for bits in range(64) if (last >> bits) - (first >> bits) < (most - 2) // 2)
        kept = {first, last}
        for _, part in itertools.groupby(pairs, lambda pair: pair[0] >> bits):
            _, _, low, high, _ = _bucket(list(part))
            kept |= {low, high}
        return sorted(kept)

    def on_grid(self, edges: Sequence[int], number: Callable[[MetricPoint], int]) -> list[tuple[int, BucketFacts]]:
        """What each bucket of a grid that holds points says of them (MET.14), by the number that each point has on it."""
        parts: dict[int, list[tuple[int, float]]] = {}
        for step, value in self.values():
            parts.setdefault(bisect_right(edges, number(self[step])) - 1, []).append((step, value))
        return [(bucket, _bucket(parts[bucket])) for bucket in sorted(parts)]

    def on_grid_of_time(
        self, edges: Sequence[int], time: Callable[[MetricPoint], int], most: int
    ) -> list[tuple[int, BucketFacts]]:
        """What each bucket of a grid of time says that may have so many of them: pieces stand in them as a whole (MET.14)."""
        steps = sorted(self)
        bits = next(bits for bits in range(64) if (steps[-1] >> bits) - (steps[0] >> bits) < 2 * most)
        own = {step: bisect_right(edges, time(self[step])) - 1 for step in steps}
        buckets: dict[int, int] = {}
        for _, part in itertools.groupby(steps, lambda step: step >> bits):
            piece = list(part)
            times = [time(self[step]) for step in piece]
            buckets |= _together(piece, own, bits) if times == sorted(times) else {step: own[step] for step in piece}
        parts: dict[int, list[tuple[int, float]]] = {}
        for step, value in self.values():
            parts.setdefault(buckets[step], []).append((step, value))
        return [(bucket, _bucket(parts[bucket])) for bucket in sorted(parts)]


def _together(steps: list[int], own: Mapping[int, int], bits: int) -> dict[int, int]:
    """The buckets of the steps of a piece: that of the first one, unless a half is looked at by itself."""
    if own[steps[-1]] - own[steps[0]] <= 1:
        return dict.fromkeys(steps, own[steps[0]])
    halves = itertools.groupby(steps, lambda step: step >> (bits - 1))
    return {step: bucket for _, part in halves for step, bucket in _together(list(part), own, bits - 1).items()}


def _step(point: MetricPoint) -> int:
    return point.step


def _shown(found: GridSeries) -> list[tuple[int, BucketFacts]]:
    """What a grid says of a series."""
    columns = (found.first.steps, found.last.steps, found.low.steps, found.high.steps)
    return [
        (bucket, (count, (first, last), low, high, frozenset(_KINDS[kind] for kind in NonFinite(odd))))
        for bucket, count, odd, first, last, low, high in zip(
            found.buckets, found.counts, found.non_finite, *columns, strict=True
        )
    ]


def _bucket(points: list[tuple[int, float]]) -> BucketFacts:
    """Of points in the order of their steps; of equal extremes the first one counts."""
    finite = [pair for pair in points if math.isfinite(pair[1])]
    low = min(finite, key=itemgetter(1), default=points[0])
    high = max(finite, key=itemgetter(1), default=points[0])
    kinds = frozenset(repr(value) for _, value in points if not math.isfinite(value))
    return len(points), (points[0][0], points[-1][0]), low[0], high[0], kinds


class Logged:
    """What was logged to one run."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str], Series] = {}

    def add(self, points: Iterable[MetricPoint]) -> None:
        """One call: the last write of a step wins."""
        for point in points:
            self.series.setdefault((point.name, str(point.dataset_type)), Series())[point.step] = point

    def check(self, store: Store, run_id: str, *, sizes: Sequence[int] = (4, 7)) -> None:
        """Asserts that a store shows this of the run, read in every way there is."""
        self.check_summaries(store, run_id)
        assert repr(store.get_summaries_of([run_id])) == repr({run_id: store.get_summaries(run_id)})
        for (name, kind), series in self.series.items():
            rows = series.rows()
            assert [
                (each.step, each.value.hex(), each.logged_at) for each in store.get_history(run_id, name, kind)
            ] == rows
            low, high = rows[len(rows) // 3][0], rows[2 * len(rows) // 3][0]
            part = store.get_history(run_id, name, kind, min_step=low, max_step=high)
            assert list(part.steps) == [step for step, _, _ in rows if low <= step <= high]
            for most in sizes:
                sample = store.sample_history(run_id, name, kind, max_points=most)
                kept = set(series.sampled(most))
                assert [(each.step, each.value.hex(), each.logged_at) for each in sample] == [
                    row for row in rows if row[0] in kept
                ], f"a sample of {most}"
                assert sample.represents == len(rows)
                inside = Series({step: series[step] for step in part.steps})
                zoomed = store.sample_history(run_id, name, kind, max_points=most, min_step=low, max_step=high)
                assert (list(zoomed.steps), zoomed.represents) == (inside.sampled(most), len(inside))
        self.check_grid(store, run_id)

    def check_grid(self, store: Store, run_id: str, *, max_points: int = 12) -> None:
        """Asserts that the series of this run stand on grids of each kind as these points say."""
        keys = [(run_id, name, kind) for name, kind in self.series]
        start = store.get_run(run_id).start_time

        def since_start(point: MetricPoint) -> int:
            assert point.logged_at is not None
            return (point.logged_at - start) // timedelta(microseconds=1)

        for by in ("step", "log_step", "time"):
            grid = store.sample_histories(keys, max_points=max_points, by=by)
            assert [(each.run_id, each.name, str(each.dataset_type)) for each in grid.series] == keys
            for found, series in zip(grid.series, self.series.values(), strict=True):
                expected = (
                    series.on_grid_of_time(grid.edges, since_start, (max_points - 2) // 2)
                    if by == "time"
                    else series.on_grid(grid.edges, _step)
                )
                assert _shown(found) == expected, f"a grid by {by}"
                if by != "time":
                    assert grid.is_exact
                elif grid.is_exact:
                    assert expected == series.on_grid(grid.edges, since_start)

    def check_summaries(self, store: Store, run_id: str) -> None:
        """Asserts that the summaries are what these points give, to the bit."""
        found = store.get_summaries(run_id)
        assert {(each.name, str(each.dataset_type)): facts_of(each) for each in found} == {
            key: expected_facts(series.values()) for key, series in self.series.items()
        }
