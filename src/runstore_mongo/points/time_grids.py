"""Series on a grid of time (MET.14): what is read of them."""

from collections.abc import Mapping

from runstore.backend import StepRange
from runstore.charts import HistoryGrid
from runstore.series import GridRequest, Held, Plan, SeriesKey, Timed, grid_of_time, pieces_between, whole_buckets
from runstore_mongo.points.chart_reader import ChartReader, Extent, Range, Reading, reading_of


def read_time_grid(  # noqa: PLR0913 - what is asked for, and what is known of its series
    reader: ChartReader,
    asked: GridRequest,
    extents: Mapping[SeriesKey, Extent],
    ends: Mapping[SeriesKey, Range],
    starts_us: Mapping[str, int],
    *,
    steps: StepRange,
) -> HistoryGrid:
    """The grid of those series that have points between their ends, of a range of steps."""
    pieces = {key: pieces_between(found, asked) for key, found in ends.items()}
    readings = {
        key: (
            extents[key],
            reading_of(extents[key], whole_buckets(found, (steps.low, steps.high), pieces[key]), pieces[key]),
        )
        for key, found in ends.items()
    }
    held = _read(reader, readings)
    timed = {
        key: Timed(starts_us[key.run_id], found, pieces[key], _base_level(extents[key]), held[key])
        for key, found in ends.items()
    }

    def look(wanted: Mapping[SeriesKey, Plan]) -> dict[SeriesKey, Held]:
        return _read(reader, {key: (extents[key], Reading(*each)) for key, each in wanted.items()})

    return grid_of_time(asked, timed, look, is_bounded=all(extents[key].is_bounded for key in ends))


def _read(reader: ChartReader, readings: Mapping[SeriesKey, tuple[Extent, Reading]]) -> dict[SeriesKey, Held]:
    if not readings:
        return {}
    packs = reader.packs(readings)
    points = reader.points({key: (extent, reading.points) for key, (extent, reading) in readings.items()})
    return {key: Held(packs[key], points[key]) for key in readings}


def _base_level(extent: Extent) -> int:
    return 0 if extent.rollups is None else extent.rollups.level
