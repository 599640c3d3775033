"""What a grid of time is made of (MET.14): cells that lie in one bucket of time, and the steps of those that do not."""

from array import array

from runstore.series.buckets import Buckets
from runstore.series.cells import Cells, cells_at
from runstore.series.columns import Columns

Range = tuple[int, int]
"""A first and a last step."""


def since(times: "array[int]", start_us: int) -> "array[int]":
    """Times as they are counted from the start of a run."""
    return array("q", [time - start_us for time in times])


def split_by_time(cells: Cells, level: int, start_us: int, buckets: Buckets) -> tuple[Cells, list[Range]]:
    """The cells of a level that lie in one bucket of time each, and the steps of the others; their times rise."""
    ends = zip(cells.first.logged_at_us, cells.last.logged_at_us, strict=True)
    is_whole = [buckets.index(begin - start_us) == buckets.index(end - start_us) for begin, end in ends]
    ranges: list[Range] = []
    for index in (cells.indices[position] for position, whole in enumerate(is_whole) if not whole):
        low, high = index << level, ((index + 1) << level) - 1
        if ranges and ranges[-1][1] == low - 1:
            ranges[-1] = ranges[-1][0], high
        else:
            ranges.append((low, high))
    return cells.at([position for position, whole in enumerate(is_whole) if whole]), ranges


def by_time(columns: Columns, start_us: int, buckets: Buckets) -> Cells:
    """A cell for each bucket of time, of points whose times do not rise."""
    groups: dict[int, list[int]] = {}
    for position, time in enumerate(columns.logged_at_us):
        groups.setdefault(buckets.index(time - start_us), []).append(position)
    return cells_at(columns, dict(sorted(groups.items())))
