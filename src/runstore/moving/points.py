"""Sending the points of a run, except for those that are there already."""

import operator
from array import array
from collections.abc import Iterator
from itertools import compress, islice

from runstore.backend import BackendStore, StepRange
from runstore.errors import InvalidValueError
from runstore.moving.arriving import MOST_POINTS_A_PIECE, ArrivingRun
from runstore.moving.report import Progress
from runstore.series import Columns, Series, SeriesColumns
from runstore.values.checks import check_dataset_type, check_name


class PointSender:
    """Sends points to a store, many series at once.

    Attributes:
        sent: how many points were sent.
    """

    def __init__(self, store: BackendStore, told: Progress) -> None:
        self._store = store
        self._told = told
        self.sent = 0

    def send(self, arriving: ArrivingRun, *, is_new: bool, is_thorough: bool) -> bool:
        """Sends what a run has and the store has not; whether there was something.

        Args:
            arriving: the run, which is in the store.
            is_new: whether the store had nothing of it before.
            is_thorough: whether points are compared whose summaries are equal.
        """
        run_id, before = arriving.run.id, self.sent
        known: set[Series] = set()
        if not is_new:
            summaries = list(self._store.read_summaries([run_id])[run_id])
            # By their text, in which NaN equals NaN and -0.0 is not 0.0.
            gives = None if is_thorough else arriving.summaries
            if gives is not None and repr(list(gives())) == repr(summaries):
                return False
            known = {(each.name, str(each.dataset_type)) for each in summaries}
        batch: SeriesColumns = {}
        size = 0
        for series, piece in _pieces(arriving):
            if series in known and self._has(run_id, series, piece):
                continue
            if series in batch or size + len(piece.steps) > MOST_POINTS_A_PIECE:
                self._flush(run_id, batch)
                batch, size = {}, 0
            batch[series] = piece
            size += len(piece.steps)
        self._flush(run_id, batch)
        return self.sent > before

    def _has(self, run_id: str, series: Series, piece: Columns) -> bool:
        """Whether the store has these points; what it has beside them, it keeps."""
        stored = self._store.read_history(run_id, series, StepRange(piece.steps[0], piece.steps[-1]))
        if stored is None or len(stored.steps) < len(piece.steps):
            return False
        if len(stored.steps) > len(piece.steps):
            stored = _at(stored, set(piece.steps))
        return is_same(stored, piece)

    def _flush(self, run_id: str, batch: SeriesColumns) -> None:
        if batch:
            self._store.append(run_id, dict(sorted(batch.items())))
            count = sum(len(piece.steps) for piece in batch.values())
            self.sent += count
            self._told.sent(points=count)


def _at(columns: Columns, steps: set[int]) -> Columns:
    """The points at some steps."""
    chosen = [step in steps for step in columns.steps]
    return Columns(
        array("q", compress(columns.steps, chosen)),
        array("d", compress(columns.values, chosen)),
        array("q", compress(columns.logged_at_us, chosen)),
    )


def is_same(one: Columns, other: Columns) -> bool:
    """Whether the points are the same to the bit; one NaN is as good as another, for not every database tells them apart."""
    if one.steps != other.steps or one.logged_at_us != other.logged_at_us:
        return False
    return bytes_of(one.values) == bytes_of(other.values)


def bytes_of(values: "array[float]") -> bytes:
    """The bits of the values, with one NaN for all."""
    if sum(values) - sum(values) == 0.0:  # without NaN and infinities, as nearly always
        return values.tobytes()
    return array("d", [value if value == value else _NAN for value in values]).tobytes()  # noqa: PLR0124 - NaN alone differs from itself


_NAN = float("nan")


def _pieces(arriving: ArrivingRun) -> Iterator[tuple[Series, Columns]]:
    """The pieces, checked and none too long."""
    checked: set[Series] = set()
    for series, piece in arriving.pieces():
        if series not in checked:
            name, kind = series
            checked.add((check_name(name, "name"), check_dataset_type(kind, "dataset_type")))
        _check_order(series, piece)
        for begin in range(0, len(piece.steps), MOST_POINTS_A_PIECE):
            yield (
                series,
                piece
                if not begin and len(piece.steps) <= MOST_POINTS_A_PIECE
                else Columns(*piece).part(begin, begin + MOST_POINTS_A_PIECE),
            )


def _check_order(series: Series, piece: Columns) -> None:
    steps = piece.steps
    if steps and (steps[0] < 0 or not all(map(operator.lt, steps, islice(steps, 1, None)))):
        raise InvalidValueError(
            f"the steps of {series[0]!r} ({series[1]}) come in no order, or are negative; whoever reads them must sort them, "
            "and say what was folded"
        )
