"""How one record lies in a journal segment, and how a reader finds its way through a damaged one.

A segment begins with a preamble (``RUNSTORE JRNL``, a zero byte, the format's version as 16 bits) and goes on with
frames::

    magic (4 bytes) | length (u32) | CRC-32 (u32) | payload (length bytes)

Integers are little-endian. The checksum covers the payload and the length, so a flipped bit in either is seen. A
reader that meets a bad frame looks for the next magic whose frame is whole: what lies between is damage, what follows
is read. A frame cut off by the end of the segment (or zeros up to it, as a power cut leaves them) is a torn tail: the
call that wrote it had not been acknowledged, or lay within the window of the last ``fsync``.
"""

import struct
import zlib
from typing import NamedTuple

FORMAT_VERSION = 2
"""Raised when an older reader could no longer understand a segment, so that it leaves the journal to a newer release.

1: points as rows (:class:`runstore.recording.records.MetricsRecord`). 2: points in columns, names of staged files. Every
release reads all older formats.
"""

_PREAMBLE = struct.Struct("<14sH")
_PREAMBLE_TEXT = b"RUNSTORE JRNL\0"
PREAMBLE_SIZE = _PREAMBLE.size

MAGIC = b"\xf5RSj"
"""Begins every frame. 0xF5 is never part of UTF-8 text, so it is rare inside payloads."""

_HEADER = struct.Struct("<4sII")
HEADER_SIZE = _HEADER.size

_pack_header = _HEADER.pack
_unpack_header = _HEADER.unpack_from
_crc32 = zlib.crc32


class Damage(NamedTuple):
    """Bytes ``start`` to ``end`` of a buffer that belong to no whole frame, with the reason."""

    start: int
    end: int
    reason: str


class Scan(NamedTuple):
    """What one pass over a buffer found.

    Attributes:
        payloads: the whole records' payloads, in order.
        starts: where their frames begin in the buffer.
        damages: what had to be skipped, in order.
        consumed: where to read on; less than the buffer's length when its last frame is incomplete.
        needed: how many bytes from ``consumed`` the incomplete frame takes; 0 when there is none.
    """

    payloads: list[memoryview]
    starts: list[int]
    damages: list[Damage]
    consumed: int
    needed: int


def preamble() -> bytes:
    """The first bytes of every segment that this release writes."""
    return _PREAMBLE.pack(_PREAMBLE_TEXT, FORMAT_VERSION)


def version_of(head: bytes) -> int | None:
    """The format version that a segment's first bytes name; ``None`` when they are missing or damaged."""
    if len(head) < PREAMBLE_SIZE:
        return None
    text, version = _PREAMBLE.unpack_from(head)
    return int(version) if text == _PREAMBLE_TEXT else None


def frame(payload: bytes) -> bytes:
    """The payload with its header, ready to be appended in one write."""
    length = len(payload)
    return _pack_header(MAGIC, length, _crc32(payload, length)) + payload


def scan(buffer: bytes, *, is_complete: bool) -> Scan:
    """Finds the whole frames of a buffer.

    Args:
        buffer: bytes of a segment, beginning at a frame's start.
        is_complete: nothing will ever follow these bytes. An unfinished frame at the end is then a torn tail and is
            consumed as damage; otherwise it is left for the next pass, which begins at ``consumed``.
    """
    payloads: list[memoryview] = []
    starts: list[int] = []
    damages: list[Damage] = []
    view = memoryview(buffer)
    size = len(buffer)
    start = 0
    while start + HEADER_SIZE <= size:
        magic, length, checksum = _unpack_header(buffer, start)
        end = start + HEADER_SIZE + length
        if magic == MAGIC and end <= size:
            payload = view[start + HEADER_SIZE : end]
            if _crc32(payload, length) == checksum:
                payloads.append(payload)
                starts.append(start)
                start = end
                continue
        elif magic == MAGIC and not is_complete:
            # Perhaps a large record that reaches past this buffer; with ``is_complete`` unset the caller reads on.
            return Scan(payloads, starts, damages, start, end - start)
        following = _find_whole_frame(buffer, start + 1)
        if following is None and not is_complete:
            return Scan(payloads, starts, damages, start, size - start + HEADER_SIZE)
        end = size if following is None else following
        damages.append(Damage(start, end, _name_damage(buffer, start, is_last=following is None)))
        start = end
    if start < size and is_complete:
        damages.append(Damage(start, size, TORN_TAIL))
        start = size
    return Scan(payloads, starts, damages, start, HEADER_SIZE if start < size else 0)


TORN_TAIL = "torn tail: the last record was not written whole"
CORRUPT = "corrupt record: its checksum or its header does not fit"


def _name_damage(buffer: bytes, start: int, *, is_last: bool) -> str:
    if not is_last:
        return CORRUPT
    magic, length, _ = _unpack_header(buffer, start)
    is_cut_off = magic == MAGIC and start + HEADER_SIZE + length > len(buffer)
    is_zeroed = not any(buffer[start:])
    return TORN_TAIL if is_cut_off or is_zeroed else CORRUPT


def _find_whole_frame(buffer: bytes, start: int) -> int | None:
    size = len(buffer)
    while (start := buffer.find(MAGIC, start)) >= 0 and start + HEADER_SIZE <= size:
        _, length, checksum = _unpack_header(buffer, start)
        end = start + HEADER_SIZE + length
        if end <= size and _crc32(memoryview(buffer)[start + HEADER_SIZE : end], length) == checksum:
            return start
        start += 1
    return None
