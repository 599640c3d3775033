"""Samples and grids: what roll-ups say of series, and their points where there are none (MET.12, MET.14)."""

from runstore.backend import StepRange
from runstore.charts import GridAxis, HistoryGrid
from runstore.series import (
    Columns,
    GridRequest,
    Series,
    SeriesKey,
    grid_of,
    kept_of,
    sample,
    sample_buckets,
    whole_buckets,
)
from runstore_mongo.connection import Connection
from runstore_mongo.points.chart_reader import ChartReader, reading_of
from runstore_mongo.points.time_grids import read_time_grid


def read_sample(
    connection: Connection, run_id: str, series: Series, max_points: int, steps: StepRange
) -> tuple[Columns, int] | None:
    """The points that a sample keeps, and how many they stand for; ``None`` where there is no such series."""
    key = SeriesKey(run_id, *series)

    def read() -> tuple[Columns, int] | None:
        reader = ChartReader(connection)
        extents, _ = reader.extents([key])
        if key not in extents:
            return None
        extent = extents[key]
        ends = reader.ends(extent, steps)
        if ends is None:
            return Columns.empty(), 0
        buckets = sample_buckets(*ends, max_points)
        reading = reading_of(extent, whole_buckets(ends, (steps.low, steps.high), buckets), buckets)
        if reading.packs:
            cells = reader.cells({key: (extent, reading)}, buckets)[key]
            count = sum(cells.counts)
            if count > max_points:
                return kept_of(cells), count
        columns = reader.points({key: (extent, [ends])})[key][0]
        # Of a history that was thinned fewer points are there than the series stands for.
        logged = reader.logged(key, extent, ends) if extent.is_thinned else None
        return sample(columns, max_points), len(columns.steps) if logged is None else logged

    return connection.call("read a sample", read)


def read_grid(connection: Connection, asked: GridRequest, steps: StepRange) -> HistoryGrid:
    """Series on one grid."""

    def read() -> HistoryGrid:
        reader = ChartReader(connection)
        extents, starts_us = reader.extents(asked.keys)
        ends = {key: found for key, each in extents.items() if (found := reader.ends(each, steps))}
        if not ends:
            return grid_of(asked, None, {}, is_bounded=True)
        if asked.by is GridAxis.TIME:
            return read_time_grid(reader, asked, extents, ends, starts_us, steps=steps)
        buckets = asked.cut(min(first for first, _ in ends.values()), max(last for _, last in ends.values()))
        readings = {
            key: (
                extents[key],
                reading_of(extents[key], whole_buckets(each, (steps.low, steps.high), buckets), buckets),
            )
            for key, each in ends.items()
        }
        is_bounded = all(extents[key].is_bounded for key in ends)
        return grid_of(asked, buckets, reader.cells(readings, buckets), is_bounded=is_bounded)

    return connection.call("read a grid", read)
