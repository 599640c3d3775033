"""What the events of TensorBoard say: numbers, hyperparameters, and that a program went on from an earlier step.

Events are protocol buffers. Most of them are one number, always written in the same way, which is read at once.
"""

import re
from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812 - it is a class
from struct import pack, unpack, unpack_from
from typing import Any, Final, NamedTuple

from runstore.importing.wandb_records import fields_of

MALFORMED: Final = (ValueError, TypeError, IndexError, OverflowError, RecursionError, LayoutError)
"""What bytes that are no event can end in."""

HPARAMS: Final = b"hparams"
_LONG: Final = 128
_FLOAT32: Final = Layout("<f")
_FLOAT64: Final = Layout("<d")

_ONE_NUMBER: Final = re.compile(
    rb"\x09(.{8})(?:\x10([\x80-\xff]{0,8}[\0-\x7f]))?\x2a([\0-\x7f])\x0a([\0-\x7f])\x0a([\0-\x7f])(.*)\x15(.{4})",
    re.DOTALL,
)
"""An event of one number: the seconds, the step, and a summary with a value that has a tag and 32 bits."""

_SECONDS: Final = 9
_SECONDS_END: Final = 9
_SHIFTS: Final = range(0, 63, 7)
_NEGATIVE: Final = 2**63
_START: Final = 1

_FLOAT: Final = 1
_BFLOAT: Final = 14
_HALF: Final = 19
_LAYOUTS: Final = {
    _FLOAT: "<f", 2: "<d", 3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 10: "<?", 17: "<H", _HALF: "<e", 22: "<I", 23: "<Q",
}  # fmt: skip
"""How the number of a tensor lies in its bytes, by its type."""

_FIELDS: Final = {
    _FLOAT: 5, 2: 6, 3: 7, 4: 7, 5: 7, 6: 7, 9: 10, 10: 11, _BFLOAT: 13, 17: 7, _HALF: 13, 22: 16, 23: 17,
}  # fmt: skip
"""In which field it stands otherwise, by its type."""

_OF_16_BITS: Final = frozenset({_HALF, _BFLOAT})
_SIGNED: Final = frozenset({7, 10})
_OTHERS: Final = frozenset({3, 4, 5, 6, 8})
"""Fields of a value that is a histogram, a picture, a sound or a tensor."""

_WIDTHS: Final = {5: ("<f", "<I"), 6: ("<d", "<Q")}


class Number(NamedTuple):
    """A number that was logged.

    Attributes:
        tag: its name, in UTF-8.
        step: at which.
        value: the number.
        seconds: when, since 1970.
    """

    tag: bytes
    step: int
    value: float
    seconds: float


class Event(NamedTuple):
    """One event.

    Attributes:
        seconds: when, since 1970.
        step: at which.
        numbers: those it has.
        others: the tags of what is no number.
        hparams: what it says of hyperparameters: the message of TensorBoard's plugin.
        is_restart: whether the program went on from here, and what it had logged from this step on counts no longer.
    """

    seconds: float
    step: int
    numbers: list[Number]
    others: list[bytes]
    hparams: list[bytes]
    is_restart: bool


class Numbers:
    """Reads the events that are one number and nothing else."""

    def __init__(self) -> None:
        """What stands between the step and the number is the same for each number of a tag: it is looked at once."""
        self._tags: dict[bytes, bytes] = {}

    def of(self, data: bytes) -> Number | None:
        """The number of an event; ``None`` for any other event."""
        begin, step = _SECONDS_END, 0
        if data[begin : begin + 1] == b"\x10":
            begin += 1
            for shift in _SHIFTS:
                byte = data[begin] if begin < len(data) else 0
                begin += 1
                step |= (byte & 127) << shift
                if byte < _LONG:
                    break
            else:  # a negative step is longer
                return self._at_first(data)
        tag = self._tags.get(data[begin:-4])
        if tag is None or data[0] != _SECONDS:
            return self._at_first(data)
        return Number(tag, step, _FLOAT32.unpack_from(data, len(data) - 4)[0], _FLOAT64.unpack_from(data, 1)[0])

    def _at_first(self, data: bytes) -> Number | None:
        found = _ONE_NUMBER.fullmatch(data)
        if found is None:
            return None
        seconds, varint, outer, inner, size, tag, value = found.groups()
        if size[0] != len(tag) or inner[0] != len(tag) + 7 or outer[0] != len(tag) + 9:
            return None
        step = 0
        for byte in reversed(varint or b""):
            step = step << 7 | byte & 127
        self._tags[data[found.start(3) - 1 : -4]] = tag
        return Number(tag, step, _FLOAT32.unpack(value)[0], _FLOAT64.unpack(seconds)[0])


def event_of(data: bytes) -> Event:
    """All that an event says and that is taken.

    Raises:
        ValueError, TypeError, IndexError, OverflowError, RecursionError, struct.error: these bytes are no event (:data:`MALFORMED`).
    """
    seconds, step, is_restart = 0.0, 0, False
    summaries: list[bytes] = []
    for field, value in fields_of(data):
        if field == 1 and isinstance(value, int):
            (seconds,) = unpack("<d", pack("<Q", value))
        elif field == 2 and isinstance(value, int):  # noqa: PLR2004 - the step
            step = value - 2 * _NEGATIVE if value >= _NEGATIVE else value
        elif field == 5 and isinstance(value, bytes):  # noqa: PLR2004 - the summary
            summaries.append(value)
        elif field == 7 and isinstance(value, bytes):  # noqa: PLR2004 - the session's log
            is_restart = any(one == 1 and status == _START for one, status in fields_of(value))
    event = Event(seconds, step, [], [], [], is_restart)
    for summary in summaries:
        for field, value in fields_of(summary):
            if field == 1 and isinstance(value, bytes):
                _take(event, value)
    return event


def _take(event: Event, data: bytes) -> None:
    """One value of a summary."""
    parts: dict[int, Any] = dict(fields_of(data))
    name, said = _plugin(parts[9]) if 9 in parts else (b"", b"")  # noqa: PLR2004 - what the value is
    if name == HPARAMS:
        event.hparams.append(said)
        return
    number = None
    if 2 in parts:  # noqa: PLR2004 - a plain number
        number = float(unpack("<f", pack("<I", parts[2]))[0])
    elif 8 in parts:  # noqa: PLR2004 - a tensor
        number = _scalar(parts[8])
    tag = parts.get(1, b"")
    if not isinstance(tag, bytes):
        raise TypeError("a tag is no text")
    if number is not None:
        event.numbers.append(Number(tag, event.step, number, event.seconds))
    elif _OTHERS & parts.keys():
        event.others.append(tag)


def _plugin(metadata: bytes) -> tuple[bytes, bytes]:
    """The name of a plugin, and what it has to say."""
    for field, value in fields_of(metadata):
        if field == 1 and isinstance(value, bytes):
            parts: dict[int, Any] = dict(fields_of(value))
            return parts.get(1, b""), parts.get(2, b"")
    return b"", b""


def _scalar(tensor: bytes) -> float | None:
    """The number of a tensor that has no dimensions; ``None`` for another."""
    parts: dict[int, Any] = dict(fields_of(tensor))
    kind, content = parts.get(1, 0), parts.get(4)
    if kind not in _FIELDS or any(field in {2, 3} for field, _ in fields_of(parts.get(2, b""))):
        return None  # no number, or it has dimensions, or is of an unknown shape
    if not content:
        field = _FIELDS[kind]
        value = _first(field, parts.get(field, 0))
        if kind not in _OF_16_BITS:
            return float(value)
        content = pack("<H", value)
    if kind == _BFLOAT:
        content, kind = b"\0\0" + content, _FLOAT
    return float(unpack(_LAYOUTS[kind], content)[0])


def _first(field: int, value: int | bytes) -> Any:
    """The first element of a field of numbers, packed or not."""
    layout, bits = _WIDTHS.get(field, ("", ""))
    if isinstance(value, bytes):
        if layout:
            return unpack_from(layout, value)[0] if value else 0
        # A packed number is read as that of a field of its own.
        end = next((index for index, byte in enumerate(value, start=1) if byte < _LONG), 0)
        value = next((each for _, each in fields_of(b"\x08" + value[:end]) if isinstance(each, int)), 0) if end else 0
    elif layout and value:
        return unpack(layout, pack(bits, value))[0]
    return value - 2 * _NEGATIVE if value >= _NEGATIVE and field in _SIGNED else value
