"""The records of an event file: framed as TensorFlow frames its records.

A record is its length, a checksum of the length, its bytes, and a checksum of those. The checksum is a CRC-32C, masked, which
Python has no function for; it is counted here two bytes at a time.
"""

from array import array
from collections.abc import Iterator
from functools import cache
from struct import Struct as Layout
from struct import unpack
from typing import BinaryIO, Final

from runstore.errors import SourceError
from runstore.importing.wandb_records import CutOffError

_HEAD: Final = Layout("<QI")
_FOOT: Final = Layout("<I")
_POLYNOMIAL: Final = 0x82F63B78
_ONES: Final = 0xFFFFFFFF
_MASK: Final = 0xA282EAD8
_MOST_CHECKED: Final = 64 * 1024
"""Bytes of a record that are checked: no number and no setting that is taken stands in a larger one."""

_MOST_READ: Final = 16 * 2**20
"""Bytes of a record that are read: a larger one is a graph or a picture."""


def records_in(file: BinaryIO, name: str, *, is_checked: bool) -> Iterator[tuple[int, bytes | None]]:
    """Each record, with the offset at which it begins; ``None`` for one that is too large to hold a number.

    Args:
        file: at its beginning.
        name: of the file, for errors.
        is_checked: whether checksums are compared.

    Raises:
        SourceError: this is no such file, or a record was damaged; names the offset.
        CutOffError: the file ends within a record; what came before is whole.
    """
    offset = 0
    read = file.read
    while head := read(_HEAD.size):
        if len(head) < _HEAD.size:
            raise CutOffError(f"{name}: ends within the record at byte {offset}")
        length, checksum = _HEAD.unpack(head)
        if is_checked and masked_crc32c(head[:8]) != checksum:
            what = "is no event file" if not offset else "the file is damaged"
            raise SourceError(f"{name}: the record at byte {offset} has another checksum than its length; {what}")
        if length > _MOST_READ:
            end = offset + _HEAD.size + length + _FOOT.size
            if end > file.seek(0, 2):
                raise CutOffError(f"{name}: ends within the record at byte {offset}")
            file.seek(end)
            yield offset, None
            offset = end
            continue
        data = read(length + _FOOT.size)
        if len(data) < length + _FOOT.size:
            raise CutOffError(f"{name}: ends within the record at byte {offset}")
        if (
            is_checked
            and length <= _MOST_CHECKED
            and masked_crc32c(data[:length]) != _FOOT.unpack_from(data, length)[0]
        ):
            raise SourceError(
                f"{name}: the record at byte {offset} has another checksum than its bytes; the file is damaged"
            )
        yield offset, data[:length]
        offset += _HEAD.size + length + _FOOT.size


def masked_crc32c(data: bytes) -> int:
    """The checksum as it stands in the file."""
    bytewise, pairwise = _tables()
    crc = _ONES
    half = len(data) // 2
    for pair in unpack(f"<{half}H", data[: 2 * half]):
        crc = pairwise[(crc ^ pair) & 0xFFFF] ^ (crc >> 16)
    if len(data) % 2:
        crc = bytewise[(crc ^ data[-1]) & 0xFF] ^ (crc >> 8)
    crc ^= _ONES
    return ((crc >> 15 | crc << 17) + _MASK) & _ONES


@cache
def _tables() -> "tuple[array[int], array[int]]":
    """What one byte, and what two, make of a checksum."""
    bytewise = array("L")
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ _POLYNOMIAL if crc & 1 else crc >> 1
        bytewise.append(crc)
    pairwise = array("L")
    for pair in range(65_536):
        crc = bytewise[pair & 0xFF] ^ pair >> 8
        pairwise.append(bytewise[crc & 0xFF] ^ crc >> 8)
    return bytewise, pairwise
