"""Sends a store again what it has forgotten, from what the writer's journal still holds.

Never over what is there: a point goes only where the store has none of its step, or an older one; a key of a config only
where it is missing, or has a value from before. Changes of runs are sent by :mod:`changes`.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from runstore.backend import BackendStore, StepRange
from runstore.errors import ArtifactNotFoundError, RunStoreError
from runstore.model import Artifact
from runstore.recording.again.changes import Deletions
from runstore.recording.again.missing import Missing
from runstore.recording.apply import apply_record
from runstore.recording.gather import gather
from runstore.recording.journal import Journal
from runstore.recording.records import (
    ArtifactRecord,
    ExperimentRecord,
    FinalizeRecord,
    MetricsRecord,
    PointsRecord,
    RunRecord,
)
from runstore.recording.sending import BATCH_POINTS
from runstore.recording.source import JournalSource
from runstore.recording.told import Told, ToldRun
from runstore.series import Columns, Series, SeriesColumns
from runstore.values import ConfigDocument, encode_config

_log = logging.getLogger(__name__)


class Sent(Struct):
    """What was sent again of one run.

    Attributes:
        points: how many points.
        calls: how many other records.
        torn: how many of the points were of series whose summary was right, by series.
        refused: what the store did not take, and why.
    """

    points: int = 0
    calls: int = 0
    torn: dict[Series, int] = {}
    refused: list[str] = []


class StoppedError(Exception):
    """Somebody wants the thread to end."""


class Resend:
    """Sends again what some runs lack; for one use."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with
        self,
        journal: Journal,
        store: BackendStore,
        told: Told,
        missing: Mapping[str, Missing],
        sent: dict[str, Sent],
        go_on: Callable[[], bool],
    ) -> None:
        """Sends nothing yet.

        Args:
            journal: the writer's.
            store: where to.
            told: what it was told.
            missing: what it lacks, by run.
            sent: counts what is sent, by run.
            go_on: called between two calls of the store; ``False`` to end.
        """
        self._journal = journal
        self._store = store
        self._told = told
        self._missing = missing
        self._go_on = go_on
        self._sent = sent

    def begin(self) -> dict[str, str]:
        """Begins the runs that are gone; gives those of which it cannot be done, and why not.

        Raises:
            RunStoreError: the store is away.
            StoppedError: told to end.
        """
        unbegun = {}
        gone = [run_id for run_id, missing in self._missing.items() if missing.is_gone]
        if gone:
            self.send_experiments()
        for run_id in gone:
            self._check()
            record = self._told.runs[run_id].beginning
            if record is None:
                unbegun[run_id] = "another process began it"
                continue
            try:
                apply_record(self._store, record, folder=self._journal.folder, is_late=True)
            except RunStoreError as error:
                if error.is_transient:
                    raise
                unbegun[run_id] = str(error)
            else:
                self._sent[run_id].calls += 1
        return unbegun

    def send(self, start: int, stop: int) -> None:
        """Sends what the runs lack, the points from between two positions of the journal.

        Raises:
            RunStoreError: the store is away.
            StoppedError: told to end.
            OSError: the journal cannot be read.
        """
        self._send_journal(start, stop)
        for run_id, missing in self._missing.items():
            told = self._told.runs[run_id]
            for name in missing.artifacts:
                self._send_artifact(run_id, name, told)
            if missing.config:
                self._send_config(run_id, missing.config)
            for record in missing.lives:
                if record is not told.beginning:
                    self._apply(run_id, record)

    def _send_config(self, run_id: str, config: dict[str, Any]) -> None:
        document = ConfigDocument(encode_config(config))
        self._call(run_id, "the config", lambda: self._store.merge_config(run_id, document))

    def send_experiments(self) -> None:
        """Makes the experiments that are not there. One that somebody deleted stays deleted."""
        deleted = Deletions.among(self._told.changes).experiments
        for experiment_id, record in self._told.experiments.items():
            if (
                deleted.get(experiment_id, -1) < record.at_us
                and self._store.find_experiment_by_id(experiment_id) is None
            ):
                self._apply("", record)

    def _send_journal(self, start: int, stop: int) -> None:
        source = JournalSource(self._journal, start)
        while (read := source.read(until=stop)) is not None:
            records, index = read[0].records, 0
            while index < len(records):
                record = records[index]
                if isinstance(record, (PointsRecord, MetricsRecord)):
                    found, index = gather(records, index, BATCH_POINTS)
                    for run_id, gathered in found.items():
                        missing = self._missing.get(run_id)
                        if missing is not None and missing.series:
                            self._send_points(run_id, gathered.points.by_series(), missing)
                else:
                    index += 1

    def _send_points(self, run_id: str, given: SeriesColumns, missing: Missing) -> None:
        tops, lacking = missing.series, SeriesColumns()
        for series, columns in given.items():
            if series in tops and (rest := self._rest_of(run_id, series, columns, tops[series])).steps:
                lacking[series] = rest
        if lacking:
            self._check()
            self._store.append(run_id, lacking)
            sent = self._sent[run_id]
            for series, columns in lacking.items():
                sent.points += len(columns.steps)
                if series in missing.torn:
                    sent.torn[series] = sent.torn.get(series, 0) + len(columns.steps)

    def _rest_of(self, run_id: str, series: Series, columns: Columns, top: int) -> Columns:
        """Those of the points that the store has not, or has older ones of."""
        steps, values, times = columns
        if steps[0] > top:
            return columns
        self._check()
        stored = self._store.read_history(run_id, series, StepRange(steps[0], min(steps[-1], top)))
        if stored is None or not stored.steps:
            return columns
        known = dict(zip(stored.steps, zip(stored.logged_at_us, stored.values, strict=True), strict=True))
        positions = [
            index
            for index, step in enumerate(steps)
            if step not in known
            or known[step][0] < times[index]
            or (known[step][0] == times[index] and repr(known[step][1]) != repr(values[index]))
        ]
        return columns if len(positions) == len(steps) else columns.at(positions)

    def _send_artifact(self, run_id: str, name: str, told: ToldRun) -> None:
        """Sends a record whose bytes the store still has; if it has them not, the bytes that were staged as well."""
        if name in told.unseen:
            self._apply(run_id, told.unseen[name])
            return
        artifact, staged = told.artifacts[name]
        self._call(run_id, f"the artifact {name!r}", lambda: self._keep(run_id, artifact, staged))

    def _keep(self, run_id: str, artifact: Artifact, staged: Path | None) -> None:
        if artifact.sha256 is not None:
            try:
                self._store.blobs.open(artifact.sha256).close()
            except ArtifactNotFoundError:
                if staged is None or not staged.is_file():
                    raise
                self._store.blobs.put(staged)
        self._store.record_artifacts(run_id, [artifact])

    def _apply(
        self,
        run_id: str,
        record: RunRecord | FinalizeRecord | ExperimentRecord | ArtifactRecord,
    ) -> None:
        what = type(record).__name__.removesuffix("Record").lower()
        self._call(run_id, what, lambda: apply_record(self._store, record, folder=self._journal.folder, is_late=True))

    def _call(self, run_id: str, what: str, call: Callable[[], object]) -> None:
        """One call of the store; what it refuses is named, and the rest goes on."""
        self._check()
        sent = self._sent.get(run_id)
        try:
            call()
        except Exception as error:
            if isinstance(error, RunStoreError) and error.is_transient:
                raise
            _log.warning("the store does not take %s of run %s again: %s", what, run_id, error)
            if sent is not None:
                sent.refused.append(f"{what}: {error}")
        else:
            if sent is not None:
                sent.calls += 1

    def _check(self) -> None:
        if not self._go_on():
            raise StoppedError
