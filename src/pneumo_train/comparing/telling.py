"""A comparison's table as a person reads it, as programs do, and as a picture."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from matplotlib.figure import Figure

from pneumo_train.comparing.plan import FEDERATION
from pneumo_train.comparing.table import PARTS, SCORES
from pneumo_train.showing.style import BLUE, GREY, ORANGE, entitle, new_figure, plain

_HEADS: Final = {
    "test": "On the test part, which no model has seen",
    "validation": "On the validation part, which has picked each model",
}
_LESS: Final = "federation_less_this"
_LEAST_P: Final = 0.0001


def as_json(table: Mapping[str, Any]) -> str:
    """The table as JSON text."""
    return json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_markdown(table: Mapping[str, Any]) -> str:
    """The table as Markdown, one for each part, and what is missing."""
    lines = [line for part in PARTS for line in _part(table, part)]
    if table["missing"]:
        waiting = "; ".join(f"{each['row']}, seed {each['seed']}" for each in table["missing"])
        lines += [f"Not trained yet: {waiting}.", ""]
    for each in table["refused"]:
        lines += [f"{each['row']}, seed {each['seed']}, cannot be trained: {each['refusal']}.", ""]
    return "\n".join(lines).strip() + "\n"


def columns_of(table: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Every row of every part, column by column: of each seed, and of the means, which have no seed."""
    columns: dict[str, list[Any]] = {}
    for part, row, seed, scores, less in _flat(table):
        values: dict[str, Any] = {"part": part, "row": row, "seed": seed}
        for name in SCORES:
            values |= {
                name: scores[name]["value"],
                f"{name}_low": scores[name]["low"],
                f"{name}_high": scores[name]["high"],
            }
        for name in ("difference", "low", "high", "p", "low_by_patient", "high_by_patient"):
            values[f"{_LESS}_{name}"] = (less or {}).get(name)
        for name, value in values.items():
            columns.setdefault(name, []).append(value)
    return columns


def picture_of(table: Mapping[str, Any]) -> Figure:
    """The AUROC of each row on each part: the mean of its seeds with the interval by patient, and each seed."""
    parts = [part for part in PARTS if table["parts"][part]["rows"]]
    longest = max((len(table["parts"][part]["rows"]) for part in parts), default=1)
    figure = new_figure(width=9, height=1.8 + 0.34 * longest)
    entitle(figure, f"{table['comparison']} · AUROC")
    panels = figure.subplots(1, max(1, len(parts)), sharey=True, squeeze=False)[0]
    for axes, part in zip(panels, parts, strict=False):
        plain(axes)
        rows = table["parts"][part]["rows"]
        for place, row in enumerate(rows):
            mean = row["mean"]["auroc"]
            if mean["value"] is None:
                continue
            colour = ORANGE if row["row"] == FEDERATION else BLUE
            axes.plot(
                [each["auroc"]["value"] for each in row["seeds"]], [place] * len(row["seeds"]), "|", ms=12, color=GREY
            )
            reach = (
                [[0.0], [0.0]]
                if mean["low"] is None
                else [[max(0.0, mean["value"] - mean["low"])], [max(0.0, mean["high"] - mean["value"])]]
            )
            axes.errorbar([mean["value"]], [place], xerr=reach, fmt="o", ms=6, capsize=3, color=colour)
        axes.set(title=part, xlabel="AUROC, 95 % by patient")
        axes.set_yticks(range(len(rows)), [row["row"] for row in rows], parse_math=False)
    if parts:
        panels[0].invert_yaxis()
    return figure


def _part(table: Mapping[str, Any], part: str) -> list[str]:
    told = table["parts"][part]
    if not told["rows"]:
        return []
    learnt: dict[str, list[int]] = {}
    for each in table["learns_from"]:
        learnt.setdefault(each["row"], []).append(each["images"])
    films = f"{told['images']:,} images of {told['patients']:,} patients, {told['positives']:,} with pneumonia"
    lines = [
        f"### {_HEADS[part]}",
        "",
        f"{films}; {_seeds(table)}, {table['epochs']} epochs each. Intervals of 95 % by patient.",
        "",
        "| trained by | images | AUROC | between seeds | sensitivity | specificity | balanced accuracy | the federation's AUROC less this | DeLong's p |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in told["rows"]:
        mean, less = row["mean"], row[_LESS] or {}
        few = (
            f" ({len(row['seeds'])} of {len(table['seeds'])} seeds)" if len(row["seeds"]) < len(table["seeds"]) else ""
        )
        cells = [
            f"{row['row']}{few}",
            _between(learnt.get(row["row"], [])),
            _spelled(mean["auroc"]),
            f"± {row['deviation']['auroc']:.4f}" if "auroc" in row["deviation"] else "–",
            *(_number(mean[name]["value"]) for name in ("sensitivity", "specificity", "balanced_accuracy")),
            _difference(less),
            _p(less.get("p")),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _flat(
    table: Mapping[str, Any],
) -> Iterable[tuple[str, str, int | None, Mapping[str, Any], Mapping[str, Any] | None]]:
    for part in PARTS:
        for row in table["parts"][part]["rows"]:
            for each in row["seeds"]:
                yield part, row["row"], each["seed"], each, each.get(_LESS)
            yield part, row["row"], None, row["mean"], row[_LESS]


def _seeds(table: Mapping[str, Any]) -> str:
    return f"seeds {', '.join(map(str, table['seeds']))}" if len(table["seeds"]) > 1 else f"seed {table['seeds'][0]}"


def _between(counts: list[int]) -> str:
    if not counts:
        return "–"
    return f"{counts[0]:,}" if len(set(counts)) == 1 else f"{min(counts):,}-{max(counts):,}"


def _spelled(score: Mapping[str, float | None]) -> str:
    if score["value"] is None:
        return "–"
    between = "" if score["low"] is None else f" ({score['low']:.4f}-{score['high']:.4f})"
    return f"{score['value']:.4f}{between}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _p(value: float | None) -> str:
    if value is None or math.isnan(value):  # DeLong's test may say nothing
        return "–"
    return f"{value:.4f}" if value >= _LEAST_P else f"< {_LEAST_P}"


def _difference(less: Mapping[str, Any]) -> str:
    if less.get("difference") is None:
        return "–"
    low, high = less["low_by_patient"], less["high_by_patient"]
    between = "" if low is None else f" ({low:+.4f} to {high:+.4f})"
    return f"{less['difference']:+.4f}{between}"
