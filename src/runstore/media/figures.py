"""A figure as a file: of matplotlib as PNG, SVG or PDF; of plotly as a page that stands alone, or as JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from runstore.media.files import Media, new_media, wrong_kind

_DRAWN: Final = (".png", ".svg", ".pdf", ".jpg", ".jpeg")
_LIVE: Final = (".html", ".json")


def figure(
    name: str,
    figure: Any,
    *,
    step: int | None = None,
    dpi: float | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Media:
    """A figure that is to be kept. It stays the caller's and is not closed.

    Args:
        name: its name; an ending (``.png``, ``.svg``, ``.pdf``, ``.jpg`` of matplotlib, ``.html``, ``.json`` of plotly)
            says what file it becomes.
        figure: of matplotlib: a figure, axes, or ``matplotlib.pyplot`` itself for the current one; whatever else has a
            ``savefig``, as seaborn's grids do; or a figure of plotly. By default the first becomes PNG. One of plotly
            becomes a page of some 5 MB that needs no network, and at a step JSON, which is small.
        step: the step, for one of a series.
        dpi: dots per inch; the figure's own by default.
        metadata: more to keep with it.

    Raises:
        InvalidValueError: this is no figure, or the name or step is not allowed.
    """
    drawn = _drawn(figure)
    if drawn is not None:
        options = {} if dpi is None else {"dpi": dpi}

        def draw(path: Path) -> dict[str, Any]:
            drawn.savefig(path, **options)
            return {"library": "matplotlib"}

        return new_media("figure", name, step=step, suffixes=_DRAWN, write=draw, metadata=metadata)
    if not (hasattr(figure, "write_html") and hasattr(figure, "to_json")) or isinstance(figure, type):
        raise wrong_kind("figure", figure, "a figure of matplotlib or plotly")

    def write(path: Path) -> dict[str, Any]:
        if path.suffix == ".json":
            path.write_text(figure.to_json(), encoding="utf-8")
        else:
            figure.write_html(path, include_plotlyjs=True)
        return {"library": "plotly"}

    suffixes = _LIVE if step is None else _LIVE[::-1]
    return new_media("figure", name, step=step, suffixes=suffixes, write=write, metadata=metadata)


def _drawn(figure: Any) -> Any:
    """What has a ``savefig`` of its own; ``None`` where nothing has."""
    if isinstance(figure, type):
        return None
    if callable(getattr(figure, "gcf", None)):  # matplotlib.pyplot
        return figure.gcf()
    if callable(getattr(figure, "savefig", None)):
        return figure
    owner = getattr(figure, "figure", None)  # axes
    return owner if callable(getattr(owner, "savefig", None)) else None
