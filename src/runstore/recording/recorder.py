"""The durable store: every verb goes to a journal on local disk and returns; a thread takes it to the database."""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from runstore.artifacts.requests import check_artifact
from runstore.errors import RunFinalizedError, StoreUnavailableError
from runstore.local.clock import now_us
from runstore.model import Artifact, DatasetType, MetricPoint, Run, RunFailure, RunStatus, from_microseconds
from runstore.recording.apply import LEASE_S
from runstore.recording.drain import Ticket
from runstore.recording.handle import RecorderHandle
from runstore.recording.live import Live
from runstore.recording.options import RunState
from runstore.recording.records import (
    ArtifactRecord,
    ConfigRecord,
    ExperimentRecord,
    FinalizeRecord,
    MetricsRecord,
    Record,
    RunRecord,
    encode,
    encode_metrics,
)
from runstore.recording.staging import StagedBlobs
from runstore.series.checked import check_points, many_points
from runstore.values import births, checks
from runstore.values.config import check_config, encode_config
from runstore.values.ids import experiment_id_of, new_run_id

CONFIRMED_BYTES: Final = 4 * 2**20
"""Artifacts up to this size are confirmed by the store before the call returns, if it answers; larger ones wait."""

_MAX_NAMES: Final = 10_000
_DATASET_TYPES: Final = {str(kind): str(kind) for kind in DatasetType}
_MAX_STEP: Final = checks.MAX_STEP


class RecordingStore(RecorderHandle):
    """A store that keeps its promise while the database is away.

    Arguments are checked at once, as by every store. A call is on local disk when it returns, and in the database
    soon after, in order. Calls that the store may refuse (the beginning and the end of a run, and the first use of a
    run that this process did not begin) wait for its verdict for a moment, if it answers; if it does not, they are
    accepted, and a refusal later is found in :meth:`health` and in the dead-letter file. Reads first wait until
    everything accepted by this process is stored.

    Every method may be called from any thread, and in a signal handler. After a fork, the child writes a journal of
    its own and opens its own connection; a pickled recorder is a recipe for such another one.
    """

    # The six verbs

    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        """See :meth:`runstore.protocol.RunStore.get_or_create_experiment`."""
        checks.check_name(name, "experiment name")
        checks.check_optional_text(description, "description")
        live = self._live or self._begin()
        experiment_id = experiment_id_of(name)
        if experiment_id in self._experiments and description is None:
            return experiment_id
        self._confirm(live, ExperimentRecord(at_us=now_us(), name=name, description=description))
        self._experiments.add(experiment_id)
        return experiment_id

    def ensure_run(  # noqa: PLR0913 - the protocol's signature
        self,
        experiment_id: str | None = None,
        *,
        run_id: str | None = None,
        training_mode: str = "centralized",
        parent_run_id: str | None = None,
        client_id: str | None = None,
        name: str | None = None,
        source_path: str | None = None,
        tags: Mapping[str, str] | None = None,
        provenance: Mapping[str, Any] | None = None,
        start_time: datetime | None = None,
        resume: bool = False,
    ) -> str:
        """See :meth:`runstore.protocol.RunStore.ensure_run`."""
        birth = births.check_birth(
            experiment_id=experiment_id,
            run_id=run_id,
            training_mode=training_mode,
            parent_run_id=parent_run_id,
            client_id=client_id,
            name=name,
            source_path=source_path,
            tags=tags,
            start_time=start_time,
        )
        origin = encode_config(check_config(provenance or {}, "provenance"))
        live = self._live or self._begin()
        if birth.run_id is None:
            births.require_experiment(birth)
        accepted_us = now_us()
        record = RunRecord(
            at_us=accepted_us,
            run_id=birth.run_id or new_run_id(),
            experiment_id=birth.experiment_id,
            training_mode=birth.training_mode,
            parent_run_id=birth.parent_run_id,
            client_id=birth.client_id,
            name=birth.name,
            source_path=birth.source_path,
            tags=birth.tags,
            provenance=origin,
            start_us=accepted_us if birth.start_us is None else birth.start_us,
            resume=bool(resume),
            is_new=birth.run_id is None,
        )
        known = self._runs.get(record.run_id)
        if known is not None and known.experiment_id is not None:
            births.check_same_experiment(birth, known.experiment_id)
            if not resume:
                return record.run_id
        verdict = self._confirm(live, record)
        found = verdict.result if verdict is not None else None
        state = self._runs.setdefault(record.run_id, RunState())
        state.experiment_id = state.experiment_id or birth.experiment_id
        if record.is_new:
            state.start_us = record.start_us
        if resume:
            state.ended = None
        state.is_unsure = verdict is None and not (record.is_new or resume)
        lease_s = LEASE_S
        if isinstance(found, Run) and not resume:
            lease_s = max(found.lease_s, LEASE_S)  # whoever has it in hand may not beat
        else:
            self._begun.add(record.run_id)
        if state.ended is None:
            live.beat.add(record.run_id, lease_s=lease_s)
        return record.run_id

    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        """See :meth:`runstore.protocol.RunStore.log_metrics`."""
        at_us = now_us()
        if type(points) is not list:
            points = list(many_points(points))
        fields = self._fields_of(points, at_us)
        live = self._live or self._begin()
        if not (type(run_id) is str and run_id in self._runs):
            checks.check_run_id(run_id)
            self._confirm(live, MetricsRecord(at_us=at_us, run_id=run_id, points=fields))
            self._runs.setdefault(run_id, RunState())
        elif fields:
            live.append(encode_metrics(at_us, run_id, fields), run_id, len(fields))

    def _fields_of(self, points: list[MetricPoint], at_us: int) -> list[Any]:
        """The checked fields of the points; those exactly of the common types need no further look."""
        names = self._names
        fields = []
        try:
            for point in points:
                if (
                    type(point) is not MetricPoint
                    or type(value := point.value) is not float
                    or type(step := point.step) is not int
                    or not 0 <= step <= _MAX_STEP
                    or point.logged_at is not None
                ):
                    return self._check_points(points, at_us)
                fields.append((names[point.name], _DATASET_TYPES[point.dataset_type], step, value, at_us))
        except (KeyError, TypeError):  # a name not seen before, or something that is no name
            return self._check_points(points, at_us)
        return fields

    def _check_points(self, points: list[MetricPoint], at_us: int) -> list[Any]:
        checked: list[Any] = list(check_points(points, now_us=at_us))
        if len(self._names) < _MAX_NAMES:
            self._names.update((point[0], point[0]) for point in checked)
        return checked

    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        """See :meth:`runstore.protocol.RunStore.log_config`."""
        checks.check_run_id(run_id)
        text = encode_config(check_config(config))
        live = self._live or self._begin()
        self._submit(live, run_id, ConfigRecord(at_us=now_us(), run_id=run_id, config=text))

    def log_artifact(  # noqa: PLR0913 - the protocol's signature
        self,
        run_id: str,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        artifact_type: str = "file",
        copy: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """See :meth:`runstore.protocol.RunStore.log_artifact`.

        The record returned is the store's own when the bytes are few and the store answers; otherwise its ``uri`` is
        that of the staged copy and its ``created_at`` the moment of the call. SHA-256 and size are right in both.
        """
        checks.check_run_id(run_id)
        request = check_artifact(path, name=name, artifact_type=artifact_type, copy=copy, metadata=metadata)
        live = self._live or self._begin()
        at_us = now_us()
        blobs = StagedBlobs(live.journal.staging, request) if copy else None
        try:
            staged = request.record(run_id, blobs, created_at=from_microseconds(at_us))  # type: ignore[arg-type]  # unused without copy
            record = ArtifactRecord(
                at_us=at_us,
                run_id=run_id,
                source=request.uri if blobs is None else str(blobs.staged.relative_to(live.journal.folder)),
                is_staged=blobs is not None,
                name=request.name,
                artifact_type=request.artifact_type,
                copy=copy,
                metadata=encode_config(request.metadata),
                sha256=staged.sha256,
            )
            is_small = (staged.size or 0) <= CONFIRMED_BYTES
            verdict = self._submit(live, run_id, record, must_confirm=is_small)
        except BaseException:
            if blobs is not None:
                blobs.discard()
            raise
        return verdict.result if verdict is not None and isinstance(verdict.result, Artifact) else staged

    def finalize(
        self,
        run_id: str,
        status: RunStatus | str,
        *,
        end_time: datetime | None = None,
        error: BaseException | RunFailure | None = None,
    ) -> None:
        """See :meth:`runstore.protocol.RunStore.finalize`."""
        checks.check_run_id(run_id)
        final = checks.check_terminal_status(status)
        end_us = None if end_time is None else checks.check_time(end_time, "end_time")
        failure = checks.check_failure(error)
        live = self._live or self._begin()
        at_us = now_us()
        state = self._runs.get(run_id, RunState())
        if not live.worker.answers:
            # Nobody else can tell now, so what this process knows decides.
            if state.ended not in {None, final}:
                raise RunFinalizedError.of(run_id, found=str(state.ended), asked=final)
            if state.start_us is not None:
                checks.check_end_time(end_us, start_us=state.start_us, now_us=at_us)
        record = FinalizeRecord(
            at_us=at_us,
            run_id=run_id,
            status=str(final),
            end_us=at_us if end_us is None else end_us,
            is_end_given=end_us is not None,
            failure=failure,
            is_unsure=state.is_unsure,
        )
        self._confirm(live, record)
        state.ended = final
        self._runs[run_id] = state
        self._begun.discard(run_id)
        live.beat.remove(run_id)

    def heartbeat(self, run_id: str, *, lease_s: float) -> None:
        """See :meth:`runstore.protocol.BackendStore.heartbeat`.

        A recorder beats by itself for the runs of its process. It leaves that to the caller from the first call of
        this method on, for that run.
        """
        checks.check_run_id(run_id)
        lease_s = checks.check_lease(lease_s)
        live = self._live or self._begin()
        live.beat.remove(run_id)
        if not live.worker.answers:
            raise StoreUnavailableError(live.describe_wait())
        self._bare().heartbeat(run_id, lease_s=lease_s)

    # Journaling

    def _submit(self, live: Live, run_id: str, record: Record, *, must_confirm: bool = False) -> Ticket | None:
        """Journals a record; its verdict is waited for when it is asked for, or the run is new to this process."""
        if must_confirm or run_id not in self._runs:
            verdict = self._confirm(live, record)
            self._runs.setdefault(run_id, RunState())
            return verdict
        live.append(encode(record), run_id, 0)
        return None

    def _confirm(self, live: Live, record: Record) -> Ticket | None:
        if live.worker.open_error is not None and not self._runs:
            raise live.worker.open_error  # before the first step only a person can mend it; later, records wait
        return live.confirm(record, timeout_s=self._options.confirm_s)
