"""Runs side by side: settings that differ, and what their metrics came to, with the difference to one of them."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from runstore.model import SeriesSummary
from runstore.secrets import redact
from runstore.texts import best_of, leading_series
from runstore_ui.table.numbers import number_texts

MOST_SETTINGS: Final = 100
"""So many lines one reads; the others are found by their names."""

_MOST_METRICS: Final = 200
_DECIMALS: Final = 4
"""Of two numbers side by side one wants to see more than that they differ."""
_WORDS: Final = {"min": "best", "max": "best", "last": "last"}


class Compared(Struct, frozen=True, kw_only=True):
    """What a run came to in a metric.

    Attributes:
        text: empty where the run has no such metric.
        difference: to the baseline, with its sign.
        verdict: ``"better"``, ``"worse"`` or nothing, where it is known what is better.
    """

    text: str = ""
    difference: str = ""
    verdict: str = ""
    is_best: bool = False


class MetricLine(Struct, frozen=True, kw_only=True):
    """A metric of all runs; ``below`` says of which data, and which value of it."""

    name: str
    below: str
    cells: Sequence[Compared]


class SettingLine(Struct, frozen=True, kw_only=True):
    """A setting of all runs; ``None`` where a run has none of it."""

    key: str
    differs: bool
    texts: Sequence[str | None]


def metric_lines(summaries: Sequence[Sequence[SeriesSummary]], baseline: int) -> list[MetricLine]:
    """A line for each series that one of the runs has, results first.

    Args:
        summaries: of each run.
        baseline: the index of the run that the others are compared with.
    """
    by_series = [{(each.name, str(each.dataset_type)): each for each in series} for series in summaries]
    return [_metric(key, by_series, baseline) for key in leading_series(by_series, limit=_MOST_METRICS)]


class ComparedSettings(Struct, frozen=True, kw_only=True):
    """Settings side by side.

    Attributes:
        lines: those that differ first.
        equal: how many are the same in all runs.
        left_out: how many more there are that are asked for and have no line.
        total: how many there are of any kind.
    """

    lines: Sequence[SettingLine]
    equal: int
    left_out: int
    total: int


def compare_settings(
    texts: Sequence[Mapping[str, str]], *, wanted: str = "", shows_equal: bool = False, most: int = MOST_SETTINGS
) -> ComparedSettings:
    """A line for each setting that differs, as they come; of very many those first that have the fewest values.

    Args:
        texts: the settings of each run, by their keys.
        wanted: a part of the name that is looked for.
        shows_equal: whether settings that are the same in all runs have lines as well.
        most: so many have a line.
    """
    keys = list(dict.fromkeys(key for each in texts for key in each))
    values = {key: len({each.get(key) for each in texts}) for key in keys}
    found = [key for key in keys if wanted.lower() in key.lower() and (shows_equal or values[key] > 1)]
    if len(found) > most:  # what is another in each run, as a path, tells least
        found.sort(key=lambda key: (values[key] == 1, values[key]))
    else:
        found.sort(key=lambda key: values[key] == 1)
    lines = [
        SettingLine(key=key, differs=values[key] > 1, texts=[hidden(each.get(key)) for each in texts])
        for key in found[:most]
    ]
    equal = sum(1 for count in values.values() if count == 1)
    return ComparedSettings(lines=lines, equal=equal, left_out=max(0, len(found) - most), total=len(keys))


def hidden(text: str | None) -> str | None:
    """A value without what is secret in it."""
    return text and redact(text)


def _metric(
    key: tuple[str, str], by_series: Sequence[Mapping[tuple[str, str], SeriesSummary]], baseline: int
) -> MetricLine:
    name, dataset_type = key
    stat = best_of(name)
    values = [_value(each.get(key), stat) for each in by_series]
    finite = [value for value in values if value is not None and math.isfinite(value)]
    write = number_texts(finite, least=_DECIMALS)
    is_told_apart = stat != "last" and len(set(finite)) > 1
    best = {"min": min, "max": max}[stat](finite) if is_told_apart else None
    base = values[baseline]
    cells = [
        Compared()
        if value is None
        else Compared(
            text=write(value),
            is_best=value == best,
            difference="" if index == baseline else _difference(value, base),
            verdict="" if index == baseline else _verdict(value, base, stat),
        )
        for index, value in enumerate(values)
    ]
    return MetricLine(name=name, below=f"{dataset_type}, {_WORDS[stat]}", cells=cells)


def _value(summary: SeriesSummary | None, stat: str) -> float | None:
    point = None if summary is None else getattr(summary, stat)
    return None if point is None else float(point.value)


def _difference(value: float, base: float | None) -> str:
    if base is None or not math.isfinite(value) or not math.isfinite(base) or value == base:
        return ""
    return f"{value - base:+.3g}"


def _verdict(value: float, base: float | None, stat: str) -> str:
    if base is None or stat == "last" or not _difference(value, base):
        return ""
    return "better" if (value > base) == (stat == "max") else "worse"
