"""The statements of roll-ups, alike in all dialects but for a few words."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from runstore.series import Columns, PackRange, RollUps, Series

CursorT = TypeVar("CursorT")

PackRow = tuple[int, int, int, bytes]
"""Key of the series, level, index of the pack, and its bytes."""

Frontier = tuple[int, int, int]
"""Key of a series, its base level, and the first step that no pack covers."""

STATE_SQL = "s.pk, s.name, s.dataset_type, s.count, s.first_step, s.last_step, s.level, s.rolled_step, s.rewrites, s.thinned_step"
"""What a statement reads of a series ``s`` for :meth:`SeriesState.of`."""


class SeriesState(NamedTuple):
    """A series, its points' extent, and how far it is rolled up.

    Attributes:
        level: the base level; -1 as long as there is none, and ``None`` where a writer of the first schema made the series
            and nobody of a later one has taken it over.
        rolled: the first step that no pack covers.
        rewrites: how many calls have written over points, or before them.
        thinned: the last step to which it was thinned, or ``~step`` as long as that is being done; ``None`` if neither.
    """

    pk: int
    points: int
    first: int
    last: int
    level: int | None
    rolled: int
    rewrites: int
    thinned: int | None

    @property
    def closed(self) -> int:
        """The last step whose points are not written any more (CHG.13); -1 if there is none."""
        if self.thinned is None:
            return -1
        return self.thinned if self.thinned >= 0 else ~self.thinned

    @property
    def rollups(self) -> RollUps | None:
        """What a reader may use."""
        return None if self.level is None or self.level < 0 or not self.rolled else RollUps(self.level, self.rolled)


class RollupTables(ABC, Generic[CursorT]):
    """Reads and writes roll-ups for one dialect; each method is one statement or a few, inside a transaction.

    Attributes:
        placeholder: how the driver marks a parameter.
        locks: what makes a query lock the rows that it reads.
        upsert: what makes an insert of a pack replace the one that is there.
    """

    placeholder: ClassVar[str] = "%s"
    locks: ClassVar[str] = " FOR UPDATE"
    upsert: ClassVar[str] = " ON CONFLICT (series_pk, level, pack) DO UPDATE SET data = excluded.data"

    def states(self, cursor: CursorT, run_id: str, wanted: Sequence[Series]) -> dict[Series, SeriesState]:
        """Series of a run, locked already."""
        mark = self.placeholder
        names = dict.fromkeys(name for name, _ in wanted)
        found = self.rows(
            cursor,
            f"SELECT {STATE_SQL} FROM runstore_run r JOIN runstore_series s ON s.run_pk = r.pk "  # noqa: S608 - our own text
            f"WHERE r.id = {mark} AND s.name IN ({', '.join([mark] * len(names))})",
            (run_id, *names),
        )
        states = {(row[1], row[2]): SeriesState(row[0], *row[3:]) for row in found}
        return {series: states[series] for series in wanted if series in states}

    def packs(self, cursor: CursorT, series_pk: int, wanted: PackRange) -> list[tuple[int, bytes]]:
        """Index and bytes of those packs that there are, in order."""
        mark = self.placeholder
        return self.rows(
            cursor,
            f"SELECT pack, data FROM runstore_rollup WHERE series_pk = {mark} AND level = {mark} "  # noqa: S608 - as above
            f"AND pack BETWEEN {mark} AND {mark} ORDER BY pack",
            (series_pk, wanted.level, wanted.first, wanted.last),
        )

    def packs_of_many(
        self, cursor: CursorT, wanted: Sequence[tuple[int, PackRange]]
    ) -> dict[tuple[int, PackRange], list[bytes]]:
        """The packs of ranges of several series."""
        return {(pk, each): [data for _, data in self.packs(cursor, pk, each)] for pk, each in wanted}

    def write_packs(self, cursor: Any, rows: Sequence[PackRow]) -> None:
        """Writes packs, over those that are there."""
        marks = ", ".join([self.placeholder] * 4)
        cursor.executemany(
            f"INSERT INTO runstore_rollup (series_pk, level, pack, data) VALUES ({marks}){self.upsert}",  # noqa: S608
            rows,
        )

    def drop_packs(self, cursor: Any, series_pk: int) -> None:
        """Removes all packs of a series."""
        cursor.execute(f"DELETE FROM runstore_rollup WHERE series_pk = {self.placeholder}", (series_pk,))  # noqa: S608

    def write_advances(self, cursor: Any, packs: Sequence[PackRow], frontiers: Sequence[Frontier]) -> None:
        """Writes packs, over those that are there, and notes how far series are rolled up."""
        if packs:
            self.write_packs(cursor, packs)
        mark = self.placeholder
        for pk, level, rolled in frontiers:
            cursor.execute(
                f"UPDATE runstore_series SET level = {mark}, rolled_step = {mark} WHERE pk = {mark}",  # noqa: S608 - as above
                (level, rolled, pk),
            )

    def note_rewrites(self, cursor: Any, series_pks: Sequence[int]) -> None:
        """Notes that points of series were written over, or before others."""
        keys = ", ".join(map(str, series_pks))
        cursor.execute(f"UPDATE runstore_series SET rewrites = rewrites + 1 WHERE pk IN ({keys})")  # noqa: S608 - integers

    def rows(self, cursor: Any, query: str, parameters: Iterable[Any]) -> list[Any]:
        """The rows of a query."""
        cursor.execute(query, tuple(parameters))
        return list(cursor.fetchall())

    @abstractmethod
    def points(self, cursor: CursorT, series_pk: int, low: int, high: int, *, most: int) -> Columns:
        """The first points of a range of steps."""
