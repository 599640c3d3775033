"""What a program prints, kept beside what it shows: Python's own standard output and error, of bounded size."""

import os
import shutil
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from runstore.secrets import redact

_HEAD_BYTES: Final = 1 * 2**20
_TAIL_BYTES: Final = 3 * 2**20
"""Of a program that prints more, its beginning and its end are kept: 4 MiB, 7 MiB at most."""

_LONGEST_LINE: Final = 16_384


class Output:
    """Takes along what is written to ``sys.stdout`` and ``sys.stderr`` until it is stopped, line by line.

    The streams themselves stay: what is a terminal remains one, and loggers that hold a stream are heard. Of a line
    that was drawn over and over, as by a progress bar, the last state is kept. Passwords of URLs are hidden. What
    other programs and libraries in C write past Python is not heard.
    """

    def __init__(self, keep: Callable[[Path], object]) -> None:
        """Begins at once.

        Args:
            keep: called with the file at the end, if anything was printed; the file is gone afterwards.
        """
        self._keep = keep
        folder = Path(tempfile.mkdtemp(prefix="runstore-output-"))
        self._remove_folder = weakref.finalize(self, _remove, folder, os.getpid())
        self._log = _BoundedLog(folder)
        self._taps = [_Tap(stream, self._log.add) for stream in (sys.stdout, sys.stderr) if hasattr(stream, "__dict__")]

    def stop(self, *, is_hurried: bool) -> None:  # noqa: ARG002 - it waits for nothing
        """Lets the streams alone, and hands on what was printed."""
        for tap in self._taps:
            tap.remove()
        try:
            file = self._log.finished()
            if file is not None:
                self._keep(file)
        finally:
            self._remove_folder()


def _remove(folder: Path, pid: int) -> None:
    """Removes the folder, unless this is a forked child that ends: it is its parent's."""
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)


class _Tap:
    """Hears what is written to one stream."""

    def __init__(self, stream: Any, add: Callable[[str], None]) -> None:
        self._stream = stream
        self._add = add
        self._line = ""
        self._lock = threading.RLock()  # a signal handler may print
        self._had_own = "write" in getattr(stream, "__dict__", {})  # another tool that listens
        self._write = stream.write
        self._tapped = self._heard  # one bound method, to be known again
        self._pid = os.getpid()
        stream.write = self._tapped

    def remove(self) -> None:
        """Hears nothing any more. Who has put another write over ours keeps it, and ours hands on."""
        with self._lock:
            if self._stream.write is self._tapped:
                if self._had_own:
                    self._stream.write = self._write
                else:
                    del self._stream.write
            self._pid = -1
            if self._line:
                self._add(_last_state(self._line))

    def _heard(self, text: str) -> Any:
        written = self._write(text)
        if self._pid == os.getpid():  # a forked child's are its own business
            try:
                self._take(text)
            except Exception:  # noqa: BLE001 - what is shown matters more than what is kept; a full disk stops no program
                self._pid = -1
        return written

    def _take(self, text: str) -> None:
        with self._lock:
            *lines, rest = (self._line + text).split("\n")
            for line in lines:
                self._add(_last_state(line))
            if len(rest) > _LONGEST_LINE:
                last = _last_state(rest)
                rest = "" if len(last) > _LONGEST_LINE else last
                if not rest:
                    self._add(last)
            self._line = rest


class _BoundedLog:
    """Lines in files: the first ones, and the last ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        # Without buffers, which a forked child that ends would write out once more.
        self._head = (folder / "output.log").open("wb", buffering=0)
        self._head_bytes = 0
        self._tails: list[Any] = []
        self._tail_bytes = 0
        self._left_out = 0

    def add(self, line: str) -> None:
        """One line more."""
        data = (redact(line) + "\n").encode("utf-8", "backslashreplace")
        with self._lock:
            if not self._tails and self._head_bytes + len(data) <= _HEAD_BYTES:
                self._head_bytes += self._head.write(data)
                return
            if not self._tails or self._tail_bytes + len(data) > _TAIL_BYTES:
                self._turn()
            self._tail_bytes += self._tails[-1].write(data)

    def _turn(self) -> None:
        """Begins another file of last lines; of three, the oldest goes."""
        self._tails.append(tempfile.TemporaryFile(dir=self._folder, buffering=0))  # noqa: SIM115 - it stays open
        self._tail_bytes = 0
        if len(self._tails) > 2:  # noqa: PLR2004 - the last full one, and the one that grows
            oldest = self._tails.pop(0)
            self._left_out += oldest.tell()
            oldest.close()

    def finished(self) -> Path | None:
        """The file of it all; ``None`` where there is nothing."""
        with self._lock:
            if self._left_out:
                self._head.write(f"[… {self._left_out} bytes left out …]\n".encode())
            for tail in self._tails:
                tail.seek(0)
                self._head.write(tail.read())
                tail.close()
            self._head.close()
            path = self._folder / "output.log"
            return path if path.stat().st_size else None


def _last_state(line: str) -> str:
    """What is left on the screen of a line that was drawn several times."""
    states = [state for state in line.rstrip("\r").split("\r") if state]
    return states[-1] if states else ""
