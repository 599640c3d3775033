"""What a journal's records say: one kind for each verb, encoded as MessagePack arrays.

The arrays are open at their end: a later release may append fields with defaults, and this one skips fields that it
does not know. Times are microseconds since 1970-01-01 UTC. Configs, provenance and metadata are kept as the text of
:func:`runstore.values.config.encode_config`, which keeps integers of any size and types apart.
"""

from typing import Any

import msgspec
from msgspec import Struct

from runstore.model import RunFailure

PointFields = tuple[str, str, int, float, int]
"""The fields of a :class:`runstore.values.CheckedPoint`: name, dataset type, step, value, time in microseconds."""

METRICS_TAG = 1


class MetricsRecord(Struct, array_like=True, tag=METRICS_TAG, frozen=True, gc=False):
    """``log_metrics``."""

    at_us: int
    run_id: str
    points: list[PointFields]


class ExperimentRecord(Struct, array_like=True, tag=2, frozen=True):
    """``get_or_create_experiment``."""

    at_us: int
    name: str
    description: str | None


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


class ConfigRecord(Struct, array_like=True, tag=4, frozen=True):
    """``log_config``."""

    at_us: int
    run_id: str
    config: str


class ArtifactRecord(Struct, array_like=True, tag=5, frozen=True):
    """``log_artifact``.

    Attributes:
        source: the staged file or folder, relative to the journal's folder; or a path or URI as it was given.
        is_staged: which of the two; staged bytes are removed once the store has them.
        sha256: of the staged file, to recognise it in the store should the staged bytes be gone.
    """

    at_us: int
    run_id: str
    source: str
    is_staged: bool
    name: str | None
    artifact_type: str
    copy: bool
    metadata: str
    sha256: str | None


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


Record = MetricsRecord | ExperimentRecord | RunRecord | ConfigRecord | ArtifactRecord | FinalizeRecord

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    """The record as a journal keeps it."""
    return _encoder.encode(record)


def encode_metrics(at_us: int, run_id: str, points: list[Any]) -> bytes:
    """``encode(MetricsRecord(...))`` without the detour over a Struct, for the one call that must be fast."""
    return _encoder.encode((METRICS_TAG, at_us, run_id, points))


def decode(payload: bytes | memoryview) -> Record:
    """The record of a payload.

    Raises:
        msgspec.DecodeError: a later release wrote a kind of record that this one does not know.
    """
    return _decoder.decode(payload)


def opens_or_ends(record: Record | None) -> bool:
    """Whether it reopens or ends a run: the two that are not idempotent between them, see :mod:`runstore.recording.drain`."""
    return isinstance(record, FinalizeRecord) or (isinstance(record, RunRecord) and record.resume)


def run_of(record: Record) -> str:
    """The run that a record belongs to; empty for an experiment's."""
    return "" if isinstance(record, ExperimentRecord) else record.run_id


def points_in(record: Record) -> int:
    """How many points a record carries."""
    return len(record.points) if isinstance(record, MetricsRecord) else 0
