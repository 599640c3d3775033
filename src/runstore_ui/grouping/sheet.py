"""The table of groups side by side: what their metrics came to, and what their settings are."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from runstore.model import SeriesSummary
from runstore.secrets import redact
from runstore.texts import best_of, leading_series
from runstore_ui.comparing import MOST_SETTINGS, SettingLine
from runstore_ui.grouping.groups import NO_VALUE
from runstore_ui.means import mean_and_spread
from runstore_ui.state import RunGroup
from runstore_ui.table import number_texts

_MOST_METRICS: Final = 200
_MOST_VALUES: Final = 5
_DECIMALS: Final = 4
_WORDS: Final = {"min": "best", "max": "best", "last": "last"}


class GroupCell(Struct, frozen=True, kw_only=True):
    """What a group came to in a metric.

    Attributes:
        mean: of the runs' values; empty where no run of the group has one.
        spread: the standard deviation of the sample; empty for one run, of which there is none.
        count: of how many runs.
        is_best: whether no other mean is better.
    """

    mean: str = ""
    spread: str = ""
    count: int = 0
    is_best: bool = False


class GroupMetricLine(Struct, frozen=True, kw_only=True):
    """A metric of all groups; ``below`` says of which data, and which value of it."""

    name: str
    below: str
    cells: Sequence[GroupCell]


def group_metric_lines(
    groups: Sequence[RunGroup], summaries: Mapping[str, Sequence[SeriesSummary]]
) -> list[GroupMetricLine]:
    """A line for each series that one of the runs has, results first."""
    by_run = {
        run_id: {(each.name, str(each.dataset_type)): each for each in series} for run_id, series in summaries.items()
    }
    keys = leading_series(by_run.values(), limit=_MOST_METRICS)
    return [
        _metric(key, [[by_run.get(run_id, {}).get(key) for run_id in each.runs] for each in groups]) for key in keys
    ]


def _metric(key: tuple[str, str], found: Sequence[Sequence[SeriesSummary | None]]) -> GroupMetricLine:
    name, kind = key
    stat = best_of(name)
    values = [[value for each in series if (value := _value(each, stat)) is not None] for series in found]
    told = [mean_and_spread(each) if each else None for each in values]
    known = [each[0] for each in told if each is not None]
    write = number_texts(known, least=_DECIMALS)
    is_told_apart = stat != "last" and len(set(known)) > 1
    best = {"min": min, "max": max}[stat](known) if is_told_apart else None
    cells = [
        GroupCell()
        if each is None
        else GroupCell(
            mean=write(each[0]),
            spread="" if each[1] is None else f"{each[1]:.2g}",
            count=len(series),
            is_best=each[0] == best,
        )
        for each, series in zip(told, values, strict=True)
    ]
    return GroupMetricLine(name=name, below=f"{kind}, {_WORDS[stat]}", cells=cells)


def _value(summary: SeriesSummary | None, stat: str) -> float | None:
    """What is not finite has no part in a mean: the count says so."""
    point = None if summary is None else getattr(summary, stat)
    return None if point is None or not math.isfinite(point.value) else float(point.value)


def group_setting_lines(
    groups: Sequence[RunGroup], texts: Mapping[str, Mapping[str, str]]
) -> tuple[list[SettingLine], int]:
    """A line for each setting that differs between runs, those by which groups differ first; and how many are left out."""
    keys = dict.fromkeys(key for each in texts.values() for key in each)
    differing = []
    for key in keys:
        if len({each.get(key) for each in texts.values()}) == 1:
            continue
        by_group = [frozenset(texts[run_id].get(key) for run_id in each.runs) for each in groups]
        differing.append((len(set(by_group)) == 1, len(frozenset[str | None]().union(*by_group)), key))
    if len(differing) > MOST_SETTINGS:
        differing.sort(key=lambda each: each[:2])
    else:
        differing.sort(key=lambda each: each[0])
    lines = [
        SettingLine(
            key=key,
            differs=not is_alike,
            texts=[_values([texts[run_id].get(key) for run_id in each.runs]) for each in groups],
        )
        for is_alike, _, key in differing[:MOST_SETTINGS]
    ]
    return lines, len(differing) - len(lines)


def _values(texts: Sequence[str | None]) -> str | None:
    """The values of a group's runs, each once."""
    found = list(dict.fromkeys(NO_VALUE if text is None else redact(text) for text in texts))
    if found == [NO_VALUE]:
        return None
    more = len(found) - _MOST_VALUES
    return ", ".join(found[:_MOST_VALUES]) + (f" and {more} more" if more > 0 else "")
