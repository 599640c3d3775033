"""One writer's journal: an append-only row of segment files in a folder of its own, under a lock of its own.

Records are addressed by their *position*: the count of bytes written before them, over all segments. A segment's file
is named after the position of its first byte, so positions survive the removal of what was drained.

Every append is one ``pwrite`` and so belongs to the operating system when the call returns: it survives the death of
the process. A background thread asks for ``fdatasync`` at most once an interval, which bounds what a power cut takes.
When the disk refuses, records go to memory and the journal says so; it goes back to disk when the disk recovers.
"""

import contextlib
import itertools
import logging
import os
import threading
import time
from pathlib import Path
from typing import Literal, NamedTuple, Self

from runstore.errors import SettingsError, StoreClosedError, StoreFailureError
from runstore.local.flags import Flag
from runstore.local.locks import HeldLock, take_lock
from runstore.local.system import keep, keep_names, open_bytes, read_at, write_at
from runstore.recording.frames import PREAMBLE_SIZE, frame
from runstore.recording.segments import (
    SUFFIX,
    Segment,
    close_segment,
    new_segment,
    old_segment,
)
from runstore.recording.writers import LOCK_NAME, RUNS_NAME, cure_of, new_folder, noted_runs, remove_folder

_log = logging.getLogger(__name__)

Fsync = Literal["interval", "always", "never"]

SEGMENT_BYTES = 16 * 2**20
MEMORY_BYTES = 64 * 2**20
FSYNC_INTERVAL_S = 1.0
RECOVERY_INTERVAL_S = 15.0

_JOIN_S = 1.0

_STAGING = "staged"
_ROOM = 65_536


class Chunk(NamedTuple):
    """Bytes read from a journal.

    Attributes:
        data: the bytes; empty when there is nothing at or after the position that was asked for.
        position: where they begin; past the position asked for when a segment is missing in between.
        is_complete: they reach the end of what their segment holds.
    """

    data: bytes
    position: int
    is_complete: bool


class JournalFullError(StoreFailureError):
    """The disk refuses, and so many records wait in memory already that no more are kept there."""

    code = "journal_full"


class Journal:
    """A writer's journal, or a dead writer's one that was adopted (then nothing is appended).

    ``append`` may be called from any thread and from a signal handler; ``read`` and ``release`` belong to one drainer.

    Attributes:
        folder: where its files lie.
        end: the position after the last whole record.
        lock: held, it keeps other threads from appending; reentrant.
        kept_bytes: so much of what was released stays on the disk, to be read again; what is older is removed.
        dropped_at: until when what was removed had been written; ``None`` while all is there.
        warning: why records go to memory at present; ``None`` while they go to disk.
    """

    def __init__(self, folder: Path, lock: HeldLock, segments: list[Segment], *, fsync: Fsync) -> None:
        """Takes ownership of the lock and of the segments."""
        self.folder = folder
        self.warning: str | None = None
        self.segment_bytes = SEGMENT_BYTES
        self.memory_bytes = MEMORY_BYTES
        self.kept_bytes = 0
        self.dropped_at: float | None = None
        self._held = lock
        self._segments = segments
        self._current = segments[-1] if segments else Segment(0)
        self.end = self._current.base + self._current.size
        self._synced = self.end
        self._fsync: Fsync = fsync
        self._always = fsync == "always"
        self.lock = threading.RLock()
        self._is_appending = False
        self._late: list[bytes] = []
        self._is_closed = False
        self._is_ended = False
        self._stop = Flag()
        self._syncing: threading.Thread | None = None
        self._reading: tuple[Path, int] | None = None
        self._sealed: list[Segment] = []
        self._stubborn: list[Path] = []

    @classmethod
    def create(cls, root: Path, *, fsync: Fsync = "interval") -> Self:
        """A new writer's journal in a new folder under ``root``.

        Raises:
            SettingsError: the folder cannot be made or written.
        """
        try:
            os.makedirs(root, mode=0o700, exist_ok=True)  # noqa: PTH103 - a Path's tells a failure four times over
            lock = new_folder(root)
            folder = lock.path.parent
            first = new_segment(folder, 0)
            keep_names(root)
        except OSError as error:
            raise SettingsError(
                f"the journal cannot be written in {root}: {error}; {cure_of(error)}, name another one in "
                "RUNSTORE_STATE_DIR, or open the store with durable=False"
            ) from error
        journal = cls(folder, lock, [first], fsync=fsync)
        journal._syncing = threading.Thread(target=journal._keep_synced, name="runstore-fsync", daemon=True)
        journal._syncing.start()
        return journal

    @classmethod
    def adopt(cls, folder: Path) -> Self | None:
        """What a dead writer left in ``folder``; ``None`` while its writer or another adopter lives.

        Raises:
            StoreFailureError: a newer release wrote it, in a format that this one cannot read.
            OSError: it cannot be read.
        """
        lock = take_lock(folder / LOCK_NAME)
        if lock is None:
            return None
        try:
            segments = [old_segment(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
            for segment, following in itertools.pairwise(segments):
                # A call that was cut off may have left bytes behind the last whole record.
                segment.size = min(segment.size, following.base - segment.base)
        except BaseException:
            lock.release()
            raise
        return cls(folder, lock, segments, fsync="never")

    @property
    def staging(self) -> Path:
        """The folder for artifact bytes that wait."""
        return self.folder / _STAGING

    @property
    def first(self) -> int:
        """The position of the first record that can still be read."""
        return self._segments[0].base if self._segments else self.end

    @property
    def is_in_memory(self) -> bool:
        """Whether records go to memory at present."""
        return self._current.path is None

    def note_run(self, run_id: str) -> None:
        """Notes beside the segments that they hold records of this run; an error is logged, for it only costs order."""
        try:
            with (self.folder / RUNS_NAME).open("ab") as file:
                file.write(frame(run_id.encode()))
        except OSError as error:
            _log.warning("the list of runs in %s could not be written: %s", self.folder, error)

    def runs(self) -> set[str]:
        """The runs that were noted."""
        return noted_runs(self.folder)

    def append(self, payload: bytes) -> int:
        """Adds a record and returns its position; -1 when called in a signal handler that interrupted an append.

        Raises:
            JournalFullError: the disk refuses and memory is full; the record was not kept.
            StoreClosedError: no more records are taken.
        """
        with self.lock:
            return self.append_locked(payload)

    def append_locked(self, payload: bytes) -> int:
        """As :meth:`append`, for a caller who holds :attr:`lock`."""
        data = frame(payload)
        if self._is_ended:
            raise StoreClosedError("this store was closed; open another with open_store(url)")
        if self._is_appending:
            # The lock is held by this very thread: a signal handler runs inside an append. That one goes on after
            # the handler has returned, and takes this record with it.
            self._late.append(data)
            return -1
        self._is_appending = True
        try:
            position = self._append(data)
            while self._late:
                self._append(self._late.pop(0))
        finally:
            self._is_appending = False
        return position

    def end_appends(self) -> None:
        """Takes no more records from now on: what is drained after this call is all there will be."""
        with self.lock:
            self._is_ended = True

    def _append(self, data: bytes) -> int:
        position, segment, size = self.end, self._current, len(data)
        if segment.memory is None:
            try:
                # At an explicit offset: a call that an exception cut off is then written over by the next one.
                written = write_at(segment.fd, data, PREAMBLE_SIZE + position - segment.base)
                if written != size:
                    raise OSError(f"only {written} of {size} bytes were written")  # noqa: TRY301 - one handler
                if self._always:
                    keep(segment.fd)
            except OSError as error:
                self._go_to_memory(error)
                segment = self._current
        if segment.memory is not None:
            if len(segment.memory) + size > self.memory_bytes:
                raise JournalFullError(
                    f"{self.warning}; {len(segment.memory)} bytes wait in memory and no more are kept: free some space"
                )
            segment.memory += data
        self.end = end = position + size
        segment.size = size = end - segment.base
        if size >= self.segment_bytes and segment.memory is None:
            self._rotate()
        return position

    def _rotate(self) -> None:
        try:
            following = new_segment(self.folder, self.end)
        except OSError as error:
            self._go_to_memory(error)
            return
        self._seal(following)

    def _seal(self, following: Segment) -> None:
        self._sealed.append(self._current)
        self._segments.append(following)
        self._current = following

    def _go_to_memory(self, error: OSError) -> None:
        self.warning = f"the journal in {self.folder} cannot be written ({error})"
        _log.warning(
            "%s; records are kept in memory until it can: they are lost if this process dies first", self.warning
        )
        segment = self._current
        with contextlib.suppress(OSError):  # cut off what was written of a record that is kept elsewhere
            os.ftruncate(segment.fd, PREAMBLE_SIZE + segment.size)
        self._seal(Segment(self.end))

    def go_back_to_disk(self) -> bool:
        """Tries to leave memory for a new segment on disk; whether the journal is on disk now."""
        with self.lock:
            if not self.is_in_memory or self._is_closed or self._is_appending:
                return not self.is_in_memory
            try:
                following = new_segment(self.folder, self.end)
                if write_at(following.fd, bytes(_ROOM), PREAMBLE_SIZE) != _ROOM:  # for more than the preamble
                    return False
                os.ftruncate(following.fd, PREAMBLE_SIZE)
            except OSError:
                return False
            self._seal(following)
            self.warning = None
        _log.warning("the journal in %s can be written again", self.folder)
        return True

    def read(self, position: int, size: int, *, until: int | None = None) -> Chunk:
        """Up to ``size`` bytes from ``position`` on, within one segment and before ``until``, a record's position.

        Raises:
            OSError: a segment cannot be read.
        """
        end = self.end  # published after the bytes: everything before it can be read
        if until is not None:
            end = min(end, until)
        for segment in list(self._segments):
            start = max(position, segment.base + segment.trimmed)
            stop = end if segment is self._current else min(segment.base + segment.size, end)
            if start >= stop:
                continue
            wanted = min(size, stop - start)
            if segment.memory is not None:
                with self.lock:
                    offset = start - segment.base - segment.trimmed
                    data = bytes(segment.memory[offset : offset + wanted])
            else:
                data = read_at(self._reader_of(segment), wanted, PREAMBLE_SIZE + start - segment.base)
            return Chunk(data, start, start + len(data) >= stop or len(data) < wanted)
        return Chunk(b"", position, is_complete=True)

    def in_memory(self, position: int) -> bytes:
        """What lies in memory alone from ``position`` on: whole records, which are lost with this process."""
        with self.lock:
            return b"".join(
                bytes(segment.memory[max(position - segment.base - segment.trimmed, 0) :])
                for segment in self._segments
                if segment.memory is not None
            )

    def is_to_drop(self, position: int) -> bool:
        """Whether :meth:`release` would remove a segment from the disk that has been kept."""
        return (
            0 < self.kept_bytes < position - self.first
            and not self.is_in_memory
            and len(self._segments) > 1
            and self._segments[0].base + self._segments[0].size <= position
        )

    def release(self, position: int) -> None:
        """Removes the segments whose every byte lies before ``position``, but for the last :attr:`kept_bytes`.

        On a disk that refuses, nothing is kept: room for what is not stored yet comes first.
        """
        limit = 0 if self.is_in_memory else self.kept_bytes
        kept = position - self.first
        for segment in list(self._segments):
            is_whole = segment.base + segment.size <= position and segment is not self._current
            if is_whole and segment.path is not None and limit and kept <= limit:
                continue
            if not is_whole:
                if segment.memory is not None:
                    with self.lock:
                        drained = max(position - segment.base, 0)
                        del segment.memory[: drained - segment.trimmed]
                        segment.trimmed = max(drained, segment.trimmed)
                break
            self._segments.remove(segment)
            kept = position - self.first
            if segment.path is not None:
                if self.kept_bytes:
                    self.dropped_at = time.time()
                with self.lock:
                    if segment in self._sealed:  # what is removed need not be synced, and must not be open
                        self._sealed.remove(segment)
                        close_segment(segment)
                self._remove(segment.path)

    def _remove(self, *paths: Path) -> None:
        """Removes segments. Windows refuses while they are open, as one may be that is just being synced: later, then."""
        if self._reading is not None and self._reading[0] in paths:
            self._end_reading()
        stubborn, self._stubborn = self._stubborn, []
        for path in [*stubborn, *paths]:
            try:
                path.unlink(missing_ok=True)
            except OSError:
                self._stubborn.append(path)

    def _end_reading(self) -> None:
        if self._reading is not None:
            os.close(self._reading[1])
            self._reading = None

    def sync(self) -> None:
        """Asks the disk to keep what was written; an error is logged, for nothing more can be done."""
        with self.lock:
            sealed, self._sealed = self._sealed, []
            current, end = self._current, self.end
            # A duplicate stays valid when another thread rotates or closes meanwhile.
            fd = os.dup(current.fd) if current.memory is None and current.fd >= 0 and end != self._synced else -1
        try:
            if self._fsync != "never":
                for open_fd in [*(segment.fd for segment in sealed), fd]:
                    if open_fd >= 0:
                        keep(open_fd)
                if sealed:
                    keep_names(self.folder)
            self._synced = end
        except OSError as error:
            _log.warning("the journal in %s could not be synced to disk: %s", self.folder, error)
        finally:
            for segment in sealed:
                close_segment(segment)
            if fd >= 0:
                os.close(fd)

    def close(self, *, remove: bool) -> None:
        """Gives back the lock and the files; with ``remove`` the folder goes as well, which loses what it holds."""
        if not self._shut(syncs=not remove):
            return
        if remove:
            remove_folder(self.folder, self._held)
        else:
            self._held.release()  # last: whoever gets the lock finds the folder as it will stay

    def _shut(self, *, syncs: bool) -> bool:
        """Closes the files, but for the lock; ``False`` where that was done before."""
        with self.lock:
            if self._is_closed:
                return False
            self._is_closed = True
        self._stop.set()
        if self._syncing is not None:
            self._syncing.join(timeout=_JOIN_S)  # a disk that hangs is left behind
        if syncs:
            self.sync()
        with self.lock:
            for segment in [*self._sealed, self._current]:
                close_segment(segment)
            self._sealed.clear()
        self._end_reading()
        return True

    def give(self, folder: Path, name: str) -> None:
        """Moves the file of a name, and the artifact bytes that wait, to another folder.

        The file goes last: whoever finds it finds all that belongs to it.
        """
        folder.mkdir(exist_ok=True, mode=0o700)
        if self.staging.exists():
            self.staging.rename(folder / _STAGING)
        (self.folder / name).rename(folder / name)

    def move(self, folder: Path, last: str) -> None:
        """Moves all of a journal that takes no more records to another folder, the file ``last`` as the last one.

        A process that is stopped in between leaves two parts; the next one that adopts the first moves that on.
        """
        self._shut(syncs=False)  # the database has it all
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            rest = [path for path in self.folder.iterdir() if path not in {self._held.path, self.folder / last}]
            for path in [*rest, self.folder / last]:
                if path.exists():
                    path.rename(folder / path.name)
        except BaseException:
            self._held.release()
            raise
        remove_folder(self.folder, self._held)

    def forget(self) -> None:
        """Closes a forked child's copies of the files: the journal, its lock and its thread are the parent's.

        The lock is not given back by this: it belongs to the open file, which the parent still has.
        """
        self._is_closed = True
        files = {segment.fd for segment in [*self._sealed, *self._segments, self._current]}
        if self._reading is not None:
            files.add(self._reading[1])
        for fd in files:
            if fd >= 0:
                with contextlib.suppress(OSError):
                    os.close(fd)
        with contextlib.suppress(OSError):
            self._held.release()

    def _keep_synced(self) -> None:
        elapsed_s = 0.0
        while not self._stop.wait(FSYNC_INTERVAL_S):
            self.sync()
            elapsed_s += FSYNC_INTERVAL_S
            if self.is_in_memory and elapsed_s >= RECOVERY_INTERVAL_S:
                elapsed_s = 0.0
                self.go_back_to_disk()

    def _reader_of(self, segment: Segment) -> int:
        path = segment.path
        if path is None:  # pragma: no cover - the caller asks for files only
            raise ValueError("a segment in memory has no file")
        if self._reading is None or self._reading[0] != path:
            self._end_reading()
            self._reading = (path, open_bytes(path, os.O_RDONLY))
        return self._reading[1]
