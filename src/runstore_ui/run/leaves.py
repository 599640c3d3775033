"""Settings and provenance as a tree: what is nested is shown below its key."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from runstore.secrets import redact
from runstore.values import flatten_config


class Branch(Struct, frozen=True, kw_only=True):
    """The values below one key.

    Attributes:
        name: the key; empty for values that lie below none.
        values: keys, as far as they are not the branch's own, and texts.
    """

    name: str
    values: Sequence[tuple[str, str]]


def branches_of(config: Mapping[str, Any], wanted: str = "") -> list[Branch]:
    """The values of a config by their first key, as they come; those below none first.

    Args:
        config: what is nested.
        wanted: only values whose whole key or whose text has this in it, whatever its case.
    """
    wanted = wanted.strip().lower()
    found = []
    for branch in _all_branches(config):
        start = f"{branch.name}." if branch.name else ""
        values = [(key, text) for key, text in branch.values if wanted in f"{start}{key}\n{text}".lower()]
        if values:
            found.append(Branch(name=branch.name, values=values))
    return found


def _all_branches(config: Mapping[str, Any]) -> list[Branch]:
    plain: list[tuple[str, str]] = []
    nested = []
    for name, value in config.items():
        values = [(leaf.key, redact(leaf.text)) for leaf in flatten_config({name: value})]
        if isinstance(value, Mapping) and value:
            nested.append(Branch(name=name, values=[(key.removeprefix(f"{name}."), text) for key, text in values]))
        else:
            plain += values
    return [Branch(name="", values=plain), *nested]
