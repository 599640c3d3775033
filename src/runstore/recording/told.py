"""What one writer's drain has told the store: little enough to be kept in memory, enough to see what is gone.

Of points it is a number and a step for each series; of a run its beginnings and ends, its config and its artifacts'
records. The points themselves lie in the journal.
"""

from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from runstore.artifacts.requests import records_of
from runstore.model import Artifact, Run
from runstore.recording.records import (
    ArtifactRecord,
    ChangeRecord,
    ConfigRecord,
    ExperimentChangeRecord,
    ExperimentRecord,
    FinalizeRecord,
    Record,
    RunRecord,
    run_of,
)
from runstore.series import Columns, Series, SeriesColumns
from runstore.values import ConfigDocument

MOST_RUNS: Final = 1_000
MOST_SERIES: Final = 200_000
"""Of all runs together; beyond, what was told of the oldest run is forgotten, of one that has ended first."""

MOST_CHANGES: Final = 10_000
"""Kept in mind, of all runs together; beyond, the oldest goes."""

_MOST_LIVES: Final = 200


class ToldSeries:
    """The points of one series.

    Attributes:
        count: those beyond every step before them: as many are stored at least.
        top: the highest step.
        total: the sum of those steps, which tells them from as many others.
        is_uneven: some came for a step that was not beyond all before it, so that ``count`` says less than there is.
    """

    __slots__ = ("count", "is_uneven", "top", "total")

    def __init__(self) -> None:
        """No point yet."""
        self.count = 0
        self.top = -1
        self.total = 0
        self.is_uneven = False

    def add(self, columns: Columns) -> None:
        """Counts points, whose steps ascend."""
        steps = columns.steps
        if not steps:
            return
        beyond = 0
        if steps[0] <= self.top:
            self.is_uneven = True
            beyond = bisect_right(steps, self.top)
        self.count += len(steps) - beyond
        self.total += sum(steps[beyond:] if beyond else steps)
        self.top = max(self.top, steps[-1])


class ToldRun:
    """One run.

    Attributes:
        series: its series with points.
        config: all that was logged, merged.
        older: by the path of a key, what it was before, as Python shows it.
        artifacts: by name the record that the store gave, and where its bytes were staged.
        unseen: by name the calls whose records in the store nobody has seen: a process that was killed had.
        lives: each beginning, reopening and end, with the number of the attempt that it belongs to.
        attempt: the last of them.
        has_ended: the last of them is an end.
        is_looked_at: nothing was told since the store was asked for it.
    """

    __slots__ = ("artifacts", "attempt", "config", "has_ended", "is_looked_at", "lives", "older", "series", "unseen")

    def __init__(self) -> None:
        """Nothing was told yet."""
        self.series: dict[Series, ToldSeries] = {}
        self.config: dict[str, Any] = {}
        self.older: dict[tuple[str, ...], set[str]] = {}
        self.artifacts: dict[str, tuple[Artifact, Path | None]] = {}
        self.unseen: dict[str, ArtifactRecord] = {}
        self.lives: list[tuple[int, RunRecord | FinalizeRecord]] = []
        self.attempt = 1
        self.has_ended = False
        self.is_looked_at = True

    @property
    def beginning(self) -> RunRecord | None:
        """What the run can be begun with, if this writer has it."""
        begun = (record for _, record in self.lives if isinstance(record, RunRecord))
        return next((record for record in begun if record.experiment_id is not None), None)

    @property
    def points(self) -> int:
        """How many points are stored at least."""
        return sum(series.count for series in self.series.values())

    def add_life(self, record: RunRecord | FinalizeRecord, found: object) -> None:
        """A beginning, a reopening or an end that the store took, and the run as it was found before."""
        if isinstance(record, RunRecord) and isinstance(found, Run):
            self.attempt = found.attempt + (record.resume and found.status.is_final)
        elif isinstance(record, RunRecord) and record.resume and self.has_ended:
            self.attempt += 1  # as the journal tells, where nobody knows what the store said
        self.has_ended = isinstance(record, FinalizeRecord)
        if len(self.lives) >= _MOST_LIVES:
            del self.lives[1]  # the first one begins the run
        self.lives.append((self.attempt, record))

    def add_config(self, config: ConfigDocument) -> None:
        """A config that the store merged."""
        self._merge(self.config, config.values, ())

    def expect_no_more(self, series: Iterable[Series], artifacts: Iterable[str]) -> None:
        """These, the config and the ends are not looked for any more; what is told from now on is."""
        for one in series:
            self.series.pop(one, None)
        for name in artifacts:
            self.artifacts.pop(name, None)
            self.unseen.pop(name, None)
        self.config, self.older = {}, {}
        self.lives = [(attempt, record) for attempt, record in self.lives if record is self.beginning]

    def _merge(self, into: dict[str, Any], new: dict[str, Any], path: tuple[str, ...]) -> None:
        for key, value in new.items():
            before, place = into.get(key), (*path, key)
            if isinstance(value, dict) and (isinstance(before, dict) or key not in into):
                self._merge(into.setdefault(key, {}), value, place)
                continue
            if key in into and repr(before) != repr(value):
                self.older.setdefault(place, set()).add(repr(before))
            into[key] = value


class Told:
    """What one writer has told the store, by run; for its thread alone."""

    def __init__(self, folder: Path) -> None:
        """Nothing was told yet.

        Args:
            folder: the writer's.
        """
        self.runs: dict[str, ToldRun] = {}
        self.experiments: dict[str, ExperimentRecord] = {}
        self.changes: list[ChangeRecord | ExperimentChangeRecord] = []
        self.folder = folder
        self._series = 0

    def __bool__(self) -> bool:
        """Whether there is anything that could be gone."""
        return bool(self.runs or self.experiments or self.changes)

    def note_points(self, run_id: str, series: SeriesColumns) -> None:
        """The store took these points."""
        run = self._of(run_id)
        known = run.series
        for one, columns in series.items():
            told = known.get(one)
            if told is None:
                told = known[one] = ToldSeries()
                self._series += 1
            told.add(columns)
        if self._series > MOST_SERIES and len(self.runs) > 1:
            self._forget_oldest()

    def note(self, record: Record, result: object) -> None:
        """The store took a record, and gave this for it."""
        if isinstance(record, ExperimentRecord):
            self.experiments[record.new_experiment(is_late=True).id] = record
            return
        if isinstance(record, (ChangeRecord, ExperimentChangeRecord)):
            self.changes.append(record)
            del self.changes[:-MOST_CHANGES]
        run_id = run_of(record)
        if not run_id:
            return
        run = self._of(run_id)
        if isinstance(record, (RunRecord, FinalizeRecord)):
            run.add_life(record, result)
        elif isinstance(record, ConfigRecord):
            run.add_config(ConfigDocument(record.config))
        elif isinstance(record, ArtifactRecord):
            self._note_artifact(run, record, result)
        elif isinstance(record, ChangeRecord) and record.change.is_deleted is True:
            self.forget(run_id)  # no read shows it any more

    def _note_artifact(self, run: ToldRun, record: ArtifactRecord, result: object) -> None:
        if not isinstance(result, Artifact):
            if record.name not in run.artifacts:
                run.unseen[record.name] = record
            return
        staged = self.folder / record.source if record.is_staged else None
        paths = {file.name: file.path for file in record.files or ()}
        for part in records_of(result):
            path = None if staged is None else staged / paths.get(part.name, ".")
            run.artifacts[part.name] = (part, path)

    def restore(self, run_id: str, run: ToldRun) -> None:
        """What was kept of a run."""
        self.runs[run_id] = run
        self._series += len(run.series)

    def forget(self, run_id: str) -> None:
        """The run is not looked for any more."""
        run = self.runs.pop(run_id, None)
        if run is not None:
            self._series -= len(run.series)

    def _forget_oldest(self) -> None:
        ended = (run_id for run_id, run in self.runs.items() if run.has_ended)
        self.forget(next(ended, next(iter(self.runs))))

    def _of(self, run_id: str) -> ToldRun:
        run = self.runs.get(run_id)
        if run is None:
            if len(self.runs) >= MOST_RUNS:
                self._forget_oldest()
            run = self.runs[run_id] = ToldRun()
        run.is_looked_at = False
        return run
