"""What other tools log and no store here takes, folded into what one takes; each fold is told (:mod:`.report`).

* **Steps.** A step is a whole number from 0, and of a step that comes twice the last point counts. A series whose points
  all have one step was logged without steps: its points are counted, 0, 1, 2 …, in the order of time. So are those of
  a series with fractional steps. A series with negative steps is shifted, so that its lowest is 0.
* **Values.** ±1.797…e308, the largest float64, is how some tools write an infinity.
* **Texts.** What no database keeps (NUL, lone surrogates, too many characters) is escaped or cut.
"""

import math
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from operator import lt
from typing import Final, NamedTuple
from unicodedata import category

from runstore.importing.report import RunFindings, Told
from runstore.series import Columns
from runstore.values import MAX_STEP

_LARGEST: Final = sys.float_info.max
_LAST_US: Final = 253_402_300_799_999_999
"""The last microsecond of the year 9999."""

_FIRST_US: Final = -62_135_596_800_000_000
_MOST_NAME: Final = 255


class Chunk(NamedTuple):
    """Some points of one series as they are read, in the order of step and time."""

    steps: Sequence[int]
    values: Sequence[float]
    times_us: Sequence[int]


class StepRule(NamedTuple):
    """How the steps of one series become ours.

    Attributes:
        shift: is added to each.
        is_counted: whether the points are counted instead.
    """

    shift: int = 0
    is_counted: bool = False


def step_rule(key: str, found: RunFindings, *, count: int, lowest: float, highest: float) -> StepRule:
    """The rule for a series, by what its steps span; what it changes is told."""
    if count > 1 and lowest == highest:
        text = f"all {count} points have the step {lowest}; they are counted in the order of time"
        found.tell(Told.STEPS_COUNTED, text, key=key, count=count)
        return StepRule(is_counted=True)
    if highest - min(lowest, 0) > MAX_STEP:
        text = f"steps from {lowest} to {highest} are too far apart; the {count} points are counted in their order"
        found.tell(Told.STEPS_COUNTED, text, key=key, count=count)
        return StepRule(is_counted=True)
    if lowest < 0:
        text = f"the steps begin at {int(lowest)}; each is {-int(lowest)} higher here"
        found.tell(Told.STEPS_SHIFTED, text, key=key, count=count)
        return StepRule(shift=-int(lowest))
    return StepRule()


class SeriesFolding:
    """Folds the points of one series, some at a time, in the order of step and time.

    Attributes:
        repeated: how many points gave way to a later one of the same step.
    """

    def __init__(
        self, key: str, rule: StepRule, found: RunFindings, *, instead_us: int, is_quiet: bool = False
    ) -> None:
        """Nothing folded yet.

        Args:
            key: of the series, as the source names it.
            rule: for the steps.
            found: what is told of the run.
            instead_us: the time of points whose own lies outside the years 1 to 9999.
            is_quiet: whether repeated steps are told by the caller, for several series together.
        """
        self._is_quiet = is_quiet
        self._key = key
        self._rule = rule
        self._found = found
        self._instead_us = instead_us
        self._held = Columns.empty()  # until it is known whether a later point has its last step
        self._counted = self.repeated = self._infinite = self._timeless = 0

    def take(self, chunk: Chunk) -> Columns:
        """What is certain by now, which may be nothing. The steps ascend, from one answer to the next as well."""
        if not chunk.steps:
            return Columns.empty()
        columns = Columns(self._steps(chunk.steps), array("d", chunk.values), array("q", chunk.times_us))
        self._infinite += _restore_infinities(columns.values)
        self._timeless += _replace_times(columns.logged_at_us, self._instead_us)
        if not all(map(lt, columns.steps, columns.steps[1:])):
            before = len(columns.steps)
            columns = _each_step_once(columns)
            self.repeated += before - len(columns.steps)
        held = self._held
        if held.steps and held.steps[-1] == columns.steps[0]:
            held = held.part(0, len(held.steps) - 1)
            self.repeated += 1
        self._held = columns
        return held

    def finish(self) -> Columns:
        """The last points; and what was folded is told."""
        told = (
            (
                0 if self._is_quiet else self.repeated,
                Told.STEPS_REPEATED,
                "a later point has the same step, and is kept",
            ),
            (self._infinite, Told.INFINITIES, f"±{_LARGEST!r} stands for an infinity, and is one here"),
            (
                self._timeless,
                Told.TIMES_REPLACED,
                "the time lies outside the years 1 to 9999, and is the run's start here",
            ),
        )
        for count, what, text in told:
            if count:
                self._found.tell(what, f"{count} × {text}", key=self._key, count=count)
        return self._held

    def _steps(self, steps: Sequence[int]) -> "array[int]":
        if self._rule.is_counted:
            first = self._counted
            self._counted += len(steps)
            return array("q", range(first, self._counted))
        return array("q", [step + self._rule.shift for step in steps] if self._rule.shift else steps)


def folded(chunks: Iterable[Chunk], folding: SeriesFolding) -> Iterator[Columns]:
    """The points of one series in columns whose steps ascend; of those of one step the last stays."""
    for chunk in chunks:
        columns = folding.take(chunk)
        if columns.steps:
            yield columns
    columns = folding.finish()
    if columns.steps:
        yield columns


def sorted_chunks(chunk: Chunk, size: int) -> Iterator[Chunk]:
    """The points of a series that was read as it was logged, in the order of step, time and place."""
    steps, values, times = chunk
    if not all(map(lt, steps, steps[1:])):
        order = sorted(range(len(steps)), key=lambda index: (steps[index], times[index]))
        steps = [steps[index] for index in order]
        values = [values[index] for index in order]
        times = [times[index] for index in order]
    for begin in range(0, len(steps), size):
        end = begin + size
        yield Chunk(steps[begin:end], values[begin:end], times[begin:end])


def fit_name(name: str, found: RunFindings, *, what: str) -> str:
    """A name that every store takes: 1 to 255 printable characters; a change is told."""
    fit = "".join("\N{REPLACEMENT CHARACTER}" if category(each) == "Cc" else each for each in fit_text(name))
    if len(fit) > _MOST_NAME:
        fit = f"{fit[: _MOST_NAME - 1]}…"
    fit = fit or "unnamed"
    if fit != name:
        found.tell(Told.NAME_CHANGED, f"{what} {name[:_MOST_NAME]!r} is called {fit!r} here", key=name[:_MOST_NAME])
    return fit


def fit_text(text: str) -> str:
    """A text that every database keeps: NUL and lone surrogates are shown by their escapes."""
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def time_us(milliseconds: object) -> int | None:
    """Microseconds of a time in milliseconds; ``None`` for what is none of the years 1 to 9999."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float)) or not math.isfinite(milliseconds):
        return None
    microseconds = round(milliseconds * 1000)
    return microseconds if _FIRST_US <= microseconds <= _LAST_US else None


def typed(text: str) -> bool | float | int | str | None:
    """The value that Python wrote as this text, where writing it again gives the very same text; else the text."""
    if text in _WORDS:
        return _WORDS[text]
    if not text or len(text) > _LONGEST_NUMBER or not text.isascii():
        return text
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if str(value) == text:
            return value
    return text


_WORDS: Final = {"True": True, "False": False, "None": None}
_LONGEST_NUMBER: Final = 320


def _restore_infinities(values: "array[float]") -> int:
    """How many values were an infinity in disguise; they are one now."""
    # NaN compares as nothing: where one is, the two ends say little, and each value is looked at.
    ends = (max(values), min(values))
    if ends[0] < _LARGEST and ends[1] > -_LARGEST:
        return 0
    count = 0
    for index, value in enumerate(values):
        if abs(value) == _LARGEST:
            values[index] = math.copysign(math.inf, value)
            count += 1
    return count


def _replace_times(times_us: "array[int]", instead_us: int) -> int:
    """How many times lay outside the calendar; they are another now."""
    if min(times_us) >= _FIRST_US and max(times_us) <= _LAST_US:
        return 0
    outside = [index for index, each in enumerate(times_us) if not _FIRST_US <= each <= _LAST_US]
    for index in outside:
        times_us[index] = instead_us
    return len(outside)


def _each_step_once(columns: Columns) -> Columns:
    """Of points in the order of their steps the last of each step; of points in another order, too, in order."""
    steps = columns.steps
    last = {step: index for index, step in enumerate(steps)}
    order = sorted(last)
    return columns.at([last[step] for step in order])
