"""The records of a ``.wandb`` file: framed as LevelDB frames its log, and written as protocol buffers.

The file begins with ``:W&B``, 0xBEE1 and the version 0. It is cut into blocks of 32 KiB; a record is one chunk or several, none of
which crosses a block: a CRC-32 of type and bytes, a length, a type (whole, first, middle, last), the bytes. Of protocol buffers
this reads what a record needs: numbers, and bytes with their length.
"""

from collections.abc import Iterator
from struct import Struct as Layout
from struct import unpack_from
from typing import BinaryIO, Final
from zlib import crc32

from runstore.errors import SourceError

HEAD: Final = b":W&B"
_MAGIC: Final = 0xBEE1
_HEADER: Final = Layout("<4sHB")
_CHUNK: Final = Layout("<IHB")
_BLOCK: Final = 32 * 1024
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_MOST_BYTES: Final = 64 * 2**20
"""Bytes of one record: W&B itself takes none that are larger than some ten megabytes."""

_MOST_VARINT: Final = 10
_MORE: Final = 128
"""The bit of a byte of a number that says that another one follows."""

_BYTES: Final = 2
_FIXED: Final = {1: 8, 5: 4}

Fields = Iterator[tuple[int, int | bytes]]
"""Numbers of fields with their values."""


class CutOffError(SourceError):
    """The file ends within a record, as one does whose process was killed."""


def records_in(file: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    """Each record, with the offset at which it begins.

    Raises:
        SourceError: this is no such file, or a record was damaged; names the offset.
        CutOffError: the file ends within a record; what came before is whole.
    """
    offset, parts, size = 0, list[bytes](), 0
    for at, kind, data in _chunks_in(file, name):
        if kind in {_WHOLE, _FIRST} and not parts:
            offset, size = at, 0
        elif kind not in {_MIDDLE, _LAST} or not parts:
            raise SourceError(f"{name}: the chunk at byte {at} is of no record; the file is damaged")
        parts.append(data)
        size += len(data)
        if size > _MOST_BYTES:
            raise SourceError(f"{name}: the record at byte {offset} has over {_MOST_BYTES} bytes; the file is damaged")
        if kind in {_WHOLE, _LAST}:
            yield offset, b"".join(parts)
            parts = []
    if parts:
        raise CutOffError(f"{name}: ends within the record at byte {offset}")


def _chunks_in(file: BinaryIO, name: str) -> Iterator[tuple[int, int, bytes]]:
    """Each chunk: its offset, its kind and its bytes."""
    block = file.read(_BLOCK)
    if len(block) < _HEADER.size or _HEADER.unpack_from(block) != (HEAD, _MAGIC, 0):
        raise SourceError(f"{name}: is no file of W&B: it does not begin with {HEAD.decode()} and the version 0")
    at, begin = _HEADER.size, 0
    while block:
        while len(block) - at >= _CHUNK.size:
            checksum, length, kind = _CHUNK.unpack_from(block, at)
            data = block[at + _CHUNK.size : at + _CHUNK.size + length]
            if len(data) < length and len(block) < _BLOCK:
                raise CutOffError(f"{name}: ends within the record at byte {begin + at}")
            if crc32(data, crc32(bytes((kind,)))) != checksum:
                raise SourceError(
                    f"{name}: the record at byte {begin + at} has another checksum than its bytes; the file is damaged"
                )
            yield begin + at, kind, data
            at += _CHUNK.size + length
        if len(block) < _BLOCK and at < len(block):
            raise CutOffError(f"{name}: ends within the record at byte {begin + at}")
        begin += len(block)  # what is left of a whole block is too short for a chunk
        block, at = file.read(_BLOCK), 0


def fields_of(data: bytes) -> Fields:
    """The fields of a message.

    Raises:
        ValueError: this is none.
    """
    at, end = 0, len(data)
    while at < end:
        tag = data[at]
        at += 1
        if tag >= _MORE:
            tag, at = _varint(data, at - 1)
        kind = tag & 7
        if kind == _BYTES:
            size = data[at] if at < end else end
            at += 1
            if size >= _MORE:
                size, at = _varint(data, at - 1)
            if size > end - at:
                raise ValueError("a field is longer than what it is in")
            yield tag >> 3, data[at : at + size]
            at += size
        elif kind == 0:
            number, at = _varint(data, at)
            yield tag >> 3, number
        elif kind in _FIXED and at + _FIXED[kind] <= end:
            (number,) = unpack_from("<Q" if kind == 1 else "<I", data, at)
            yield tag >> 3, number
            at += _FIXED[kind]
        else:
            raise ValueError("a field is of no known kind")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 7 * _MOST_VARINT, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        number |= (byte & _MORE - 1) << shift
        if byte < _MORE:
            return number, at
    raise ValueError("a number does not end")
