"""Bytes of a file, a part at a time: a file of any size takes as much memory as one piece."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final
from urllib.parse import quote

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_PIECE: Final = 256 * 1024
_RANGE: Final = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


class Part(Struct, frozen=True, kw_only=True):
    """Bytes from ``start`` to before ``end``."""

    start: int
    end: int

    def __len__(self) -> int:
        """How many bytes these are."""
        return self.end - self.start


def part_of(asked: str | None, size: int) -> Part | None:
    """The part of a file that a ``Range`` asks for; ``None`` where the whole is to be sent.

    What is no range, and several at once, are answered with the whole, as HTTP allows. A part that begins behind the end is
    empty: there is nothing to send.
    """
    found = _RANGE.fullmatch(asked.strip()) if asked else None
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        return Part(start=max(size - int(found[2]), 0), end=size) if int(found[2]) else Part(start=size, end=size)
    start = int(found[1])
    end = min(int(found[2]) + 1, size) if found[2] else size
    if found[2] and int(found[2]) < start:
        return None
    return Part(start=start, end=end) if start < size else Part(start=size, end=size)


def chunks_of(file: BinaryIO, part: Part) -> Iterator[bytes]:
    """The bytes of a part, piece by piece; the file stays open."""
    file.seek(part.start)
    left = len(part)
    while left and (piece := file.read(min(_PIECE, left))):
        left -= len(piece)
        yield piece


class Streamed(StreamingResponse):
    """An answer that is sent as it is made. What it is made from is closed in any case: browsers leave, also before the start."""

    def __init__(
        self,
        pieces: Iterator[bytes] | Iterator[str],
        *,
        close: Callable[[], None],
        kind: str,
        headers: Mapping[str, str],
        status: int = 200,
    ) -> None:
        """Answers with ``pieces``, of the media type ``kind``; ``close`` is called once, at the end."""
        super().__init__(pieces, status, headers, media_type=kind)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await run_in_threadpool(self._close)


def disposition(name: str) -> str:
    """The header that makes a browser keep a file under the last part of its name, and never show it."""
    return f"attachment; filename*=UTF-8''{quote(name.rpartition('/')[2], safe='')}"
