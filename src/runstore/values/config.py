"""A run's configuration: checked, merged, encoded and flattened in one place for every backend (CFG.1-5).

The encoded text is JSON that any tool can read. It keeps ``1``, ``1.0`` and ``true`` apart and integers of any size;
the three floats that JSON lacks are written as ``{"$float": "nan"}`` (``"inf"``, ``"-inf"``). A mapping of the user's
with that one key gets one more ``$`` in front, which decoding takes away.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Self

import msgspec

from runstore.errors import InvalidValueError
from runstore.values.checks import check_text, shown
from runstore.values.hints import how_to_keep

MAX_DEPTH: Final = 60
"""Levels of nesting; far under the interpreter's recursion limit, far over any real config."""

MAX_KEY_LENGTH: Final = 512
"""Characters of a flattened key, so that every database can index it."""

MAX_CONFIG_BYTES: Final = 4 * 2**20
"""Bytes of a run's whole encoded config."""

MAX_INDEX_BYTES: Final = 6 * 2**20
"""Bytes of the index by which a run's config is searched: each leaf with its whole key, see :attr:`ConfigDocument.index_bytes`."""

MAX_DETAILS_BYTES: Final = 2**20
"""Bytes of encoded provenance, and of one artifact's metadata.

Together the three leave room in a MongoDB document of 16 MiB for a run's tags, failure and summaries; and a text of
nothing but quotes, each of which a MySQL statement writes as two characters, stays under a packet of 16 MiB.
"""

_LEAF_BYTES: Final = 64
"""What a leaf takes beside its texts, at most."""

_HEAD_LENGTH: Final = 64
"""Characters at the beginning of a leaf's text that are kept a second time, to be found by."""

MAX_INT_BITS: Final = 8192
"""Bits of an integer: what the interpreter still turns into decimal text and back without being asked to."""

_TAG: Final = "$float"
_DECODER: Final = msgspec.json.Decoder(dict[str, Any])
"""Twice as fast as :mod:`json`, with integers of any size and exact floats too; it has no hook for the tag."""
_NON_FINITE: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class ConfigLeaf(NamedTuple):
    """One leaf of a config as the search index holds it.

    Attributes:
        key: the keys joined by dots; a dot or a backslash inside a key is escaped by a backslash.
        kind: ``int``, ``float``, ``bool``, ``str``, ``null``, ``list`` or ``mapping`` (an empty one).
        number: the float64 value of a number or a boolean; ``None`` for the other kinds.
        text: how a person reads it: a string as it is, other values as encoded.
    """

    key: str
    kind: str
    number: float | None
    text: str


class ConfigDocument:
    """A checked config and its text; each is made from the other when it is first needed.

    Attributes:
        text: ASCII JSON, see the head of this module; what is stored.
    """

    __slots__ = ("_leaves", "_values", "text")

    def __init__(self, text: str, values: dict[str, Any] | None = None) -> None:
        """A config that was checked before: its text, and its values where they are at hand."""
        self.text: str = text
        self._values = values
        self._leaves: list[ConfigLeaf] | None = None

    @classmethod
    def checked(cls, config: Mapping[str, Any], field: str = "config") -> Self:
        """What a caller gave.

        Args:
            config: a run's config; or its provenance or an artifact's metadata, to which a lower bound applies.
            field: what it is called in errors.

        Raises:
            InvalidValueError: names the path of the value that cannot be kept, as in ``config['optimizer']['fn']``, or
                the bound that the whole goes over (CFG.7, RUN.11, ART.10).
        """
        if not isinstance(config, Mapping):
            raise InvalidValueError(
                f"{field} is {shown(config)} of type {type(config).__name__}; give a mapping{how_to_keep(config, field)}"
            )
        values = _check_mapping(config, field, key_length=0, depth=0)
        if field != "config":
            return cls(_encode(values, field, MAX_DETAILS_BYTES), values)
        document = cls(encode_config(values), values)
        document.check_index()
        return document

    @property
    def values(self) -> dict[str, Any]:
        """The config itself, which nobody may change."""
        if self._values is None:
            self._values = decode_config(self.text)
        return self._values

    @property
    def leaves(self) -> list[ConfigLeaf]:
        """The leaves, for searching."""
        if self._leaves is None:
            self._leaves = list(flatten_config(self.values))
        return self._leaves

    def merged_over(self, stored: "ConfigDocument") -> "ConfigDocument":
        """The stored config with this one laid over it: mappings are merged, anything else takes the place (CFG.2).

        Raises:
            InvalidValueError: the whole would be larger than ``MAX_CONFIG_BYTES``, or the index over it than
                ``MAX_INDEX_BYTES``.
        """
        if stored.text == EMPTY_CONFIG:
            return self
        values = _merged(stored.values, self.values)
        merged = ConfigDocument(encode_config(values), values)
        merged.check_index()
        return merged

    @property
    def index_bytes(self) -> int:
        """How much the index over the config takes in the database that takes most for it."""
        return sum(map(_index_bytes, self.leaves))

    def check_index(self) -> None:
        """Refuses a config whose index would be larger than ``MAX_INDEX_BYTES``."""
        size = self.index_bytes
        if size > MAX_INDEX_BYTES:
            raise InvalidValueError(
                f"the run's config would take {size} bytes in the index by which it is searched, where each value stands "
                f"with all the keys above it; at most {MAX_INDEX_BYTES} are kept. Log large or deep tables as an artifact"
            )

    def __eq__(self, other: object) -> bool:
        """Whether both have the same text."""
        return isinstance(other, ConfigDocument) and self.text == other.text

    def __hash__(self) -> int:
        """By the text."""
        return hash(self.text)


EMPTY_CONFIG: Final = "{}"
"""The text of a config that was never logged."""


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        before = merged.get(key)
        merged[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def encode_config(config: Mapping[str, Any]) -> str:
    """ASCII JSON of a checked config.

    Raises:
        InvalidValueError: the text is larger than ``MAX_CONFIG_BYTES``.
    """
    return _encode(config, "the run's config", MAX_CONFIG_BYTES)


def _index_bytes(leaf: ConfigLeaf) -> int:
    head = leaf.text[:_HEAD_LENGTH]
    return _LEAF_BYTES + len(leaf.key.encode()) + len(leaf.text.encode()) + len(head.encode())


def _encode(config: Mapping[str, Any], what: str, limit: int) -> str:
    text = json.dumps(_tagged(config), separators=(",", ":"), allow_nan=False)
    if len(text) > limit:
        raise InvalidValueError(
            f"{what} would take {len(text)} bytes; at most {limit} are kept. Log large values as an artifact"
        )
    return text


def decode_config(text: str) -> dict[str, Any]:
    """The config that was encoded, equal and of the same types."""
    if f'{_TAG}"' not in text:
        return _DECODER.decode(text)
    decoded: dict[str, Any] = json.loads(text, object_hook=_untagged)
    return decoded


def flatten_config(config: Mapping[str, Any], prefix: str = "") -> Iterator[ConfigLeaf]:
    """The leaves of a checked config, for searching; lists and empty mappings are leaves."""
    for name, value in config.items():
        key = f"{prefix}{escape_key(name)}"
        if isinstance(value, Mapping) and value:
            yield from flatten_config(value, f"{key}.")
        else:
            yield _leaf(key, value)


def escape_key(key: str) -> str:
    """A key as one part of a flattened key."""
    return key.replace("\\", "\\\\").replace(".", "\\.")


def _check_mapping(config: Mapping[Any, Any], path: str, *, key_length: int, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise InvalidValueError(f"{shown(path)} is nested over {MAX_DEPTH} levels deep; flatten it")
    checked: dict[str, Any] = {}
    for key, value in config.items():
        where = f"{path}[{key!r}]"
        if not isinstance(key, str):
            raise InvalidValueError(f"{where} has a key of type {type(key).__name__}; keys are str")
        key = check_text(key, f"the key of {shown(where)}", max_length=None)  # noqa: PLW2901 - canonical from here on
        length = key_length + len(escape_key(key)) + (1 if depth else 0)
        if length > MAX_KEY_LENGTH:
            raise InvalidValueError(
                f"{shown(where)} has a key path of {length} characters; at most {MAX_KEY_LENGTH} can be searched"
            )
        checked[key] = _check_value(value, where, key_length=length, depth=depth + 1)
    return checked


def _check_value(value: Any, path: str, *, key_length: int, depth: int) -> Any:  # noqa: PLR0911 - one return a kind
    if value is None or type(value) in (bool, float):
        return value
    if type(value) is int:
        return _check_int(value, path)
    if isinstance(value, str):
        return check_text(value, path, max_length=None)
    if isinstance(value, Mapping):
        return _check_mapping(value, path, key_length=key_length, depth=depth)
    if isinstance(value, (list, tuple)):
        if depth > MAX_DEPTH:
            raise InvalidValueError(f"{shown(path)} is nested over {MAX_DEPTH} levels deep; flatten it")
        return [
            _check_value(item, f"{path}[{index}]", key_length=key_length, depth=depth + 1)
            for index, item in enumerate(value)
        ]
    if isinstance(value, int):  # IntEnum and other subclasses
        return _check_int(int(value), path)
    if isinstance(value, float):  # numpy.float64 and other subclasses
        return float(value)
    plain = _scalar(value)
    if plain is not None:
        return plain
    raise InvalidValueError(
        f"{path} is {shown(value)} of type {type(value).__name__}, which cannot be kept; "
        f"give None, bool, int, float, str, a list or a mapping{how_to_keep(value, 'it')}"
    )


def _check_int(value: int, path: str) -> int:
    if value.bit_length() > MAX_INT_BITS:
        raise InvalidValueError(f"{path} is an integer of {value.bit_length()} bits; at most {MAX_INT_BITS} are kept")
    return value


def _scalar(value: Any) -> bool | float | int | str | None:
    """The Python value of a numpy or torch scalar, or ``None``."""
    item = getattr(value, "item", None)
    if not callable(item) or getattr(value, "ndim", 0) != 0:
        return None
    try:
        plain = item()
    except Exception:  # noqa: BLE001 - a stranger's item() may raise anything; the caller then refuses the value
        return None
    return plain if type(plain) in (bool, int, float, str) else None


def _is_tag_like(mapping: Mapping[str, Any]) -> bool:
    if len(mapping) != 1:
        return False
    (key,) = mapping
    return key.endswith(_TAG) and not key.removesuffix(_TAG).strip("$")


def _tagged(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {_TAG: str(value)}
    if isinstance(value, Mapping):
        if _is_tag_like(value):
            return {f"${key}": _tagged(item) for key, item in value.items()}
        return {key: _tagged(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    return value


def _untagged(mapping: dict[str, Any]) -> Any:
    if not _is_tag_like(mapping):
        return mapping
    ((key, item),) = mapping.items()
    return _NON_FINITE[item] if key == _TAG else {key[1:]: item}


def _leaf(key: str, value: Any) -> ConfigLeaf:
    if isinstance(value, str):
        return ConfigLeaf(key, "str", None, value)
    if isinstance(value, bool):
        return ConfigLeaf(key, "bool", float(value), "true" if value else "false")
    if isinstance(value, (int, float)):
        text = repr(value)
        kind = "int" if isinstance(value, int) else "float"
        try:
            return ConfigLeaf(key, kind, float(value), text)
        except OverflowError:  # an int beyond float64 sorts and compares as what it is nearest to
            return ConfigLeaf(key, kind, math.inf if value > 0 else -math.inf, text)
    if value is None:
        return ConfigLeaf(key, "null", None, "null")
    kind = "list" if isinstance(value, list) else "mapping"
    return ConfigLeaf(key, kind, None, json.dumps(_tagged(value), separators=(",", ":")))
