"""The durable store: every verb goes to a journal on local disk and returns; a thread takes it to the database."""

from typing import Final

from msgspec import UNSET

from runstore.artifacts import ArtifactRequest
from runstore.backend import ExperimentChange, NewExperiment, NewRun, Presence, RunChange, RunEnd, Sweep, Thinning
from runstore.errors import RunDeletedError, RunFinalizedError, RunStoreError, StoreUnavailableError
from runstore.local.clock import now_us
from runstore.model import Artifact, Garbage, Run, Thinned, from_microseconds
from runstore.recording.apply import LEASE_S
from runstore.recording.handle import RecorderHandle
from runstore.recording.records import (
    ArtifactRecord,
    ChangeRecord,
    ConfigRecord,
    ExperimentChangeRecord,
    ExperimentRecord,
    FinalizeRecord,
    RunRecord,
    encode,
    encode_points,
)
from runstore.recording.run_state import RunState
from runstore.recording.staging import StagedBlobs
from runstore.recording.verdicts import PendingVerdict
from runstore.recording.writer import Writer
from runstore.series import Points
from runstore.values import ConfigDocument

CONFIRMED_BYTES: Final = 4 * 2**20
"""Artifacts up to this size are confirmed by the store before the call returns, if it answers; larger ones wait."""


class Recorder(RecorderHandle):
    """A store that keeps its promise while the database is away.

    Arguments are checked at once, as by every store; what is journaled are the checked values. A call is on local disk when it returns, and in the database
    soon after, in order. Calls that the store may refuse (the beginning and the end of a run, and the first use of a
    run that this process did not begin) wait for its verdict for a moment, if it answers; if it does not, they are
    accepted, and a refusal later is found in :meth:`health` and in the dead-letter file. Reads first wait until
    everything accepted by this process is stored.

    Every method may be called from any thread, and in a signal handler. After a fork, the child writes a journal of
    its own and opens its own connection; a pickled recorder is a recipe for such another one.
    """

    def make_experiment(self, new: NewExperiment) -> None:
        """Asks for an experiment once, and again only with a description."""
        writer = self._writer or self._begin()
        if new.id in self._experiments and new.description is None:
            return
        record = ExperimentRecord(
            at_us=new.late_us or now_us(),
            name=new.name,
            description=new.description,
            is_late=new.late_us is not None,
        )
        self._confirm(writer, encode(record), run_id="")
        self._experiments.add(new.id)

    def begin_run(self, new: NewRun) -> None:
        """Begins, finds or reopens a run, and beats for it from then on."""
        writer = self._writer or self._begin()
        record = RunRecord.of(new, at_us=now_us())
        known = self._runs.get(new.id)
        if known is not None and known.experiment_id is not None:
            new.check_found(known.experiment_id)
            if self._is_deleted(writer, new.id, known):
                raise RunDeletedError.of(new.id)
            if not new.resume:
                return
        verdict = self._confirm(writer, encode(record), run_id=new.id)
        found = verdict.result if verdict is not None else None
        state = self._runs.setdefault(new.id, RunState())
        state.experiment_id = state.experiment_id or new.experiment_id
        if record.is_new:
            state.start_us = record.start_us
        if new.resume:
            state.ended = None
        state.is_unsure = verdict is None and not (record.is_new or new.resume)
        lease_s = LEASE_S
        if isinstance(found, Run) and not new.resume:
            lease_s = max(found.lease_s, LEASE_S)  # whoever has it in hand may not beat
        else:
            self.begun.add(new.id)
        if state.ended is None:
            writer.beat.add(new.id, lease_s=lease_s)

    def take_points(self, run_id: str, points: Points) -> None:
        """Journals the points in columns."""
        writer = self._writer or self._begin()
        count = len(points.steps)
        if run_id not in self._runs:
            self._submit(writer, encode_points(points, run_id), run_id, points=count)
        elif count:
            writer.append(encode_points(points, run_id), run_id, count)

    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        """Journals the config's text."""
        writer = self._writer or self._begin()
        self._submit(writer, encode(ConfigRecord(at_us=now_us(), run_id=run_id, config=config.text)), run_id)

    def keep_artifact(self, run_id: str, request: ArtifactRequest) -> Artifact:
        """Copies the bytes aside and journals where they lie.

        The record returned is the store's own when the bytes are few and the store answers; otherwise its ``uri`` is
        that of the staged copy and its ``created_at`` the moment of the call. SHA-256 and size are right in both.
        """
        writer = self._writer or self._begin()
        at_us = now_us()
        blobs = StagedBlobs(writer.journal.staging, request)
        try:
            staged = request.record(run_id, blobs, created_at=from_microseconds(at_us))
            record = ArtifactRecord(
                at_us=at_us,
                run_id=run_id,
                source=str(blobs.staged.relative_to(writer.journal.folder)) if request.is_copied else request.uri,
                is_staged=request.is_copied,
                name=request.name,
                artifact_type=request.artifact_type,
                copy=request.is_copied,
                metadata=request.metadata.text,
                sha256=staged.sha256,
                files=blobs.files_of(staged),
            )
            is_small = (staged.size or 0) <= CONFIRMED_BYTES
            verdict = self._submit(writer, encode(record), run_id, must_confirm=is_small)
        except BaseException:
            blobs.discard()
            raise
        return verdict.result if verdict is not None and isinstance(verdict.result, Artifact) else staged

    def end_run(self, run_id: str, end: RunEnd) -> None:
        """Ends a run; while the store does not answer, what this process knows of the run decides."""
        writer = self._writer or self._begin()
        at_us = now_us()
        state = self._runs.get(run_id, RunState())
        if not writer.worker.answers:
            if state.ended not in {None, end.status}:
                raise RunFinalizedError.of(run_id, found=str(state.ended), asked=end.status)
            if state.start_us is not None:
                end.moment(start_us=state.start_us, now_us=at_us)
        record = FinalizeRecord(
            at_us=at_us,
            run_id=run_id,
            status=str(end.status),
            end_us=at_us if end.end_us is None else end.end_us,
            is_end_given=end.end_us is not None,
            failure=end.failure,
            is_unsure=state.is_unsure,
        )
        self._confirm(writer, encode(record), run_id=run_id)
        state.ended = end.status
        self._runs[run_id] = state
        writer.beat.remove(run_id)

    def beat(self, run_id: str, lease_s: float) -> None:
        """Beats once. From the first call on, for that run, the recorder leaves it to the caller."""
        writer = self._writer or self._begin()
        writer.beat.remove(run_id)
        if not writer.worker.answers:
            raise StoreUnavailableError(writer.describe_wait())
        self.source().beat(run_id, lease_s)

    # Changing

    def change_run(self, run_id: str, change: RunChange) -> None:
        """Journals a change; the store's verdict is waited for, for a moment, if it answers."""
        writer = self._writer or self._begin()
        self._confirm(writer, encode(ChangeRecord(at_us=change.at_us, run_id=run_id, change=change)), run_id=run_id)
        if change.is_deleted is not UNSET and run_id in self._runs:
            self._runs[run_id].is_deleted = change.is_deleted

    def change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        """As :meth:`change_run`."""
        writer = self._writer or self._begin()
        record = ExperimentChangeRecord(at_us=change.at_us, experiment_id=experiment_id, change=change)
        self._confirm(writer, encode(record), run_id="")
        if change.is_deleted:
            self._experiments.discard(experiment_id)  # it is made again when somebody asks for it

    def thin(self, asked: Thinning) -> Thinned:
        """Goes straight to the store, which must answer."""
        return self.source().thin(asked)

    def sweep(self, asked: Sweep) -> Garbage:
        """Goes straight to the store, which must answer."""
        return self.source().sweep(asked)

    @staticmethod
    def _is_deleted(writer: Writer, run_id: str, known: RunState) -> bool:
        """Whether a run that this process knows was deleted since: as the store says, if it answers."""
        store = writer.worker.store if writer.worker.answers else None
        if store is None:
            return known.is_deleted
        try:
            return store.presence_of(run_id) in {Presence.DELETED, Presence.PURGED}
        except RunStoreError:
            return known.is_deleted

    # Journaling

    def _submit(
        self, writer: Writer, payload: bytes, run_id: str, *, points: int = 0, must_confirm: bool = False
    ) -> PendingVerdict | None:
        """Journals a record; its verdict is waited for when it is asked for, or the run is new to this process."""
        if must_confirm or run_id not in self._runs:
            verdict = self._confirm(writer, payload, run_id=run_id, points=points)
            self._runs.setdefault(run_id, RunState())
            return verdict
        writer.append(payload, run_id, points)
        return None

    def _confirm(self, writer: Writer, payload: bytes, *, run_id: str, points: int = 0) -> PendingVerdict | None:
        if writer.worker.open_error is not None and not self._runs:
            raise writer.worker.open_error  # before the first step only a person can mend it; later, records wait
        return writer.confirm(payload, run_id, points, timeout_s=self._options.confirm_s)
