"""The records of an event file: framed as TensorFlow frames its records.

A record is its length, a checksum of the length, its bytes, and a checksum of those.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from struct import Struct as Layout
from typing import BinaryIO, Final

from runstore.errors import SourceError
from runstore.importing.wandb_records import CutOffError
from runstore.local.crc32c import masked_crc32c, masked_crc32cs

_HEAD: Final = Layout("<QI")
_FOOT: Final = Layout("<I")
_BLOCK: Final = 2**20
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
    offset, rest, missing = 0, b"", 0
    while block := file.read(max(_BLOCK, missing)):
        buffer = rest + block
        records, at, missing = _whole_records(buffer, offset, is_checked=is_checked)
        yield from _checked(records, name) if is_checked else ((begin, data) for begin, data, _ in records)
        offset, rest = offset + at, buffer[at:]
        if len(rest) < _HEAD.size:
            continue
        length, checksum = _HEAD.unpack_from(rest)
        if is_checked and _sum_of_length(length) != checksum:
            what = "is no event file" if not offset else "the file is damaged"
            raise SourceError(f"{name}: the record at byte {offset} has another checksum than its length; {what}")
        if length > _MOST_READ:
            end = offset + _HEAD.size + length + _FOOT.size
            if end > file.seek(0, 2):
                raise CutOffError(f"{name}: ends within the record at byte {offset}")
            file.seek(end)
            yield offset, None
            offset, rest, missing = end, b"", 0
    if rest:
        raise CutOffError(f"{name}: ends within the record at byte {offset}")


_Record = tuple[int, bytes, int]
"""Where a record begins, its bytes, and the checksum that stands behind them: a plain tuple, for there are millions."""


def _whole_records(buffer: bytes, offset: int, *, is_checked: bool) -> tuple[list[_Record], int, int]:
    """The records that are whole in a part of the file, where they end in it, and how many bytes the next one lacks.

    They end before one that is too large, or whose length has another checksum.
    """
    records: list[_Record] = []
    at, size = 0, len(buffer)
    while size - at >= _HEAD.size:
        length, checksum = _HEAD.unpack_from(buffer, at)
        if length > _MOST_READ or (is_checked and _sum_of_length(length) != checksum):
            return records, at, 0
        begin = at + _HEAD.size
        end = begin + length
        if end + _FOOT.size > size:
            return records, at, end + _FOOT.size - size
        records.append((offset + at, buffer[begin:end], _FOOT.unpack_from(buffer, end)[0]))
        at = end + _FOOT.size
    return records, at, 0


def _checked(records: Sequence[_Record], name: str) -> Iterator[tuple[int, bytes]]:
    """The records up to the first whose bytes have another checksum: those of one length are counted together."""
    by_length: dict[int, list[_Record]] = {}
    for record in records:
        by_length.setdefault(len(record[1]), []).append(record)
    wrong = [
        offset
        for length, alike in by_length.items()
        if length <= _MOST_CHECKED
        for (offset, _, written), checksum in zip(alike, masked_crc32cs([data for _, data, _ in alike]), strict=True)
        if written != checksum
    ]
    first = min(wrong, default=None)
    for offset, data, _ in records:
        if offset == first:
            raise SourceError(
                f"{name}: the record at byte {first} has another checksum than its bytes; the file is damaged"
            )
        yield offset, data


@lru_cache(maxsize=4096)
def _sum_of_length(length: int) -> int:
    return masked_crc32c(length.to_bytes(8, "little"))
