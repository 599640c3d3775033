"""What a key of the configuration may hold, in words, as its type says it: for errors and for help."""

import sys

from msgspec import inspect

GREATEST = sys.float_info.max
"""The bound of a number that has no other: it keeps infinity out."""


def wanted(kind: type, key: str) -> str:
    """What may stand at a dotted key of this type, such as ``a whole number, at least 32 and at most 1,024``.

    Raises:
        KeyError: the type has no such key.
    """
    found: inspect.Type = inspect.type_info(kind)
    for part in key.split("."):
        fields = found.fields if isinstance(found, inspect.DataclassType) else ()
        found = {field.name: field.type for field in fields}[part]
    return _in_words(found)


def _in_words(kind: inspect.Type) -> str:  # noqa: PLR0911 - one for each kind
    match kind:
        case inspect.IntType():
            return f"a whole number, {_range(kind)}"
        case inspect.FloatType():
            return f"a number, {_range(kind)}"
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case inspect.UnionType(types=types):
            return ", or ".join(_in_words(one) for one in types)
        case inspect.NoneType():
            return "null"
        case inspect.DataclassType(fields=fields):
            return f"a mapping of {', '.join(field.name for field in fields)}"
    return "a text"


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    """Every number of the configuration has both bounds; so none is infinite, and NaN lies between none."""
    low = f"at least {kind.ge:,}" if kind.gt is None else f"above {kind.gt:,}"
    high = f"at most {kind.le:,}" if kind.lt is None else f"below {kind.lt:,}"
    return f"{low} and {'finite' if kind.le == GREATEST else high}"
