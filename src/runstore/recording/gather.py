"""What waits together goes to the store together: the points of many records, by run."""

from collections.abc import Sequence
from itertools import islice

import msgspec

from runstore.recording.records import MetricsRecord, PointsRecord, Record, decode_series, points_in
from runstore.series import Points, Series


class RunPoints:
    """The points of one run's records, in the order in which they were accepted.

    Attributes:
        calls: from how many records.
    """

    __slots__ = ("_columns", "_raw", "_series", "calls")

    def __init__(self) -> None:
        """Holds none yet."""
        self.calls = 0
        self._columns: tuple[list[Series], list[int], list[float], list[int]] = ([], [], [], [])
        self._raw: msgspec.Raw | None = None
        self._series: list[Series] = []

    @property
    def points(self) -> Points:
        """All of them."""
        return Points(*self._columns)

    def add(self, record: PointsRecord | MetricsRecord) -> None:
        """Takes in the points of one more record."""
        self.calls += 1
        series, steps, values, moments = self._columns
        if isinstance(record, MetricsRecord):
            for name, kind, step, value, moment in record.points:
                series.append((name, kind))
                steps.append(step)
                values.append(value)
                moments.append(moment)
            return
        if record.series != self._raw:
            self._raw, self._series = record.series, decode_series(record)
        series += self._series
        values += record.values
        size = len(record.values)
        steps += [record.steps] * size if isinstance(record.steps, int) else record.steps
        moments += [record.at_us] * size if record.logged_at_us is None else record.logged_at_us


def points_of(record: PointsRecord | MetricsRecord) -> Points:
    """The points of one record."""
    found = RunPoints()
    found.add(record)
    return found.points


def gather(records: Sequence[Record | None], start: int, most_points: int) -> tuple[dict[str, RunPoints], int]:
    """The points of the records from ``start`` on, by run, and where they end.

    It goes on to the first record of another kind, and to ``most_points``; a record stays whole, however many it has.
    """
    found: dict[str, RunPoints] = {}
    count, stop = 0, start
    for record in islice(records, start, None):
        if not isinstance(record, (PointsRecord, MetricsRecord)):
            break
        count += points_in(record)
        if count > most_points and stop > start:
            break
        of_run = found.get(record.run_id)
        if of_run is None:
            of_run = found[record.run_id] = RunPoints()
        of_run.add(record)
        stop += 1
    return found, stop
