"""The bytes of an event file of TensorBoard: records of events, which are protocol buffers.

A number has 32 bits: what TensorBoard reads its files with by default leaves out a tensor of 64 without a word. It is a plain
value, as PyTorch writes it, which every reader of such files takes.
"""

import math
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import ne
from struct import Struct as Layout
from typing import Final

from runstore.local.crc32c import masked_crc32c, masked_crc32cs
from runstore.model import RunStatus
from runstore.series import Columns

MOST_WHOLE: Final = 2**53
"""Of a larger whole number a float64 keeps some digits only."""

_HEAD: Final = Layout("<QI")
_FOOT: Final = Layout("<I")
_FLOAT64: Final = Layout("<d")

_MOST_AT_ONCE: Final = 10_000
_SEVEN_BITS: Final = 127
_VARINT, _FIXED64, _BYTES = 0, 1, 2
_NOTHING: Final = b"\x08\x01\x12\x04\x12\x02\x08\x01\x2a\x04\x00\x00\x00\x00"
"""A tensor of one zero, which TensorBoard wants where a value only says something of its run."""

_HPARAMS: Final = b"hparams"
_STATUSES: Final = {RunStatus.COMPLETED: 1, RunStatus.FAILED: 2, RunStatus.IN_PROGRESS: 3, RunStatus.LOST: 3}
"""Of the hparams plugin: success, failure and running; there is none for what was interrupted."""

Setting = bool | float | str


def record(event: bytes) -> bytes:
    """An event as it stands in the file."""
    return _framed(event, masked_crc32c(event))


def file_begins(seconds: float) -> bytes:
    """The event that stands first in each file."""
    return _seconds(seconds) + _field(3, b"brain.Event:2")


def number_records(tag: str, points: Columns) -> Iterator[bytes]:
    """The records of a series' points."""
    name = _field(1, tag.encode())
    value = _field(1, name + b"\x15" + bytes(4))
    middle = (_key(5, _BYTES) + _varint(len(value)) + value)[:-4]
    seconds = array("d", [at / 1_000_000 for at in points.logged_at_us])
    numbers = array("f", points.values)
    if sys.byteorder == "big":
        seconds.byteswap()
        numbers.byteswap()
    times, values = seconds.tobytes(), numbers.tobytes()
    # Records of one length, so that their checksums are counted together.
    waiting: list[bytes] = []
    for index, step in enumerate(points.steps):
        event = b"".join((
            b"\x09", times[8 * index : 8 * index + 8], b"\x10", _varint(step), middle, values[4 * index : 4 * index + 4],
        ))  # fmt: skip
        if waiting and (len(event) != len(waiting[0]) or len(waiting) == _MOST_AT_ONCE):
            yield from _all_framed(waiting)
            waiting = []
        waiting.append(event)
    yield from _all_framed(waiting)


def rounded(values: "array[float]") -> int:
    """How many of these numbers are others in 32 bits."""
    others: int = sum(map(ne, values, array("f", values)))
    nans: int = sum(map(ne, values, values))
    return others - nans


def session_begins(settings: Mapping[str, Setting], group: str, seconds: float) -> bytes:
    """The event of the hyperparameters, as the page HPARAMS reads them."""
    entries = b"".join(_field(1, _field(1, key.encode()) + _field(2, _setting(each))) for key, each in settings.items())
    said = entries + _field(4, group.encode()) + _fixed(5, seconds)
    return _of_hparams("_hparams_/session_start_info", 3, said, seconds)


def session_ends(status: RunStatus, seconds: float) -> bytes:
    """The event that says how a run stands."""
    number = _STATUSES.get(status, 0)
    said = (_key(1, _VARINT) + _varint(number) if number else b"") + _fixed(2, seconds)
    return _of_hparams("_hparams_/session_end_info", 4, said, seconds)


def has_status(status: RunStatus) -> bool:
    """Whether an event can say it."""
    return status in _STATUSES and status is not RunStatus.LOST


def _of_hparams(tag: str, kind: int, said: bytes, seconds: float) -> bytes:
    plugin = _field(1, _HPARAMS) + _field(2, _field(kind, said))
    value = _field(1, tag.encode()) + _field(8, _NOTHING) + _field(9, _field(1, plugin))
    return _seconds(seconds) + _field(5, _field(1, value))


def _setting(value: Setting) -> bytes:
    if isinstance(value, bool):
        return _key(4, _VARINT) + _varint(value)
    return _field(3, value.encode()) if isinstance(value, str) else _fixed(2, float(value))


def is_number_kept(value: float) -> bool:
    """Whether a hyperparameter can be this number: the page HPARAMS fails at NaN and infinities."""
    return abs(value) <= MOST_WHOLE if isinstance(value, int) else math.isfinite(value)


def _seconds(seconds: float) -> bytes:
    return b"\x09" + _FLOAT64.pack(seconds)


def _fixed(number: int, value: float) -> bytes:
    return _key(number, _FIXED64) + _FLOAT64.pack(value)


def _field(number: int, content: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(content)) + content


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    if value <= _SEVEN_BITS:
        return bytes((value,))
    written = bytearray()
    while value > _SEVEN_BITS:
        written.append(value & _SEVEN_BITS | 128)
        value >>= 7
    written.append(value)
    return bytes(written)


def _all_framed(events: Sequence[bytes]) -> Iterable[bytes]:
    return map(_framed, events, masked_crc32cs(events))


def _framed(event: bytes, checksum: int) -> bytes:
    return b"".join((_head(len(event)), event, _FOOT.pack(checksum)))


@lru_cache(maxsize=1024)
def _head(length: int) -> bytes:
    """The length and its checksum."""
    return _HEAD.pack(length, masked_crc32c(length.to_bytes(8, "little")))
