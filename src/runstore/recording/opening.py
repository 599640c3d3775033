"""Opening a recorded store by its URL, and draining by hand what writers left behind."""

import time
import uuid
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from msgspec import Struct

from runstore.backend import BackendStore, Store
from runstore.errors import RunStoreError, StoreFailureError, StoreUnavailableError
from runstore.hookspecs import Backend, OpenOptions
from runstore.plugins.registry import broken_plugin, open_with
from runstore.recording.adoption import adopt
from runstore.recording.again.lookout import Finding
from runstore.recording.drain import ORPHAN_GRACE_S, JournalDrain, TryLaterError
from runstore.recording.keeping import keeping_of
from runstore.recording.options import RecorderOptions
from runstore.recording.places import identity_of, journal_folders
from runstore.recording.recorder import Recorder
from runstore.recording.writers import leftovers
from runstore.secrets import Secrets, redact_word, without_secrets
from runstore.urls import absolute_url, scheme_of

_TRY_AGAIN_S = 1.0
_STUCK_S = ORPHAN_GRACE_S + 15.0


class Recipe(Struct, frozen=True):
    """How to open the bare store, in this process or in another one. Its repr shows no secret."""

    url: str
    backend: Backend
    options: OpenOptions

    def __call__(self) -> BackendStore:
        """The bare store; raises what the backend raises, and BrokenPluginError for what is plainly a mistake in it."""
        try:
            return open_with(self.backend, self.url, self.options)
        except (ImportError, SyntaxError, NameError, TypeError, AttributeError) as error:
            failed: Exception = broken_plugin(self.backend, self.url, error)
        except Exception as error:  # noqa: BLE001 - raised again below, without secrets
            failed = error
        raise without_secrets(failed, Secrets(self.url, self.options.artifacts))

    def __repr__(self) -> str:
        """The URL without its secrets."""
        return f"Recipe({redact_word(self.url)!r})"


def open_recorder(
    url: str, backend: Backend, options: OpenOptions, recorder_options: RecorderOptions | None = None
) -> Recorder:
    """A store that journals every call on local disk first; the database may be away.

    Args:
        url: the store's URL; a password in it stays in memory and is never written to the journal.
        backend: serves the URL.
        options: what the bare store is opened with.
        recorder_options: how the recorder behaves.

    Raises:
        SettingsError: the journal cannot be written, or the URL cannot be understood by the backend.
        PluginError: the driver is missing or broken.
        SchemaError: the database answers and cannot be used as it stands.
        StoreFailureError: it turned us away: a wrong password, no such database.
    """
    # What is in one process's memory is nobody else's: its journal must not be taken for that of another process.
    identity = f"memory://{uuid.uuid4()}" if scheme_of(url) == "memory" else identity_of(url)
    recipe = Recipe(absolute_url(url), backend, options)
    store = Recorder(recipe, identity=identity, url=_noted(url), options=recorder_options)
    store.wait_until_opened()
    return store


def _noted(url: str) -> str:
    """The URL as a note keeps it: no secret, and a file by its real path, for a sync may run in another folder."""
    if scheme_of(url) != "sqlite":
        return redact_word(url)
    _, question, options = url.partition("?")
    return redact_word(f"{identity_of(url)}{question}{options}")


class SyncReport(Struct, frozen=True, kw_only=True):
    """What one pass of :func:`sync_leftovers` did.

    Attributes:
        journals: how many dead writers' journals were drained and removed.
        alive: how many are left alone, because their writers or other drains live.
        calls: how many calls were stored.
        points: how many points were in them.
        quarantined: how many records the store refused for good, or nobody can read.
        dropped: how many calls came for runs that were deleted, and are not kept.
        findings: what the store had forgotten of what dead writers had told it, and what was done about it.
        error: why something still waits; ``None`` when nothing does.
    """

    journals: int = 0
    alive: int = 0
    calls: int = 0
    points: int = 0
    quarantined: int = 0
    dropped: int = 0
    findings: tuple[Finding, ...] = ()
    error: RunStoreError | None = None


class _SyncPatience:
    """How long a sync tries the next record of one journal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._position = -1
        self._since = 0.0
        self._tries = 0

    def end_of(self, later: TryLaterError, drain: JournalDrain) -> RunStoreError | None:
        """Why no more is tried now; ``None`` to go on."""
        if drain.position != self._position:
            self._position, self._since, self._tries = drain.position, time.monotonic(), 0
        self._tries += 1
        cause = later.__cause__
        if isinstance(cause, RunStoreError) and cause.is_transient:
            # Tried once more: a server that cuts off what is too large for it looks as if it were away.
            is_cut_off = isinstance(cause, StoreUnavailableError) and (self._tries == 1 or drain.is_suspicious)
            return None if is_cut_off else cause
        if time.monotonic() - self._since <= _STUCK_S:
            return None  # it is tried a few times, and then quarantined
        return StoreFailureError(
            f"the journal {self._folder} waits, because the store fails on its next record and on every other write: "
            f"{cause}; mend that and run `runstore sync` again"
        )


def sync_leftovers(
    store: Store, url: str, *, state_dir: Path | None = None, journals_of: Sequence[Path] | None = None
) -> SyncReport:
    """Stores what dead writers to this store left on this machine; living ones drain themselves.

    It may run at any time, in any process, as often as one likes: each journal is drained by one process at a time,
    and what is stored twice is stored once.

    Args:
        store: where to.
        url: the store's, by which its journals are found.
        state_dir: where journals lie.
        journals_of: other journals instead, such as those of a mistyped store.
    """
    backend = store.source()
    journals = alive = calls = points = quarantined = dropped = 0
    findings: list[Finding] = []
    keeping = keeping_of(RecorderOptions()) if journals_of is None else None  # what goes elsewhere is not this store's
    error: RunStoreError | None = None
    folders = [leftovers(root) for root in journal_folders(identity_of(url), state_dir)]
    for folder in chain.from_iterable(folders) if journals_of is None else journals_of:
        adopted = adopt(folder, keeping)
        if adopted is None:
            alive += 1
            continue
        counts = adopted.counts
        refused_before = counts.quarantined
        before = {run_id: tuple(of_run.drained()) for run_id, of_run in counts.runs.items()}
        has_more, patience = True, _SyncPatience(folder)
        while has_more:
            try:
                has_more = adopted.step(backend)
            except TryLaterError as later:
                error = patience.end_of(later, adopted.drain)
                if error is None:
                    time.sleep(_TRY_AGAIN_S)
                    continue
                adopted.let_go()
                break
        journals += not has_more
        for run_id, of_run in counts.runs.items():
            earlier = before.get(run_id, (0, 0, 0, 0))
            calls += of_run.stored_calls - earlier[0]
            points += of_run.stored_points - earlier[1]
            dropped += of_run.dropped_calls
        quarantined += counts.quarantined - refused_before
        findings += adopted.findings
        if error is not None:
            break
    return SyncReport(
        journals=journals,
        alive=alive,
        calls=calls,
        points=points,
        quarantined=quarantined,
        dropped=dropped,
        findings=tuple(findings),
        error=error,
    )
