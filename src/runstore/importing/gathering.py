"""Points that are read in the order in which they were logged, gathered into pieces of one series each."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from runstore.importing.folding import Chunk, SeriesFolding, StepRule, folded, sorted_chunks, step_rule
from runstore.importing.report import RunFindings, Told
from runstore.series import Columns, Series
from runstore.values import MAX_STEP

_MOST_POINTS: Final = 100_000
_SORTED_AT_ONCE: Final = 50_000
_LEAST: Final = -(2**63)

Point = tuple[str, int | float, float, int]
"""The key of a metric, a step, a value, and a time in microseconds."""


class Span(Struct):
    """What the steps of one metric span.

    Attributes:
        count: how many points.
        lowest: the lowest step.
        highest: the highest.
        is_ascending: whether each is higher than the one before.
        is_whole: whether each is a whole number.
    """

    count: int
    lowest: float
    highest: float
    is_ascending: bool = True
    is_whole: bool = True

    def take(self, step: float) -> None:
        """One point more."""
        if step.__class__ is float:
            self.is_whole = False
        self.count += 1
        if step > self.highest:
            self.highest = step
            return
        self.is_ascending = False
        self.lowest = min(self.lowest, step)


class Spans(dict[str, Span]):
    """Those of all metrics of a run, by key: what is looked through before its points are brought."""

    def take(self, key: str, step: float) -> None:
        """One point more; a step that is no ``int`` is no whole number."""
        span = self.get(key)
        if span is None:
            self[key] = Span(1, step, step, is_whole=isinstance(step, int))
        else:
            span.take(step)


class _Buffer:
    __slots__ = ("folding", "is_whole", "series", "steps", "times", "values")

    def __init__(self, series: Series, folding: SeriesFolding, *, is_whole: bool) -> None:
        self.is_whole = is_whole
        self.series = series
        self.folding = folding
        self._renew()

    def _renew(self) -> None:
        self.steps, self.values, self.times = array("q"), array("d"), array("q")

    def take_all(self) -> Chunk:
        chunk = Chunk(self.steps, self.values, self.times)
        self._renew()
        return chunk


def gathered(
    points: Iterable[Point], spans: Spans, series: Mapping[str, Series], found: RunFindings, *, instead_us: int
) -> Iterator[tuple[Series, Columns]]:
    """The points as pieces. Those of a metric whose steps ascend are held for a while only; of another one, all.

    Args:
        points: in the order in which they were logged; those of a key without a span are left out.
        spans: of the same points.
        series: by key.
        found: what is told of the run.
        instead_us: the time of points whose own lies outside the years 1 to 9999.
    """
    direct: dict[str, _Buffer] = {}
    whole: dict[str, _Buffer] = {}
    for key, span in spans.items():
        is_whole = span.is_whole and span.lowest >= _LEAST and span.highest <= MAX_STEP
        if is_whole:
            rule = step_rule(key, found, count=span.count, lowest=span.lowest, highest=span.highest)
        else:
            rule = StepRule(is_counted=True)
            text = (
                f"some of the {span.count} steps are no whole numbers of 64 bits; the points are counted in their order"
            )
            found.tell(Told.STEPS_COUNTED, text, key=key, count=span.count)
        folding = SeriesFolding(key, rule, found, instead_us=instead_us)
        is_direct = span.is_ascending or not is_whole
        (direct if is_direct else whole)[key] = _Buffer(series[key], folding, is_whole=is_whole)
    held, every = 0, direct | whole
    for key, step, value, time_us in points:
        buffer = every.get(key)
        if buffer is None:
            continue
        buffer.steps.append(int(step) if buffer.is_whole else 0)  # those are counted
        buffer.values.append(value)
        buffer.times.append(time_us)
        if key in direct:
            held += 1
            if held >= _MOST_POINTS:
                held = 0
                yield from _given(direct.values())
    yield from _given(direct.values())
    for buffer in direct.values():
        yield from _not_empty(buffer, buffer.folding.finish())
    for buffer in whole.values():
        for columns in folded(sorted_chunks(buffer.take_all(), _SORTED_AT_ONCE), buffer.folding):
            yield buffer.series, columns


def _given(buffers: Iterable[_Buffer]) -> Iterator[tuple[Series, Columns]]:
    for buffer in buffers:
        if buffer.steps:
            yield from _not_empty(buffer, buffer.folding.take(buffer.take_all()))


def _not_empty(buffer: _Buffer, columns: Columns) -> Iterator[tuple[Series, Columns]]:
    if columns.steps:
        yield buffer.series, columns
