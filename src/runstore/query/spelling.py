"""A field as a filter and an order write it: the way back from the parser."""

import re
from typing import Final, assert_never

from runstore.query.tree import ArtifactName, Attribute, ConfigKey, Field, Literal, Metric, Tag

_WHOLE: Final = 2.0**53
_PLAIN: Final = re.compile(r"[\w/@:%+-]+")
_PART: Final = re.compile(r"((?:[^\\.]|\\.)*)(?:\.|$)", re.DOTALL)


def spelt(field: Field) -> str:
    """The field's text, from which the parser makes it again; a part is quoted only where it must be."""
    match field:
        case Attribute(name):
            return name
        case ArtifactName():
            return "artifact"
        case Tag(key):
            return f"tag.{_part(key)}"
        case ConfigKey(key):
            return ".".join(("config", *map(_part, _parts(key))))
        case Metric(dataset_type, name, stat):
            text = f"metric.{dataset_type}.{_part(name)}"
            return text if stat == "last" else f"{text}.{stat}"
        case _:
            assert_never(field)


def spelt_literal(value: Literal) -> str:
    """A value's text as a filter writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(int(value)) if abs(value) < _WHOLE and value == int(value) else repr(value)


def _part(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else '"' + text.replace('"', '""') + '"'


def _parts(key: str) -> list[str]:
    """The keys that a flattened key joins (:func:`runstore.values.config.escape_key`)."""
    if "\\" not in key:  # of thousands, hardly one has
        return key.split(".")
    parts, start = [], 0
    while True:
        found = _PART.match(key, start)
        if found is None:
            message = f"{key!r} is no flattened key"
            raise ValueError(message)
        parts.append(re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL))
        if found.end() == found.end(1):
            return parts
        start = found.end()
