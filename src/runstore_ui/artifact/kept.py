"""Large files that were checked a moment ago: who downloads one in parts, or looks and then downloads, has it checked once.

What the store hands out is a copy of its own, checked against its SHA-256. Such a copy is kept here for a minute after it was
used last, and nothing that happens to the file meanwhile reaches it: whoever asks later has the file checked anew.
"""

import io
import threading
import time
from collections import OrderedDict
from typing import Any, BinaryIO, Final, cast

from runstore.model import Artifact
from runstore.protocol import RunReader

LEAST_BYTES: Final = 16 * 1024 * 1024
"""A smaller file is checked in some milliseconds."""
_MOST_BYTES: Final = 4 * 1024**3
_MOST_FILES: Final = 4
_KEPT_S: Final = 60.0


class _Copy:
    """A checked copy, how many read it, and when it was used last."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.lock = threading.Lock()
        self.file: BinaryIO | None = None
        self.readers = 0
        self.used = time.monotonic()


class _View(io.RawIOBase):
    """A copy as a file with a position of its own."""

    def __init__(self, files: "KeptFiles", copy: _Copy) -> None:
        self._files, self._copy, self._at = files, copy, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._copy.size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        with self._copy.lock:
            file = cast("BinaryIO", self._copy.file)
            file.seek(self._at)
            piece = file.read(len(buffer))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._files.give_back(self._copy)


class KeptFiles:
    """Copies of large files. It may be used from any thread."""

    def __init__(self, *, least_bytes: int = LEAST_BYTES) -> None:
        """Keeps nothing yet."""
        self._least_bytes = least_bytes
        self._lock = threading.Lock()
        self._copies: OrderedDict[tuple[str, int], _Copy] = OrderedDict()
        self._timer: threading.Timer | None = None

    def open(self, reader: RunReader, artifact: Artifact) -> BinaryIO:
        """The bytes of an artifact at position 0, checked against its SHA-256 when they were read from the store.

        Raises:
            ArtifactNotFoundError: the store does not keep them.
            CorruptArtifactError: they are not those recorded.
        """
        size = artifact.size or 0
        if size < self._least_bytes or artifact.sha256 is None:
            return reader.open_artifact(artifact.run_id, artifact.name)
        with self._lock:
            copy = self._copies.setdefault((artifact.sha256, size), _Copy(size))
            copy.readers += 1
        try:
            with copy.lock:  # several parts are asked for at once: the first has the file checked, the others wait
                if copy.file is None:
                    copy.file = reader.open_artifact(artifact.run_id, artifact.name)
        except BaseException:
            self.give_back(copy)
            raise
        return cast("BinaryIO", _View(self, copy))

    def give_back(self, copy: _Copy) -> None:
        """Tells that one reader of a copy has done."""
        with self._lock:
            copy.readers -= 1
            copy.used = time.monotonic()
            for key, each in list(self._copies.items()):
                if each is copy:
                    self._copies.move_to_end(key)
            self._drop()

    def _drop(self) -> None:
        """Closes what nobody has used for long, and the longest unused of too many."""
        now = time.monotonic()
        idle = [key for key, copy in self._copies.items() if not copy.readers]
        for key in idle:
            copy = self._copies[key]
            is_over = len(self._copies) > _MOST_FILES or sum(each.size for each in self._copies.values()) > _MOST_BYTES
            if is_over or copy.file is None or now - copy.used >= _KEPT_S:
                del self._copies[key]
                if copy.file is not None:
                    copy.file.close()
        if self._copies and self._timer is None:
            self._timer = threading.Timer(_KEPT_S, self._later)
            self._timer.daemon = True
            self._timer.start()

    def _later(self) -> None:
        with self._lock:
            self._timer = None
            self._drop()
