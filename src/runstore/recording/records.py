"""What a journal's records say: one kind for each verb, encoded as MessagePack arrays.

The arrays are open at their end: a later release may append fields with defaults, and this one skips fields that it
does not know. Times are microseconds since 1970-01-01 UTC. Configs, provenance and metadata are kept as the text of a
:class:`runstore.values.ConfigDocument`, which keeps integers of any size and types apart.

What is kept was checked when it was accepted. The drain makes no second check: it hands the values to the operations of
a backend.
"""

from typing import Final, Self

import msgspec
from msgspec import Struct

from runstore.backend import ExperimentChange, NewExperiment, NewRun, RunChange
from runstore.local.clock import now_us
from runstore.model import RunFailure
from runstore.series import Points, Series
from runstore.values import ConfigDocument, experiment_id_of

_POINTS_TAG: Final = 7


class PointsRecord(Struct, array_like=True, tag=_POINTS_TAG, frozen=True, gc=False):
    """``log_metrics``: points in the order of the call, in columns.

    Attributes:
        series: name and dataset type of each point. It stays encoded, for most calls of a run log the same series: equal
            bytes need no second decoding.
        steps: of each point, or one number for all.
        values: of each point.
        logged_at_us: of each point; ``None`` where that is the moment of the call.
    """

    at_us: int
    run_id: str
    series: msgspec.Raw
    steps: int | list[int]
    values: list[float]
    logged_at_us: list[int] | None


class MetricsRecord(Struct, array_like=True, tag=1, frozen=True, gc=False):
    """``log_metrics``, as format 1 keeps it.

    Attributes:
        points: name, dataset type, step, value and moment of each.
    """

    at_us: int
    run_id: str
    points: list[tuple[str, str, int, float, int]]


class ExperimentRecord(Struct, array_like=True, tag=2, frozen=True):
    """``get_or_create_experiment``.

    Attributes:
        is_late: the call had been kept for some time before it came here, and was asked for at ``at_us``.
    """

    at_us: int
    name: str
    description: str | None
    is_late: bool = False

    def new_experiment(self, *, is_late: bool) -> NewExperiment:
        """What the call asked for."""
        return NewExperiment(
            id=experiment_id_of(self.name),
            name=self.name,
            description=self.description,
            late_us=self.at_us if is_late or self.is_late else None,
        )


class RunRecord(Struct, array_like=True, tag=3, frozen=True):
    """``ensure_run``; the id is always given, for it was made when the call was accepted.

    Attributes:
        is_new: the id was made for this call, so that no other process can have begun the run.
    """

    at_us: int
    run_id: str
    experiment_id: str | None
    training_mode: str
    parent_run_id: str | None
    client_id: str | None
    name: str | None
    source_path: str | None
    tags: dict[str, str]
    provenance: str
    start_us: int
    resume: bool
    is_new: bool = False

    @classmethod
    def of(cls, new: NewRun, *, at_us: int) -> Self:
        """The record of a call; a run that is given no start begins with the call."""
        return cls(
            at_us=at_us,
            run_id=new.id,
            experiment_id=new.experiment_id,
            training_mode=new.training_mode,
            parent_run_id=new.parent_run_id,
            client_id=new.client_id,
            name=new.name,
            source_path=new.source_path,
            tags=new.tags,
            provenance=new.provenance.text,
            start_us=at_us if new.start_us is None else new.start_us,
            resume=new.resume,
            is_new=not new.is_named,
        )

    def new_run(self) -> NewRun:
        """What the call asked for."""
        return NewRun(
            id=self.run_id,
            is_named=not self.is_new,
            experiment_id=self.experiment_id,
            training_mode=self.training_mode,
            parent_run_id=self.parent_run_id,
            client_id=self.client_id,
            name=self.name,
            source_path=self.source_path,
            tags=self.tags,
            provenance=ConfigDocument(self.provenance),
            start_us=self.start_us,
            resume=self.resume,
        )


class ConfigRecord(Struct, array_like=True, tag=4, frozen=True):
    """``log_config``."""

    at_us: int
    run_id: str
    config: str


class StagedFile(Struct, array_like=True, frozen=True):
    """A file whose bytes were staged.

    Attributes:
        path: below the staged folder; ``"."`` where one file was logged, and not a folder.
        name: of the artifact that it becomes.
    """

    path: str
    name: str
    sha256: str


class ArtifactRecord(Struct, array_like=True, tag=5, frozen=True):
    """``log_artifact``.

    Attributes:
        source: the staged file or folder, relative to the journal's folder; or a path or URI as it was given.
        is_staged: which of the two; staged bytes are removed once the store has them.
        sha256: of the staged file, to recognise it in the store should the staged bytes be gone.
        files: what was staged; ``None`` in format 1, which leaves it to a look at the folder.
    """

    at_us: int
    run_id: str
    source: str
    is_staged: bool
    name: str
    artifact_type: str
    copy: bool
    metadata: str
    sha256: str | None
    files: list[StagedFile] | None = None


class FinalizeRecord(Struct, array_like=True, tag=6, frozen=True):
    """``finalize``.

    Attributes:
        end_us: the given end, or the moment of the call.
        is_end_given: whether the caller named the end; if not, it is moved to the run's start when it lies before it.
        is_implied: nobody asked for it: the run's block was left, or the process ended. It gives way to an end that is
            there.
        is_unsure: whoever asked for it could not know whether another process has the run in hand. Like an implied one
            it gives way to that process.
    """

    at_us: int
    run_id: str
    status: str
    end_us: int
    is_end_given: bool
    failure: RunFailure | None
    is_implied: bool = False
    is_unsure: bool = False


class ChangeRecord(Struct, array_like=True, tag=8, frozen=True):
    """A change of a run: its name, tags or note; whether it is archived or deleted."""

    at_us: int
    run_id: str
    change: RunChange


class ExperimentChangeRecord(Struct, array_like=True, tag=9, frozen=True):
    """A change of an experiment: its description, or its deletion."""

    at_us: int
    experiment_id: str
    change: ExperimentChange


Record = (
    PointsRecord
    | MetricsRecord
    | ExperimentRecord
    | RunRecord
    | ConfigRecord
    | ArtifactRecord
    | FinalizeRecord
    | ChangeRecord
    | ExperimentChangeRecord
)

_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)
_series_decoder: msgspec.msgpack.Decoder[list[Series]] = msgspec.msgpack.Decoder(list[Series])


def encode(record: Record) -> bytes:
    """The record as a journal keeps it."""
    return _encode(record)


def encode_points(points: Points, run_id: str) -> bytes:
    """A :class:`PointsRecord` as a journal keeps it; made without the record, for this call must be quick."""
    steps, moments = points.steps, points.logged_at_us
    count = len(steps)
    step = steps[0] if count == 1 or (count and steps.count(steps[0]) == count) else steps
    if type(moments) is int:
        return _encode((_POINTS_TAG, moments, run_id, points.series, step, points.values, None))
    return _encode((_POINTS_TAG, now_us(), run_id, points.series, step, points.values, moments))


def decode(payload: bytes | memoryview) -> Record:
    """The record of a payload.

    Raises:
        msgspec.DecodeError: a later release wrote a kind of record that this one does not know.
    """
    return _decoder.decode(payload)


def decode_series(record: PointsRecord) -> list[Series]:
    """The series of each of a record's points."""
    return _series_decoder.decode(record.series)


def stands_alone(record: Record | None) -> bool:
    """Whether a replay from before it could undo what came after, see :mod:`runstore.recording.drain`.

    So it is with a run's reopening and its end between them, and with a change that another writer has changed again.
    """
    return isinstance(record, (FinalizeRecord, ChangeRecord, ExperimentChangeRecord)) or (
        isinstance(record, RunRecord) and record.resume
    )


def run_of(record: Record) -> str:
    """The run that a record belongs to; empty for an experiment's."""
    return "" if isinstance(record, (ExperimentRecord, ExperimentChangeRecord)) else record.run_id


def points_in(record: Record) -> int:
    """How many points a record carries."""
    if isinstance(record, PointsRecord):
        return len(record.values)
    return len(record.points) if isinstance(record, MetricsRecord) else 0
