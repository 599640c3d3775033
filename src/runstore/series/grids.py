"""Many series on one grid: for each, what each bucket of the grid comes to (MET.14)."""

from array import array
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from msgspec import Struct

from runstore.charts import GridAxis, GridSeries, HistoryGrid
from runstore.errors import InvalidValueError
from runstore.model import DatasetType
from runstore.series.buckets import Buckets, EqualBuckets, OctaveBuckets
from runstore.series.cells import KINDS, Cells
from runstore.series.sampling import bucket_count
from runstore.values.checks import check_dataset_type, check_name, check_run_id, shown

MOST_SERIES: Final = 1000
"""How many series go on one grid."""


class SeriesKey(NamedTuple):
    """One series of one run."""

    run_id: str
    name: str
    dataset_type: str


class GridRequest(Struct, frozen=True):
    """A grid as it is asked for.

    Attributes:
        keys: the series, each once.
        by: what the buckets are ranges of.
        buckets: how many there may be.
    """

    keys: tuple[SeriesKey, ...]
    by: GridAxis
    buckets: int

    def cut(self, first: int, last: int) -> Buckets:
        """The buckets of a grid from the least to the greatest step, or time."""
        if self.by is GridAxis.LOG_STEP:
            return OctaveBuckets.within(first, last, self.buckets)
        # No bucket has times from both sides of the start of a run.
        return EqualBuckets.within(first, last, self.buckets if (first < 0) == (last < 0) else max(self.buckets, 2))


def check_series_keys(value: object) -> list[SeriesKey]:
    """Series as triples of run id, name and dataset type, each once, in the order given."""
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError  # noqa: TRY301 - as what cannot be gone through
        given = list(value)  # type: ignore[call-overload]  # refused below, in words
    except TypeError:
        raise InvalidValueError(
            f"keys is {shown(value)} of type {type(value).__name__}; give a list of (run_id, name, dataset_type)"
        ) from None
    if len(given) > MOST_SERIES:
        raise InvalidValueError(f"keys names {len(given)} series; at most {MOST_SERIES} go on one grid")
    return list(dict.fromkeys(_key(item, f"keys[{index}]") for index, item in enumerate(given)))


def _key(item: object, field: str) -> SeriesKey:
    if not isinstance(item, tuple) or len(item) != len(SeriesKey._fields):
        raise InvalidValueError(f"{field} is {shown(item)}; give (run_id, name, dataset_type)")
    run_id, name, dataset_type = item
    return SeriesKey(
        check_run_id(run_id, f"{field}[0]"),
        check_name(name, f"{field}[1]"),
        check_dataset_type(dataset_type, f"{field}[2]"),
    )


def check_axis(value: object) -> GridAxis:
    """One of ``step``, ``time`` and ``log_step``."""
    try:
        return GridAxis(value)  # type: ignore[arg-type]  # refused below, in words
    except ValueError:
        raise InvalidValueError(f"by is {shown(value)}; give one of {', '.join(GridAxis)}") from None


def grid_request(keys: Iterable[SeriesKey], axis: GridAxis, max_points: int) -> GridRequest:
    """The request for a grid that has as many buckets as a sample of ``max_points`` points."""
    return GridRequest(tuple(dict.fromkeys(keys)), axis, bucket_count(max_points))


def grid_of(  # noqa: PLR0913 - what a grid is made of, and what it says of that
    asked: GridRequest,
    buckets: Buckets | None,
    cells: Mapping[SeriesKey, Cells],
    *,
    is_bounded: bool,
    is_exact: bool = True,
    last: int | None = None,
) -> HistoryGrid:
    """A grid from the cells of its series, each cell a bucket; those without cells are left out.

    Args:
        asked: the request.
        buckets: what the cells are buckets of.
        cells: of each series that there is.
        is_bounded: whether what was read is bounded by the size of the grid.
        is_exact: whether each point is in its own bucket.
        last: the last bucket of the grid, where it may be a later one than cells are in.
    """
    held = {key: cells[key] for key in asked.keys if key in cells and cells[key].indices}
    if buckets is None or not held:
        return HistoryGrid(by=asked.by, edges=(), series=(), is_bounded=is_bounded, is_exact=is_exact)
    first = min(each.indices[0] for each in held.values())
    last = max(each.indices[-1] for each in held.values()) if last is None else last
    return HistoryGrid(
        by=asked.by,
        edges=tuple(buckets.start(index) for index in range(first, last + 2)),
        series=tuple(_series(key, each, first) for key, each in held.items()),
        is_bounded=is_bounded,
        is_exact=is_exact,
    )


def _series(key: SeriesKey, cells: Cells, first: int) -> GridSeries:
    return GridSeries(
        run_id=key.run_id,
        name=key.name,
        dataset_type=DatasetType(key.dataset_type),
        buckets=array("q", [index - first for index in cells.indices]),
        counts=cells.counts,
        first=cells.first,
        last=cells.last,
        low=cells.low,
        high=cells.high,
        non_finite=array("B", [mark & KINDS for mark in cells.marks]),
    )
