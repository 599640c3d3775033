"""How large a picture is once it is unpacked: a file of some kilobytes may be one of gigabytes, and stop a browser."""

import struct
from typing import BinaryIO, Final

MOST_PIXELS: Final = 60_000_000
"""Of a picture that is shown; four bytes each. An X-ray has a third of it."""

_START: Final = 256 * 1024
"""So much of a JPEG is searched: before its size stand profiles and thumbnails."""
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xDA)})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def size_of(file: BinaryIO) -> tuple[int, int]:
    """Width and height of a picture that is open at its beginning, and is again afterwards; zeros where it tells none."""
    start = file.read(_START)
    file.seek(0)
    try:
        return _size(start)
    except (struct.error, IndexError):
        return 0, 0


def _size(start: bytes) -> tuple[int, int]:
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return struct.unpack(">II", start[16:24])
    if start.startswith((b"GIF87a", b"GIF89a")):
        return struct.unpack("<HH", start[6:10])
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return _webp(start)
    if start.startswith(b"\xff\xd8"):
        return _jpeg(start)
    return 0, 0


def _webp(start: bytes) -> tuple[int, int]:
    if start[12:16] == b"VP8X":
        return 1 + int.from_bytes(start[24:27], "little"), 1 + int.from_bytes(start[27:30], "little")
    if start[12:16] == b"VP8L":
        bits = int.from_bytes(start[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", start[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(start: bytes) -> tuple[int, int]:
    at = 2
    while start[at] == 0xFF:  # noqa: PLR2004 - what each part begins with
        kind = start[at + 1]
        if kind in _FRAMES:
            height, width = struct.unpack(">HH", start[at + 5 : at + 9])
            return width, height
        if kind == 0xFF:  # noqa: PLR2004 - filling
            at += 1
        else:
            at += 2 if kind in _WITHOUT_LENGTH else 2 + struct.unpack(">H", start[at + 2 : at + 4])[0]
    return 0, 0
