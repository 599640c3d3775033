"""Which runs of a store are moved or compared, and their points piece by piece."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from runstore.model import Experiment, History, Run, SeriesSummary
from runstore.moving.arriving import MOST_POINTS_A_PIECE
from runstore.protocol import RunReader
from runstore.query.parser import parse_filter
from runstore.query.searches import names_archived
from runstore.query.spelling import spelt_literal
from runstore.query.tree import Or
from runstore.values import MAX_STEP

_RUNS_AT_ONCE: Final = 25
_EXPERIMENTS_AT_ONCE: Final = 1000
_BUCKET_POINTS: Final = 2_000
"""Asks for a grid of a thousand buckets."""


class Selection(Struct, frozen=True, kw_only=True):
    """Runs of a store: archived ones as well, unless the filter names ``archived``.

    Attributes:
        filter: as for ``search_runs``.
        experiment_id: only runs of this experiment.
    """

    filter: str | None = None
    experiment_id: str | None = None

    @property
    def _filter(self) -> str:
        if self.filter is None:
            return "archived in (true, false)"
        node = parse_filter(self.filter)
        if names_archived(node):
            return self.filter
        # In parentheses only where they are needed: a filter may be as deep as filters go already.
        asked = f"({self.filter})" if isinstance(node, Or) else self.filter
        return f"{asked} and archived in (true, false)"

    def count(self, reader: RunReader) -> int:
        """How many runs there are; a mistake in the filter is told here, in the words in which it was given."""
        reader.count_runs(self.filter, experiment_id=self.experiment_id)
        return reader.count_runs(self._filter, experiment_id=self.experiment_id)

    def holds(self, reader: RunReader, run_id: str) -> bool:
        """Whether a run is among them."""
        where = f"{self._filter} and id = {spelt_literal(run_id)}"
        return reader.count_runs(where, experiment_id=self.experiment_id) > 0

    def groups(self, reader: RunReader) -> Iterator[Sequence[Run]]:
        """The runs, some at once, the oldest first: parents mostly before their children."""
        group: list[Run] = []
        for run in reader.iter_runs(self._filter, experiment_id=self.experiment_id, order_by=["start_time"]):
            group.append(run)
            if len(group) == _RUNS_AT_ONCE:
                yield group
                group = []
        if group:
            yield group

    def experiments(self, reader: RunReader) -> Iterator[Experiment]:
        """The experiments that are moved even where they have no run: none where a filter says which runs."""
        if self.filter is not None:
            return
        if self.experiment_id is not None:
            yield reader.get_experiment(self.experiment_id)
            return
        cursor = None
        while True:
            page = reader.list_experiments(limit=_EXPERIMENTS_AT_ONCE, cursor=cursor)
            yield from page
            cursor = page.next_cursor
            if cursor is None:
                return


def pieces_of(reader: RunReader, run_id: str, summary: SeriesSummary) -> Iterator[History]:
    """The points of a series, so many at once that a series of any length takes bounded memory."""
    series = summary.name, summary.dataset_type
    for low, high in _ranges(reader, run_id, summary, 0, MAX_STEP, summary.count):
        history = reader.get_history(run_id, *series, min_step=low, max_step=high)
        if len(history):
            yield history


def _ranges(  # noqa: PLR0913, PLR0917 - a series and a range of it
    reader: RunReader, run_id: str, summary: SeriesSummary, low: int, high: int, count: int
) -> Iterator[tuple[int, int]]:
    """Ranges of steps that follow one another, of at most so many points each as one piece has."""
    if count <= MOST_POINTS_A_PIECE or low == high:
        yield low, high
        return
    key = (run_id, summary.name, summary.dataset_type)
    grid = reader.sample_histories([key], max_points=_BUCKET_POINTS, min_step=low, max_step=high)
    begin, held = low, 0
    for found in grid.series:
        for bucket, points in zip(found.buckets, found.counts, strict=True):
            first, behind = grid.edges[bucket], min(grid.edges[bucket + 1], high + 1)
            if held and held + points > MOST_POINTS_A_PIECE:
                yield begin, first - 1
                begin, held = first, 0
            if points > MOST_POINTS_A_PIECE and behind - first < high - low:
                yield from _ranges(reader, run_id, summary, max(begin, first), behind - 1, points)
                begin, held = behind, 0
            else:
                held += points
    if begin <= high:
        yield begin, high
