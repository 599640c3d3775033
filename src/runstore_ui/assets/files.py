"""The files that a page brings. Only those that lie here can be asked for: a name is looked up, never opened."""

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from msgspec import Struct

_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_DIGITS: Final = 12


class Asset(Struct, frozen=True, kw_only=True):
    """A file that a page brings.

    Attributes:
        kind: its media type.
        digest: the beginning of its SHA-256, which stands in its address: a browser may keep it for good.
    """

    name: str
    kind: str
    digest: str
    content: bytes


def find_asset(name: str) -> Asset | None:
    """The file of this name; ``None`` where there is none."""
    return _all().get(name)


def address_of(name: str) -> str:
    """The relative address of a file: ``assets/page.css?v=…``."""
    return f"assets/{name}?v={_all()[name].digest}"


@cache
def _all() -> dict[str, Asset]:
    here = files("runstore_ui") / "assets"
    return {each.name: _read(each) for folder in (here, here / "vendor") for each in folder.iterdir() if _kind(each)}


def _kind(file: Traversable) -> str | None:
    return _TYPES.get(f".{file.name.rpartition('.')[2]}")


def _read(file: Traversable) -> Asset:
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:_DIGITS]
    return Asset(name=file.name, kind=_kind(file) or "", digest=digest, content=content)
