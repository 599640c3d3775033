"""What a writer has told the store, kept beside its journal: for who compares it once the writer has ended.

It is written before a part of the journal is given up, and when the writer ends. What stands in the journal behind it is
read from there.
"""

import logging
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from runstore.local.whole_files import write_whole
from runstore.model import Artifact
from runstore.recording.frames import frame, scan
from runstore.recording.gather import gather
from runstore.recording.journal import Journal
from runstore.recording.records import (
    ArtifactRecord,
    ChangeRecord,
    ExperimentChangeRecord,
    ExperimentRecord,
    FinalizeRecord,
    MetricsRecord,
    PointsRecord,
    RunRecord,
)
from runstore.recording.sending import BATCH_POINTS
from runstore.recording.source import JournalSource
from runstore.recording.told import Told, ToldRun, ToldSeries
from runstore.values import ConfigDocument, encode_config

_log = logging.getLogger(__name__)

TOLD: Final = "told"
"""The name of the file."""

VERSION: Final = 1
"""Goes up when an older release could not read it any more; that one then goes by the journal alone."""


class _Artifact(Struct, array_like=True, frozen=True):
    """The store's record, its metadata as text, and below the writer's folder where its bytes were staged."""

    record: Artifact
    metadata: str
    staged: str | None


class _Run(Struct, array_like=True):
    """As :class:`runstore.recording.told.ToldRun`; series are name, type, count, top, total and whether they are uneven."""

    series: list[tuple[str, str, int, int, str, bool]]
    config: str
    older: list[tuple[list[str], list[str]]]
    artifacts: list[_Artifact]
    unseen: list[ArtifactRecord]
    lives: list[tuple[int, RunRecord | FinalizeRecord]]
    attempt: int
    has_ended: bool


class _Head(Struct, array_like=True, frozen=True):
    """What every version begins with."""

    version: int


class _Snapshot(Struct, array_like=True):
    """The whole; later releases may append fields with defaults."""

    version: int
    position: int
    experiments: list[ExperimentRecord]
    changes: list[ChangeRecord | ExperimentChangeRecord]
    runs: dict[str, _Run]


def save_told(told: Told, position: int) -> None:
    """Writes what was told up to a position of the journal. An error is logged: the journal tells most of it as well."""
    snapshot = _Snapshot(
        VERSION,
        position,
        list(told.experiments.values()),
        told.changes,
        {run_id: _noted(run, told.folder) for run_id, run in told.runs.items()},
    )
    try:
        content = frame(msgspec.msgpack.encode(snapshot))
        write_whole(told.folder / TOLD, content, by=told.folder / f"{TOLD}.new")
    except (OSError, OverflowError) as error:
        _log.warning("what the store was told could not be noted in %s: %s", told.folder, error)


def _noted(run: ToldRun, folder: Path) -> _Run:
    return _Run(
        series=[
            (*series, each.count, each.top, str(each.total), each.is_uneven) for series, each in run.series.items()
        ],
        config=encode_config(run.config),
        older=[(list(path), sorted(values)) for path, values in run.older.items()],
        artifacts=[
            _Artifact(
                msgspec.structs.replace(record, metadata={}, parts=()),
                encode_config(record.metadata),
                None if staged is None else str(staged.relative_to(folder)),
            )
            for record, staged in run.artifacts.values()
        ],
        unseen=list(run.unseen.values()),
        lives=run.lives,
        attempt=run.attempt,
        has_ended=run.has_ended,
    )


def load_told(journal: Journal, until: int) -> Told:
    """What the writer of a journal has told the store up to a position: as it was noted, and as the journal goes on.

    Raises:
        OSError: the journal cannot be read.
    """
    told = Told(journal.folder)
    start = max(_restore(told), journal.first)
    source = JournalSource(journal, start)
    while (read := source.read(until=until)) is not None:
        records, index = read[0].records, 0
        while index < len(records):
            record = records[index]
            if isinstance(record, (PointsRecord, MetricsRecord)):
                found, index = gather(records, index, BATCH_POINTS)
                for run_id, gathered in found.items():
                    told.note_points(run_id, gathered.points.by_series())
                continue
            if record is not None:
                told.note(record, None)
            index += 1
    return told


def _restore(told: Told) -> int:
    """Fills in what was noted; gives the position up to which it was, 0 where nothing was."""
    try:
        payloads = scan((told.folder / TOLD).read_bytes(), is_complete=True).payloads
        if msgspec.msgpack.decode(payloads[0], type=_Head).version != VERSION:
            return 0
        snapshot = msgspec.msgpack.decode(payloads[0], type=_Snapshot)
    except FileNotFoundError:
        return 0
    except (OSError, IndexError, msgspec.DecodeError) as error:
        _log.warning("what was noted in %s cannot be read (%s); the journal is gone by", told.folder, error)
        return 0
    told.experiments = {record.new_experiment(is_late=True).id: record for record in snapshot.experiments}
    told.changes = snapshot.changes
    for run_id, noted in snapshot.runs.items():
        told.restore(run_id, _restored(noted, told.folder))
    return snapshot.position


def _restored(noted: _Run, folder: Path) -> ToldRun:
    run = ToldRun()
    for name, dataset_type, count, top, total, is_uneven in noted.series:
        run.series[name, dataset_type] = each = ToldSeries()
        each.count, each.top, each.total, each.is_uneven = count, top, int(total), is_uneven
    run.config = ConfigDocument(noted.config).values
    run.older = {tuple(path): set(values) for path, values in noted.older}
    for artifact in noted.artifacts:
        metadata = ConfigDocument(artifact.metadata).values
        record = msgspec.structs.replace(artifact.record, metadata=metadata)
        staged = None if artifact.staged is None else folder / artifact.staged
        run.artifacts[record.name] = (record, staged)
    run.unseen = {record.name: record for record in noted.unseen}
    run.lives, run.attempt, run.has_ended = noted.lives, noted.attempt, noted.has_ended
    run.is_looked_at = False
    return run
