"""A field as the filter language writes it: what the parser reads back as the same field."""

import re
from collections.abc import Iterable
from typing import Final

from runstore.query.tree import Attribute, ConfigKey, Field, Metric, Tag

_PLAIN: Final = re.compile(r"[\w/@:%+-]+")


def written(field: Field) -> str:
    """The text of a field; a metric's statistic is written out."""
    match field:
        case Attribute(name):
            return name
        case Tag(key):
            return _joined("tag", [key])
        case ConfigKey(key):
            return _joined("config", split_key(key))
        case Metric(dataset_type, name, stat):
            return _joined("metric", [dataset_type, name, stat])
        case _:
            return "artifact"


def split_key(flattened: str) -> list[str]:
    """The keys that a flattened key of a config is made of (:func:`runstore.values.config.escape_key`)."""
    keys, characters = [""], iter(flattened)
    for character in characters:
        if character == ".":
            keys.append("")
        else:
            keys[-1] += next(characters, "") if character == "\\" else character
    return keys


def _joined(head: str, parts: Iterable[str]) -> str:
    return ".".join(
        (head, *(part if _PLAIN.fullmatch(part) else '"' + part.replace('"', '""') + '"' for part in parts))
    )
