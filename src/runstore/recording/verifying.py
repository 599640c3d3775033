"""Compares a store with the journals that ended writers have left for this, and fills up what it has forgotten."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from runstore.backend import BackendStore, Store
from runstore.errors import RunStoreError
from runstore.recording.adoption import adopt
from runstore.recording.again.changes import AnyChange, Deletions, send_changes
from runstore.recording.again.compare import Comparison
from runstore.recording.again.kept_changes import read_changes
from runstore.recording.again.lookout import Finding
from runstore.recording.drain import TryLaterError
from runstore.recording.keeping import kept_journals
from runstore.recording.places import identity_of, journal_folders, noted_stores
from runstore.recording.snapshots import load_told


class VerifyReport(Struct, frozen=True, kw_only=True):
    """What one pass of :func:`verify_store` found and did.

    Attributes:
        store: the store's identity.
        journals: how many ended writers' journals were compared.
        skipped: how many were left alone: another process compares them, or they cannot be read.
        runs: how many runs were compared.
        findings: what the store had forgotten, by run and writer.
        changes: how many changes of runs and experiments were sent again.
        refused: changes that the store did not take, and why.
        repairable_since: what was stored before is not in the journals any more; ``None`` where all of it is.
        error: why the rest was not compared; ``None`` where everything was.
    """

    store: str
    journals: int = 0
    skipped: int = 0
    runs: int = 0
    findings: tuple[Finding, ...] = ()
    changes: int = 0
    refused: tuple[str, ...] = ()
    repairable_since: datetime | None = None
    error: str | None = None

    @property
    def lost(self) -> tuple[str, ...]:
        """What could not be sent again."""
        told = [f"run {finding.run_id}: {each}" for finding in self.findings for each in finding.lost]
        return (*told, *self.refused)


def kept_stores(state_dir: Path | None = None) -> dict[str, str]:
    """The URLs, without passwords, of the stores of which ended writers' journals or changes are kept; by identity."""
    return {
        identity: noted.url
        for identity, noted in noted_stores(state_dir).items()
        if any(kept_journals(root) or read_changes(root) for root in noted.folders)
    }


def verify_store(store: Store, url: str, *, state_dir: Path | None = None) -> VerifyReport:
    """Compares what ended writers on this machine told a store with what it holds, and sends it again what it lacks.

    Living writers compare by themselves; their journals are left alone. What came later stands: newer values, changes and
    deletions. It may run at any time, and again.

    Args:
        store: the store.
        url: its URL, by which the journals are found.
        state_dir: where journals lie.
    """
    roots = journal_folders(identity_of(url), state_dir)
    return _Verification(store.source(), identity_of(url), roots).run()


class _Verification:
    """One pass over the kept journals of one store, the oldest first."""

    def __init__(self, store: BackendStore, identity: str, roots: Sequence[Path]) -> None:
        self._store = store
        self._identity = identity
        self._roots = roots
        self._journals = self._skipped = 0
        self._runs: set[str] = set()
        self._findings: list[Finding] = []
        self._since: list[datetime] = []

    def run(self) -> VerifyReport:
        folders = sorted((folder for root in self._roots for folder in kept_journals(root)), key=lambda each: each.name)
        changes = [*self._changes_in(folders), *(change for root in self._roots for change in read_changes(root))]
        deletions = Deletions.among(changes)
        sent: dict[str, int] = {}
        refused: dict[str, list[str]] = {}
        error: str | None = None
        try:
            for folder in folders:
                self._compare(folder, deletions)
            sent, refused = send_changes(self._store, changes, lambda: None)
        except TryLaterError as later:
            error = str(later.__cause__ or later)
        except (RunStoreError, OSError) as failed:
            error = str(failed)
        return VerifyReport(
            store=self._identity,
            journals=self._journals,
            skipped=self._skipped,
            runs=len(self._runs),
            findings=tuple(self._findings),
            changes=sum(sent.values()),
            refused=tuple(
                f"of {f'run {run_id}' if run_id else 'an experiment'}: {each}"
                for run_id, reasons in refused.items()
                for each in reasons
            ),
            repairable_since=max(self._since, default=None),
            error=error,
        )

    def _changes_in(self, folders: Iterable[Path]) -> Iterable[AnyChange]:
        """What all of them changed: before any is compared, for a later one may have deleted what an earlier one wrote."""
        for folder in folders:
            kept = adopt(folder)
            if kept is not None:
                try:
                    yield from load_told(kept.journal, kept.drain.position).changes
                finally:
                    kept.journal.close(remove=False)

    def _compare(self, folder: Path, deletions: Deletions) -> None:
        kept = adopt(folder)
        if kept is None:
            self._skipped += 1
            return
        try:
            comparison = Comparison(kept.journal, kept.drain, kept.counts)
            self._runs.update(comparison.told.runs)
            since = comparison.repairable_since
            with kept.leases(self._store):
                self._findings += comparison.run(self._store, deletions, is_logged=False)
            self._journals += 1
            if since is not None:
                self._since.append(since)
        finally:
            kept.journal.close(remove=False)
