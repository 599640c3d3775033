"""What errors advise: how to make of a value something that a config can keep.

It is not done unasked, so that what is read back is what was given (CFG.1).
"""

import dataclasses
import os
from collections.abc import Callable, MappingView
from collections.abc import Set as AbstractSet
from datetime import date, time
from enum import Enum
from typing import Final


def how_to_keep(value: object, name: str) -> str:
    """The end of a sentence: an expression that converts the value, which the error calls ``name``."""
    for is_kind, advice in _ADVICE:
        if is_kind(value):
            return advice.format(name=name)
    return f", such as its text: str({name})"


def _is_a(*kinds: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kinds)


_ADVICE: Final[tuple[tuple[Callable[[object], bool], str], ...]] = (
    (_is_a(type), ", such as its name"),
    (dataclasses.is_dataclass, ": dataclasses.asdict({name})"),
    (lambda value: type(value).__name__ in {"Namespace", "SimpleNamespace"}, ": vars({name})"),
    (_is_a(AbstractSet, MappingView), ": sorted({name}) or list({name})"),
    (_is_a(os.PathLike), ": str({name})"),
    (_is_a(date, time), ": {name}.isoformat()"),
    (_is_a(Enum), ": {name}.value or {name}.name"),
    (lambda value: type(value).__module__.startswith("omegaconf"), ": OmegaConf.to_container({name})"),
    (lambda value: callable(getattr(value, "tolist", None)), ": {name}.tolist()"),
)
