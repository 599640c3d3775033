"""The items of W&B's records: a key, nested or not, and a value as JSON."""

import json
from collections.abc import Iterator
from typing import Any, Final

from runstore.importing.wandb_records import fields_of

_MOST_TEXT: Final = 4 * 2**20
_ITEM, _STEP = 1, 2
_TIME: Final = 2
_KEY, _NESTED, _VALUE = 1, 2, 16
_VALUE_TAG: Final = b"\x82\x01"
_LONG: Final = 128
"""From here on a length takes more than one byte."""


def timestamp_us(data: bytes) -> int:
    """Microseconds of a time in seconds and nanoseconds."""
    parts = {field: value for field, value in fields_of(data) if isinstance(value, int)}
    return parts.get(1, 0) * 1_000_000 + parts.get(2, 0) // 1000


def reading_us(data: bytes) -> int:
    """The time of a reading of the machine; 0 where it has none."""
    return next(
        (timestamp_us(value) for field, value in fields_of(data) if field == _TIME and isinstance(value, bytes)), 0
    )


def key_of(head: bytes) -> str:
    """The key in the bytes before a value; the parts of a nested one are joined by dots."""
    return ".".join(path_of(head))


def path_of(head: bytes) -> list[str]:
    """The keys in the bytes before a value, from the outermost on."""
    return [value.decode("utf-8", "backslashreplace") for _, value in fields_of(head) if isinstance(value, bytes)]


def items_of(data: bytes, item: int = _ITEM) -> Iterator[tuple[bytes, bytes]]:
    """The items of a record: the bytes of the key, and those of the value."""
    for field, value in fields_of(data):
        if field == item and isinstance(value, bytes):
            yield _split(value)


def _split(item: bytes) -> tuple[bytes, bytes]:
    """Most items are one key of under 128 bytes and one value behind it."""
    size = item[1] if len(item) > 1 else _LONG
    end = 2 + size
    if size < _LONG and item[end : end + 2] == _VALUE_TAG:
        length = item[end + 2]
        if length < _LONG:
            return item[:end], item[end + 3 :]
        return item[:end], item[end + 4 :] if item[end + 3] < _LONG else _slowly(item)[1]
    return _slowly(item)


def _slowly(item: bytes) -> tuple[bytes, bytes]:
    head, text = b"", b""
    for field, value in fields_of(item):
        if not isinstance(value, bytes):
            continue
        if field == _VALUE:
            text = value
        elif field in {_KEY, _NESTED}:
            head += _written(field, value)
    return head, text


def _written(field: int, value: bytes) -> bytes:
    """A field as it stands in a message."""
    size, written = len(value), bytearray([field << 3 | 2])
    while size >= _LONG:
        written.append(size & 127 | 128)
        size >>= 7
    written.append(size)
    return bytes(written) + value


def step_of(data: bytes) -> int:
    """The step of a row that has none among its values."""
    for field, value in fields_of(data):
        if field == _STEP and isinstance(value, bytes):
            return next((number for one, number in fields_of(value) if one == 1 and isinstance(number, int)), 0)
    return 0


def json_of(text: bytes) -> Any:
    """The value; ``None`` for what is no JSON, or of over four megabytes."""
    if len(text) > _MOST_TEXT:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
