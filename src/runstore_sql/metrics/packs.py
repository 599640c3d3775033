"""What packs that were read hold of the cells that were asked for."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from runstore.series import Cells, PackRange, unpacked


def whole_cells(packs: Iterable[bytes], wanted: PackRange) -> Iterable[Cells]:
    """The cells that lie whole between the steps of a range."""
    first, last = wanted.low >> wanted.level, wanted.high >> wanted.level
    for data in packs:
        cells = unpacked(data)
        begin, end = bisect_left(cells.indices, first), bisect_right(cells.indices, last)
        yield cells if end - begin == len(cells.indices) else cells.between(begin, end)
