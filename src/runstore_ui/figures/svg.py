"""Elements of SVG as text. Whatever comes from strangers is escaped here, and nowhere else."""

import re
from collections.abc import Iterable
from html import escape
from typing import Final

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold at all, not even escaped."""


def element(name: str, content: str | Iterable[str] = "", /, **attributes: str | float | None) -> str:
    """An element. ``content`` is SVG already; an attribute that is ``None`` is left out, and ``_`` in a name means ``-``."""
    inner = content if isinstance(content, str) else "".join(content)
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(number(value) if isinstance(value, (int, float)) else value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{pairs}>{inner}</{name}>" if inner else f"<{name}{pairs}/>"


def text(value: str) -> str:
    """A text as it may stand in an element or an attribute."""
    return escape(_FORBIDDEN.sub("\ufffd", value))


def number(value: float) -> str:
    """A coordinate: hundredths of a pixel, the same on every machine."""
    found = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if found in {"-0", ""} else found


def points(pairs: Iterable[tuple[float, float]]) -> str:
    """Coordinates of a line."""
    return " ".join(f"{number(x)},{number(y)}" for x, y in pairs)


def short(value: str, *, most: int = 28) -> str:
    """A name that fits: its middle is left out. The whole stands in the table beside the figure."""
    half = (most - 1) // 2
    return value if len(value) <= most else f"{value[:half]}…{value[-half:]}"
