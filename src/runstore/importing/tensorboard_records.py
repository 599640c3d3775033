"""The records of an event file: framed as TensorFlow frames its records.

A record is its length, a checksum of the length, its bytes, and a checksum of those.
"""

from collections.abc import Iterator
from struct import Struct as Layout
from typing import BinaryIO, Final

from runstore.errors import SourceError
from runstore.importing.wandb_records import CutOffError
from runstore.local.crc32c import masked_crc32c

_HEAD: Final = Layout("<QI")
_FOOT: Final = Layout("<I")
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
