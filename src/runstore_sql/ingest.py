"""Writing points: one transaction and a fixed number of statements, whatever the number of points and series (MET.7-8).

1. Find the run and lock the rows of the series that are written to, in one order for all writers.
2. Make the series that are missing, and lock them too.
3. Where a batch begins after its series' last step it only appends. Elsewhere, look up which of its steps exist.
4. Write the points in bulk; a step that exists is overwritten.
5. Where a value was overwritten, compute the summary from the points; elsewhere fold the batch into it.
6. Write the summaries.

What differs by dialect stands in :class:`PointWriter` and its subclasses.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from runstore.errors import RunNotFoundError
from runstore.series.batches import Batch, Batches
from runstore.series.checked import Series
from runstore_sql.batches import folded, row_of
from runstore_sql.schema import SUMMARY_COLUMNS
from runstore_sql.summary_rows import SummaryRow

SUMMARY_SQL = ", ".join(f"s.{column}" for column in SUMMARY_COLUMNS)
_MOST_KEYS: Final = 10_000


class FoundRun(NamedTuple):
    """A run and its locked series.

    Attributes:
        needs_beat: whether its last sign of life is old enough to be renewed.
        series: surrogate key and summary columns by identity.
    """

    pk: int
    needs_beat: bool
    series: dict[Series, tuple[int, SummaryRow]]


class KnownKeys:
    """The keys of the series that a handle has found, so that a call that appends need not find them again.

    A key may have come to mean another series since, in a database that was emptied or brought back from a copy: who
    uses one asks in the same statement for the run's id, the name and the dataset type. For any number of threads.
    """

    def __init__(self) -> None:
        """Knows none."""
        self._by_run: dict[str, dict[Series, int]] = {}
        self._count = 0

    def of(self, run_id: str, wanted: Iterable[Series]) -> list[int] | None:
        """The keys of series of a run; ``None`` unless all are known."""
        known = self._by_run.get(run_id)
        try:
            return None if known is None else [known[identity] for identity in wanted]
        except KeyError:
            return None

    def remember(self, run_id: str, found: Mapping[Series, tuple[int, SummaryRow]]) -> None:
        """Takes the keys of what was found; all older ones are forgotten when they become many."""
        if self._count > _MOST_KEYS:
            self._by_run.clear()
            self._count = 0
        known = self._by_run.setdefault(run_id, {})
        before = len(known)
        known.update({identity: pk for identity, (pk, _) in found.items()})
        self._count += len(known) - before


class PointWriter(Protocol):
    """What a dialect does its own way. ``cursor`` is the driver's, inside a transaction."""

    def find(self, cursor: Any, run_id: str, wanted: Sequence[Series]) -> FoundRun | None:
        """The run with those of the wanted series that exist, locked."""
        ...

    def make_series(self, cursor: Any, run_pk: int, missing: Sequence[Series]) -> None:
        """Makes empty series; one that another writer made meanwhile is left as it is."""
        ...

    def existing_values(self, cursor: Any, keys: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int, float]]:
        """Series, step and value of those points that exist."""
        ...

    def write_points(self, cursor: Any, keyed: Sequence[tuple[int, Batch]], *, only_appends: bool) -> None:
        """Inserts the points of batches in the order of their series' keys; overwrites those that exist."""
        ...

    def computed_rows(self, cursor: Any, series_pks: Sequence[int]) -> dict[int, SummaryRow]:
        """The summaries of whole series, computed from their points."""
        ...

    def write_summaries(self, cursor: Any, rows: dict[int, SummaryRow]) -> None:
        """Sets the summaries of series."""
        ...

    def beat(self, cursor: Any, run_pk: int) -> None:
        """Renews the run's sign of life for another lease."""
        ...


def write(writer: PointWriter, cursor: Any, run_id: str, batches: Batches) -> None:
    """Writes the points of one call; the caller holds the transaction.

    Raises:
        RunNotFoundError: no such run.
    """
    found = _find_or_make(writer, cursor, run_id, list(batches))
    if found.needs_beat:
        writer.beat(cursor, found.pk)
    if not batches:
        return
    rows: dict[int, SummaryRow] = {}
    overlapping: Batches = {}
    for identity, batch in batches.items():
        pk, known = found.series[identity]
        if known[0] == 0:
            rows[pk] = row_of(batch)
        elif batch.steps[0] > known[5]:
            rows[pk] = folded(known, row_of(batch))
        else:
            overlapping[identity] = batch
    stale = _fold_overlaps(writer, cursor, found, overlapping, rows) if overlapping else []
    keyed = sorted((found.series[identity][0], batch) for identity, batch in batches.items())
    writer.write_points(cursor, keyed, only_appends=not overlapping)
    if stale:
        rows.update(writer.computed_rows(cursor, stale))
    if rows:
        writer.write_summaries(cursor, dict(sorted(rows.items())))


def _find_or_make(writer: PointWriter, cursor: Any, run_id: str, wanted: list[Series]) -> FoundRun:
    found = writer.find(cursor, run_id, wanted)
    if found is not None and len(found.series) < len(wanted):
        writer.make_series(cursor, found.pk, [identity for identity in wanted if identity not in found.series])
        found = writer.find(cursor, run_id, wanted)
    if found is None:
        raise RunNotFoundError.of(run_id)
    return found


def _fold_overlaps(
    writer: PointWriter, cursor: Any, found: FoundRun, overlapping: Batches, rows: dict[int, SummaryRow]
) -> list[int]:
    """Folds what is new in batches that reach back; gives the series whose stored values change."""
    keys = [(found.series[identity][0], step) for identity, batch in overlapping.items() for step in batch.steps]
    existing = {(pk, step): value for pk, step, value in writer.existing_values(cursor, keys)}
    stale = []
    for identity, batch in overlapping.items():
        pk, known = found.series[identity]
        fresh = [point for point in zip(*batch, strict=True) if (pk, point[0]) not in existing]
        if any(
            (pk, step) in existing and _differs(existing[pk, step], value)
            for step, value in zip(batch.steps, batch.values, strict=True)
        ):
            stale.append(pk)
        elif fresh:
            rows[pk] = folded(known, row_of(Batch(*map(list, zip(*fresh, strict=True)))))
    return stale


def _differs(left: float, right: float) -> bool:
    return struct.pack("d", left) != struct.pack("d", right)


def computed_sql(series_pks: Sequence[int], *, is_finite: str, value: str) -> str:
    """SQL for the summaries of whole series.

    Args:
        series_pks: surrogate keys; integers, so they stand in the text and any number of them is one statement.
        is_finite: the dialect's test of a point ``p``.
        value: the columns that give the value of a point, with ``{0}`` for its alias.
    """
    keys = ", ".join(map(str, series_pks))
    return f"""
        SELECT a.series_pk, a.points, a.non_finite, a.first_step, {value.format("f")}, a.last_step, {value.format("l")},
            lo.step, {value.format("lo")}, hi.step, {value.format("hi")}
        FROM (SELECT p.series_pk, count(*) AS points,
                sum(CASE WHEN {is_finite} THEN 0 ELSE 1 END) AS non_finite,
                min(p.step) AS first_step, max(p.step) AS last_step,
                min(CASE WHEN {is_finite} THEN p.value END) AS lowest,
                max(CASE WHEN {is_finite} THEN p.value END) AS highest
            FROM runstore_point p WHERE p.series_pk IN ({keys}) GROUP BY p.series_pk) a
        JOIN runstore_point f ON f.series_pk = a.series_pk AND f.step = a.first_step
        JOIN runstore_point l ON l.series_pk = a.series_pk AND l.step = a.last_step
        LEFT JOIN runstore_point lo ON lo.series_pk = a.series_pk AND lo.step =
            (SELECT min(q.step) FROM runstore_point q WHERE q.series_pk = a.series_pk AND q.value = a.lowest)
        LEFT JOIN runstore_point hi ON hi.series_pk = a.series_pk AND hi.step =
            (SELECT min(q.step) FROM runstore_point q WHERE q.series_pk = a.series_pk AND q.value = a.highest)
    """  # noqa: S608 - integers and our own column names
