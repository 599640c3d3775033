"""One metric's file of MLflow's file store: a line a point, read in blocks."""

from array import array
from collections.abc import Iterator
from operator import lt
from pathlib import Path
from typing import BinaryIO, Final, Self

from msgspec import Struct

from runstore.errors import SourceError
from runstore.importing.folding import Chunk, sorted_chunks
from runstore.importing.report import RunFindings, Told
from runstore.importing.source import opened_plainly

_BLOCK: Final = 2**19
"""Bytes read at once: fewer lines than a piece may have points, however short they are."""

_MOST_POINTS: Final = 50_000
_FIELDS: Final = 3
_MOST_LINE: Final = 4096
_LONGEST: Final = 2**63


class MetricFile(Struct, frozen=True, kw_only=True):
    """What is known of a file after it was looked through, each line of which is right.

    Attributes:
        path: where it lies.
        size: how many bytes; what is written to it later is read the next time.
        count: how many points.
        lowest: the lowest step.
        highest: the highest.
        last_time: the highest time, in milliseconds.
        is_ascending: whether the steps ascend.
    """

    path: Path
    size: int
    count: int
    lowest: int
    highest: int
    last_time: int
    is_ascending: bool

    @classmethod
    def of(cls, path: Path, key: str, found: RunFindings) -> Self:
        """Looks through a file.

        Raises:
            SourceError: a line is none of a metric; names it.
        """
        size = count = 0
        lowest, highest, last_us = _LONGEST, -_LONGEST, 0
        is_ascending = True
        with opened_plainly(path) as file:
            lines = 0
            for block in _blocks(file, None):
                size += len(block)
                chunk = _points(block, path, lines)
                lines += block.count(b"\n")
                if not chunk.steps:
                    continue
                is_ascending = is_ascending and chunk.steps[0] > highest and all(map(lt, chunk.steps, chunk.steps[1:]))
                count += len(chunk.steps)
                lowest = min(lowest, *chunk.steps)
                highest = max(highest, *chunk.steps)
                last_us = max(last_us, *chunk.times_us)
            file.seek(size)
            if file.read(1):
                found.tell(Told.LINE_CUT, f"{path}:{lines + 1}: the last line is not whole and left out", key=key)
        return cls(
            path=path, size=size, count=count, lowest=lowest, highest=highest, last_time=last_us // 1000,
            is_ascending=is_ascending,
        )  # fmt: skip

    def chunks(self) -> Iterator[Chunk]:
        """The points in the order of step and time: as they stand, if the steps ascend; if not, all are held at once."""
        with opened_plainly(self.path) as file:
            read = (_points(block, self.path, 0) for block in _blocks(file, self.size))
            if self.is_ascending:
                yield from read
                return
            whole = Chunk(array("q"), array("d"), array("q"))
            for chunk in read:
                for column, more in zip(whole, chunk, strict=True):
                    column.extend(more)  # type: ignore[attr-defined]  # arrays, as made above
        yield from sorted_chunks(whole, _MOST_POINTS)


def _blocks(file: BinaryIO, size: int | None) -> Iterator[bytes]:
    """Whole lines, as many as a block has; a last line without an end is none."""
    rest = b""
    left = size
    while block := file.read(_BLOCK if left is None else min(_BLOCK, left)):
        left = None if left is None else left - len(block)
        end = block.rfind(b"\n") + 1
        if not end:
            rest += block
            if len(rest) > _MOST_LINE:
                raise SourceError(f"{file.name}: has a line of over {_MOST_LINE} bytes, so it is no metric of MLflow")
            continue
        yield rest + block[:end]
        rest = block[end:]


def _points(block: bytes, path: Path, lines: int) -> Chunk:
    """The points of whole lines; each line is looked at alone only where they are not all alike."""
    words = block.split()
    if len(words) == _FIELDS * block.count(b"\n"):
        try:
            return _chunk(words[2::3], words[1::3], words[0::3])
        except (ValueError, OverflowError):
            pass  # found again below, with its line
    steps, values, times = [], [], []
    for number, line in enumerate(block.splitlines(), start=lines + 1):
        fields = line.split()
        if not fields:
            continue
        try:
            step = int(fields[2]) if len(fields) >= _FIELDS else 0
            value, time = float(fields[1]), int(fields[0])
            if not -_LONGEST <= step < _LONGEST:
                raise ValueError  # noqa: TRY301 - as what is no number
        except (ValueError, IndexError):
            text = line[:80].decode("utf-8", "backslashreplace")
            raise SourceError(
                f"{path}:{number}: found {text!r}, where MLflow writes 'milliseconds value step', all numbers"
            ) from None
        steps.append(step)
        values.append(value)
        times.append(max(-_LONGEST, min(time * 1000, _LONGEST - 1)))  # folded as one outside of the calendar
    return Chunk(steps, values, times)


def _chunk(steps: list[bytes], values: list[bytes], times: list[bytes]) -> Chunk:
    numbers = array("q", map(int, steps))
    return Chunk(numbers, array("d", map(float, values)), array("q", [int(each) * 1000 for each in times]))
