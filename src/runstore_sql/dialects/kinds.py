"""Which dialects there are, found without importing a driver."""

import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module

from runstore_sql import dialects


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a dialect's folder opens.

    Attributes:
        name: of the folder.
        schemes: URL schemes, lower case; by the first, SQLAlchemy knows the dialect.
        modules: drivers that must be importable.
        install: what ``pip install`` must be given when one of them is missing.
    """

    name: str
    schemes: tuple[str, ...]
    modules: tuple[str, ...] = ()
    install: str


def kinds() -> Iterable[Kind]:
    """One for each folder."""
    for found in pkgutil.iter_modules(dialects.__path__):
        if found.ispkg:
            kind: Kind = import_module(f"{dialects.__name__}.{found.name}").KIND
            yield kind
