"""Sheets of films with what was said of each: the worst failures, the most and the least certain, an overlay of a map."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pneumo_train.evaluating.figures import Evaluated
from pneumo_train.images.film import GreyArray
from pneumo_train.showing.style import GREY, entitle, new_figure

RGBArray = NDArray[np.uint8]
_PER_ROW = 4
_CELL = 1.95
_CAPTION_LENGTH = 26
_HEAT = 0.45


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One film of a sheet.

    Attributes:
        film: uint8, (size, size) or (size, size, 3).
        caption: what stands below it, a line or two.
    """

    film: NDArray[np.uint8]
    caption: str


def worst(evaluated: Evaluated, *, threshold: float, most: int = 8) -> tuple[list[int], list[int]]:
    """The indexes of the false positives, the most probable first, and of the false negatives, the least probable first."""
    said = evaluated.probabilities >= threshold
    false_positives = np.flatnonzero(said & (evaluated.targets == 0))
    false_negatives = np.flatnonzero(~said & (evaluated.targets == 1))
    falling = false_positives[np.argsort(-evaluated.probabilities[false_positives], kind="stable")]
    rising = false_negatives[np.argsort(evaluated.probabilities[false_negatives], kind="stable")]
    return falling[:most].tolist(), rising[:most].tolist()


def certain(evaluated: Evaluated, *, threshold: float, most: int = 4) -> tuple[list[int], list[int], list[int]]:
    """The indexes of the most certain positives, of the most certain negatives, and of those nearest to the threshold."""
    order = np.argsort(evaluated.probabilities, kind="stable")
    said = evaluated.probabilities[order] >= threshold
    nearest = np.argsort(np.abs(evaluated.probabilities - threshold), kind="stable")
    return order[said][::-1][:most].tolist(), order[~said][:most].tolist(), nearest[:most].tolist()


def caption(evaluated: Evaluated, index: int) -> str:
    """``0.973 · film-12``; the name cut in its middle where it is long."""
    return f"{evaluated.probabilities[index]:.3f} · {shortened(evaluated.ids[index])}"


def shortened(name: str) -> str:
    """A name cut in its middle, so that its ending is still seen."""
    if len(name) <= _CAPTION_LENGTH - 8:
        return name
    half = (_CAPTION_LENGTH - 9) // 2
    return f"{name[:half]}…{name[-half:]}"


def overlay(film: GreyArray, cam: NDArray[np.float32]) -> RGBArray:
    """A film with a map of 0 to 1 over it, uint8 (size, size, 3): yellow where it was most, the film itself where it was not."""
    grey = np.repeat(film[..., None].astype(np.float32) / 255, 3, axis=2)
    heat = colormaps["inferno"](cam)[..., :3].astype(np.float32)
    weight = (_HEAT * np.sqrt(cam))[..., None]
    mixed: RGBArray = (255 * ((1 - weight) * grey + weight * heat)).round().clip(0, 255).astype(np.uint8)
    return mixed


def draw_sheet(title: str, rows: Sequence[tuple[str, Sequence[Shown]]]) -> Figure:
    """Films in rows of four, each group under its own heading; a group without films says so."""
    blocks = [(heading, films, max(1, -(-len(films) // _PER_ROW))) for heading, films in rows]
    lines = sum(block[2] for block in blocks)
    figure = new_figure(width=_PER_ROW * _CELL, height=lines * (_CELL + 0.3) + 0.35 * len(blocks) + 0.4)
    entitle(figure, title)
    ratios = [block[2] + 0.15 for block in blocks]
    parts = figure.subfigures(len(blocks), 1, height_ratios=ratios, squeeze=False)
    for part, (heading, films, count) in zip(parts.ravel(), blocks, strict=True):
        part.suptitle(heading, fontsize=10, x=0.01, ha="left", parse_math=False)
        cells = np.atleast_1d(part.subplots(count, _PER_ROW)).ravel()
        for axes in cells:
            axes.set_axis_off()
        if not films:
            cells[0].text(0, 0.5, "none", color=GREY)
        for axes, shown in zip(cells, films, strict=False):
            axes.imshow(shown.film, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
            axes.set_title(shown.caption, fontsize=8, y=-0.16, parse_math=False)
    return figure
