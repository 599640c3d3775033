"""The checksum of event files, a masked CRC-32C, for which Python has no function.

Of one text it is counted two bytes at a time. Of many texts of one length, as the records of a series are, it is counted
for all of them at once: each place in them adds its own share, whatever stands in the others, and the shares of all
texts are looked up by one call of :meth:`bytes.translate`.
"""

from array import array
from collections.abc import Sequence
from functools import cache
from struct import unpack
from typing import Final

_POLYNOMIAL: Final = 0x82F63B78
_ONES: Final = 0xFFFFFFFF
_MASK: Final = 0xA282EAD8
_FEWEST: Final = 32
"""Fewer texts are quicker one by one."""

_LONGEST: Final = 512
"""A longer text costs too large tables."""


def masked_crc32c(data: bytes) -> int:
    """The checksum as it stands in the file."""
    bytewise, pairwise = _tables()
    crc = _ONES
    half = len(data) // 2
    for pair in unpack(f"<{half}H", data[: 2 * half]):
        crc = pairwise[(crc ^ pair) & 0xFFFF] ^ (crc >> 16)
    if len(data) % 2:
        crc = bytewise[(crc ^ data[-1]) & 0xFF] ^ (crc >> 8)
    return _masked(crc)


def masked_crc32cs(texts: Sequence[bytes]) -> Sequence[int]:
    """The checksums of texts of one length."""
    length, count = len(texts[0]) if texts else 0, len(texts)
    if count < _FEWEST or not 0 < length <= _LONGEST:
        return [masked_crc32c(each) for each in texts]
    joined = b"".join(texts)
    # What is the same for all is counted once, as of a text whose other bytes are zero.
    common = bytearray(length)
    shares = [0, 0, 0, 0]
    for behind in range(length):  # from the last one on, for each table is made of the one before
        place, tables = length - 1 - behind, _shares(behind)
        column = joined[place::length]
        if column.count(column[0]) == count:
            common[place] = column[0]
            continue
        for index, table in enumerate(tables):
            shares[index] ^= int.from_bytes(column.translate(table), "little")
    first = _unmasked(masked_crc32c(bytes(common)))
    planes = [share.to_bytes(count, "little") for share in shares]
    woven = bytearray(4 * count)
    for index, plane in enumerate(planes):
        woven[index::4] = plane
    return [_masked(first ^ share) for share in unpack(f"<{count}I", woven)]


def _masked(crc: int) -> int:
    crc ^= _ONES
    return ((crc >> 15 | crc << 17) + _MASK) & _ONES


def _unmasked(checksum: int) -> int:
    turned = checksum - _MASK & _ONES
    return (turned << 15 | turned >> 17) & _ONES ^ _ONES


@cache
def _shares(behind: int) -> tuple[bytes, ...]:
    """What each byte adds to the checksum, with so many bytes behind it: a table for each of the sum's four bytes."""
    bytewise, _ = _tables()
    if not behind:
        sums = list(bytewise)
    else:
        before = _shares(behind - 1)
        sums = [crc >> 8 ^ bytewise[crc & 0xFF] for crc in map(_of_bytes, *before)]
    return tuple(bytes(crc >> shift & 0xFF for crc in sums) for shift in (0, 8, 16, 24))


def _of_bytes(low: int, second: int, third: int, high: int) -> int:
    return low | second << 8 | third << 16 | high << 24


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
