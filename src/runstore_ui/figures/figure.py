"""A figure: its picture, and its numbers."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from runstore_ui.figures.svg import element, text


class Figure(Struct, frozen=True, kw_only=True):
    """A figure.

    Attributes:
        title: what it shows.
        description: what is to be seen, for who cannot see it.
        svg: the picture, whole: it may stand in a page or in a file.
        width: of the picture, in pixels.
        heads: the heads of the table of its numbers.
        rows: that table, as texts.
        left_out: what the table has not, in words; empty where it has all.
    """

    title: str
    description: str
    svg: str
    width: float
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: str = ""


def make_figure(  # noqa: PLR0913 - the parts of one, keyword-only
    *,
    title: str,
    description: str,
    width: float,
    height: float,
    content: Iterable[str],
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    left_out: str = "",
    has_links: bool = False,
) -> Figure:
    """A figure of a size, with its title and its description in it."""
    svg = element(
        "svg",
        [element("title", text(title)), element("desc", text(description)), *content],
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        # What holds links is no picture to a screen reader: it would hide them.
        role="group" if has_links else "img",
        aria_label=f"{title}. {description}",
        font_family="system-ui, -apple-system, 'Segoe UI', sans-serif",
        font_size=12,
        fill="currentColor",
    )
    return Figure(
        title=title,
        description=description,
        svg=svg,
        width=width,
        heads=tuple(heads),
        rows=tuple(map(tuple, rows)),
        left_out=left_out,
    )
