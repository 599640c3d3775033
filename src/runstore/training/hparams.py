"""Settings of any kind as a config that every store keeps; nothing raises, nothing is dropped.

What a config can hold is kept typed: numbers (numpy's and torch's too), texts, ``None``, lists and mappings. Mappings
of other kinds, namespaces, dataclasses, OmegaConf nodes, models of pydantic, classes of attrs and structs of msgspec become
mappings, sets and tuples lists, paths and enum
members their text or value, small arrays and tensors lists. Anything else is kept as text in angle brackets that tells
its type, such as ``<function torch.nn.functional.relu>`` or ``<object app.Augment: Augment(p=0.5)>``. Texts hold no
memory addresses, so the same program gives the same config.
"""

import dataclasses
import enum
import functools
import inspect
import os
import re
import sys
from argparse import Namespace
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from runstore.errors import InvalidValueError
from runstore.secrets import is_secret_option
from runstore.values.config import ConfigDocument

_DEEPEST = 50
_MOST_ELEMENTS = 1000
_SHORTEST_SECRET = 4
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def config_of(params: object) -> dict[str, Any]:
    """The config of settings of any kind; ``{}`` for ``None``."""
    if params is None:
        return {}
    converted = _Conversion().value_of(params)
    config = converted if isinstance(converted, dict) else {"hparams": converted}
    return {key: _kept(key, value) for key, value in config.items()}


def _kept(key: str, value: Any) -> Any:
    """The value as it is if the store's rules allow it (a key's length, a config's size), else a text that says why."""
    try:
        ConfigDocument.checked({key: value})
    except InvalidValueError as error:
        return f"<not kept: {error}>"
    return value


class _Conversion:
    """One pass over one structure; remembers where it is, so that a loop ends."""

    def __init__(self) -> None:
        self._open: set[int] = set()

    def value_of(self, value: object) -> Any:
        """The value in the terms of a config."""
        if value is None or type(value) in (bool, int, float):
            return value
        simple = _simple(value)
        if simple is not None:
            return simple
        if id(value) in self._open or len(self._open) >= _DEEPEST:
            return f"<loop or too deep: {_type_name(value)}>"
        self._open.add(id(value))
        try:
            return self._inner(value)
        except Exception as error:  # noqa: BLE001 - a user's object may do anything when looked at
            return f"<unreadable {_type_name(value)}: {type(error).__name__}>"
        finally:
            self._open.discard(id(value))

    def _inner(self, value: Any) -> Any:
        mapping = _mapping_of(value)
        if mapping is not None:
            return self._mapping(mapping)
        if isinstance(value, (set, frozenset)):
            return sorted((self.value_of(item) for item in value), key=repr)
        if isinstance(value, (list, tuple)) or type(value).__name__ == "ListConfig":
            return [self.value_of(item) for item in _plain(value)]
        if _is_array(value):
            return self._array(value)
        return _text_of(value)

    def _mapping(self, mapping: Mapping[Any, Any]) -> dict[str, Any]:
        """Keys become text; two keys of one text (``1`` and ``"1"``) are told apart by the later one's repr."""
        converted: dict[str, Any] = {}
        for key, item in mapping.items():
            name = _clean(key) if isinstance(key, str) else _clean(str(self.value_of(key)))
            converted[name if name not in converted else _clean(f"{key!r}")] = self.value_of(item)
        return converted

    def _array(self, value: Any) -> Any:
        count = 1
        for length in value.shape:
            count *= int(length)
        if count > _MOST_ELEMENTS:
            return f"<{_type_name(value)} of shape {tuple(value.shape)} and type {value.dtype}>"
        return self.value_of(value.tolist())


def _mapping_of(value: Any) -> Mapping[Any, Any] | None:
    """What has named parts, as a mapping; ``None`` for anything else."""
    if isinstance(value, Namespace):
        return vars(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        mapping: Mapping[Any, Any] = _plain(value)
        return mapping
    fields = _fields_of(type(value))
    return None if fields is None or isinstance(value, type) else {name: getattr(value, name) for name in fields}


def _fields_of(kind: type) -> list[str] | None:
    """The names of the fields of a model of pydantic, a class of attrs or a struct of msgspec; no library is imported.

    Secrets that pydantic hides stay hidden.
    """
    for told in ("model_fields", "__struct_fields__"):
        fields = getattr(kind, told, None)
        if isinstance(fields, (Mapping, tuple)) and all(isinstance(name, str) for name in fields):
            return list(fields)
    attributes = getattr(kind, "__attrs_attrs__", None)
    return None if attributes is None else [each.name for each in attributes]


def _is_array(value: object) -> bool:
    """Whether it is a numpy or torch array or scalar, known by its face: neither library is imported for this."""
    return all(hasattr(value, part) for part in ("shape", "dtype", "tolist")) and not isinstance(value, type)


def _plain(container: Any) -> Any:
    """An OmegaConf node with its interpolations resolved, so that they can be searched; anything else as it is.

    What cannot be resolved, is missing, or comes from an environment variable whose name tells of a secret stays as it
    is written: ``${oc.env:HF_TOKEN}``.
    """
    if type(container).__module__.partition(".")[0] != "omegaconf":
        return container
    raw = sys.modules["omegaconf"].OmegaConf.to_container(container, resolve=False)
    if isinstance(raw, dict):
        return {key: _resolved(container, key, written) for key, written in raw.items()}
    return [_resolved(container, index, written) for index, written in enumerate(raw)]


def _resolved(container: Any, key: Any, written: object) -> Any:
    try:
        value = container[key]
    except Exception:  # noqa: BLE001 - a missing value, a loop, or a stranger's resolver
        return written
    is_reference = isinstance(written, str) and "${" in written
    return written if is_reference and isinstance(value, str) and _shows_a_secret(value) else value


def _shows_a_secret(text: str) -> bool:
    """Whether a text holds the value of an environment variable whose name tells of a secret."""
    return any(
        len(value) >= _SHORTEST_SECRET and value in text and is_secret_option(name)
        for name, value in os.environ.items()
    )


def _text_of(value: object) -> str:
    if isinstance(value, type):
        return f"<class {value.__module__}.{value.__qualname__}>"
    if inspect.isroutine(value):
        owner = getattr(value, "__module__", None) or "builtins"
        return f"<function {owner}.{getattr(value, '__qualname__', repr(value))}>"
    if isinstance(value, functools.partial):
        return f"<partial of {_text_of(value.func)}: args={value.args!r}, kwargs={value.keywords!r}>"
    return _clean(_ADDRESS.sub("", f"<object {_type_name(value)}: {value!r}>"))


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _clean(text: str) -> str:
    """A text that every store takes: NUL and lone surrogates are shown by their escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def _simple(value: Any) -> bool | int | float | str | None:  # noqa: PLR0911 - one for each kind
    """What has no parts, as a number or a text; ``None`` for anything else."""
    match value:
        case str():
            return _clean(value)
        case enum.Enum():
            own = value.value
            return own if type(own) in (bool, int, float, str) else f"{type(value).__qualname__}.{value.name}"
        case int():
            return int(value)
        case float():
            return float(value)
        case os.PathLike():
            return _clean(os.fsdecode(value))
        case date():
            return value.isoformat()
        case timedelta():
            return str(value)
    is_of_torch = type(value).__module__ == "torch" and type(value).__name__ in {"device", "dtype"}
    return str(value) if is_of_torch else None
