"""Another try for what a store refused: after a person mended the cause, the dead letters go to the store again."""

import base64
import contextlib
import logging
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from runstore.backend import BackendStore, Store
from runstore.errors import RunStoreError
from runstore.health import Counts, RunHealth, stored_health
from runstore.local.locks import HeldLock, take_lock
from runstore.local.whole_files import write_whole
from runstore.recording.adoption import QUARANTINE
from runstore.recording.apply import apply_record, report_health
from runstore.recording.cursor import DEAD_LETTERS, DeadLetter, dead_letter
from runstore.recording.places import identity_of, journal_folders, noted_stores
from runstore.recording.records import ArtifactRecord, Record, decode, points_in, run_of, stands_alone
from runstore.recording.writers import LOCK_NAME, remove_folder

_log = logging.getLogger(__name__)


class RequeueReport(Struct, kw_only=True):
    """What one pass of :func:`requeue_refused` did.

    Attributes:
        stored: how many records the store took this time.
        refused: how many it refused again, or nobody can read; they are kept, with the newest reason.
        reason: why the first of them was refused.
        error: why the rest was not tried; ``None`` when everything was.
    """

    stored: int = 0
    refused: int = 0
    reason: str | None = None
    error: RunStoreError | None = None


def count_refused(state_dir: Path | None = None) -> dict[str, int]:
    """How many records of dead writers each store refused, by its identity, as the files on this machine say."""
    counts: Counter[str] = Counter()
    for identity, noted in noted_stores(state_dir).items():
        for folder in _folders(noted.folders):
            with contextlib.suppress(OSError), (folder / DEAD_LETTERS).open("rb") as file:
                counts[identity] += sum(1 for line in file if line.strip())
    return dict(counts)


def requeue_refused(store: Store, url: str, *, state_dir: Path | None = None) -> RequeueReport:
    """Sends what the store refused once more, in the old order; what it takes leaves the dead-letter files.

    A value that was logged for the same step since then is written over, for the refused record comes last.
    """
    done, backend = RequeueReport(), store.source()
    for folder in _folders(journal_folders(identity_of(url), state_dir)):
        lock = take_lock(folder / LOCK_NAME)
        if lock is None:
            continue  # another process is at it
        is_empty = False
        try:
            is_empty = _Quarantine(folder).requeue(backend, done)
        except OSError as error:
            _log.warning("the dead letters in %s cannot be read or written: %s", folder, error)
        finally:
            _leave(folder, lock, is_empty=is_empty)
        if done.error is not None:
            break
    return done


def _leave(folder: Path, lock: HeldLock, *, is_empty: bool) -> None:
    if is_empty:
        remove_folder(folder, lock)
    else:
        lock.release()


def _folders(roots: Iterable[Path]) -> list[Path]:
    return sorted(path.parent for root in roots for path in root.glob(f"{QUARANTINE}/*/{DEAD_LETTERS}"))


class _Quarantine:
    """One dead writer's letters, under its lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        lines = (folder / DEAD_LETTERS).read_bytes().splitlines()
        self._letters: list[DeadLetter] = []
        self._unreadable: list[bytes] = []  # the line that a crash cut off; kept as it is
        for line in filter(bytes.strip, lines):
            try:
                self._letters.append(msgspec.json.decode(line, type=DeadLetter))
            except msgspec.DecodeError:
                self._unreadable.append(line)
        self._left: list[DeadLetter] = []
        self._calls: Counter[str] = Counter()
        self._points: Counter[str] = Counter()

    def requeue(self, store: BackendStore, done: RequeueReport) -> bool:
        """Tries each letter again; whether none is left."""
        total = self._count()
        while self._letters and done.error is None:
            record = _record_of(self._letters[0])
            if stands_alone(record):
                self._save()  # so that a replay begins at or after it
            self._try_first(store, record, done)
        done.refused += len(self._left) + len(self._unreadable)
        if self._unreadable:
            done.reason = done.reason or f"a line of {self._folder / DEAD_LETTERS} cannot be read"
        self._left += self._letters
        self._letters = []
        self._save()
        for run_id in self._calls:
            if run_id:
                with contextlib.suppress(RunStoreError):
                    self._report(store, run_id, total)
        return not (self._left or self._unreadable)

    def _try_first(self, store: BackendStore, record: Record | None, done: RequeueReport) -> None:
        letter = self._letters[0]
        if record is None:
            done.reason = done.reason or letter.reason
            self._left.append(self._letters.pop(0))
            return
        try:
            apply_record(store, record, folder=self._folder, is_late=True)
        except Exception as error:  # noqa: BLE001 - a stranger's store may raise anything; the letter keeps it
            if isinstance(error, RunStoreError) and error.is_transient:
                done.error = error
                return
            done.reason = done.reason or str(error)
            payload = base64.b64decode(letter.record)
            self._left.append(
                dead_letter(payload, kind=letter.kind, run_id=letter.run_id, position=letter.position, error=error)
            )
            del self._letters[0]
        else:
            done.stored += 1
            self._calls[run_of(record)] += 1
            self._points[run_of(record)] += points_in(record)
            del self._letters[0]
            if isinstance(record, ArtifactRecord) and record.is_staged:
                shutil.rmtree(self._folder / Path(record.source).parent, ignore_errors=True)

    def _count(self) -> dict[str, tuple[int, int]]:
        """Calls and points among the letters, by run."""
        total: dict[str, tuple[int, int]] = {}
        for record in map(_record_of, self._letters):
            if record is not None:
                calls, points = total.get(run_of(record), (0, 0))
                total[run_of(record)] = calls + 1, points + points_in(record)
        return total

    def _save(self) -> None:
        lines = [*self._unreadable, *map(msgspec.json.encode, [*self._left, *self._letters])]
        content = b"".join(line + b"\n" for line in lines)
        write_whole(self._folder / DEAD_LETTERS, content, by=self._folder / f"{DEAD_LETTERS}.new", sync=True)

    def _report(self, store: BackendStore, run_id: str, total: dict[str, tuple[int, int]]) -> None:
        """Corrects the figures that are stored with a run."""
        writer = self._folder.name
        known = stored_health(run_id, store.read_artifacts(run_id)).get(writer)
        if known is None:  # the run itself was among the letters
            calls, points = (Counts(accepted=count, stored=0, quarantined=count, dropped=0) for count in total[run_id])
            known = RunHealth(run_id=run_id, calls=calls, points=points)
        moved = replace(
            known,
            calls=_moved(known.calls, self._calls[run_id]),
            points=_moved(known.points, self._points[run_id]),
        )
        report_health(store, writer, moved)


def _moved(counts: Counts, count: int) -> Counts:
    return Counts(
        accepted=counts.accepted,
        stored=counts.stored + count,
        quarantined=max(counts.quarantined - count, 0),
        dropped=counts.dropped,
    )


def _record_of(letter: DeadLetter) -> Record | None:
    """The record in a letter; ``None`` for bytes that nobody can read."""
    try:
        return decode(base64.b64decode(letter.record))
    except (msgspec.DecodeError, ValueError):
        return None
