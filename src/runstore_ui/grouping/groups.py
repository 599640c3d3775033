"""Which runs belong together.

By some settings, runs with the same values of them are a group. Over some settings, as the seed, runs are one that have the same
values of all others. A run that lacks a setting has "no value" of it and stands apart: it is no run of another group.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from runstore.errors import QueryError
from runstore.query import ConfigKey, parse_field, spelt
from runstore.secrets import redact
from runstore.texts import words_of
from runstore_ui.figures import short
from runstore_ui.state import RunGroup

SEED: Final = "seed"
"""Stands for each setting that is called so, as ``seed``, ``data.random_seed`` or ``seed_everything``."""

NO_VALUE: Final = "no value"
_MOST_KEYS: Final = 3
_LONGEST_VALUE: Final = 24


class Grouping(Struct, frozen=True, kw_only=True):
    """Runs in groups.

    Attributes:
        groups: by their values, numbers first and ascending; what has no value is last.
        by: the settings by which they were made; in each group all runs have the same value of them.
        over: the settings that may differ within a group.
        remarks: what was asked for and is not there.
    """

    groups: tuple[RunGroup, ...]
    by: tuple[str, ...]
    over: tuple[str, ...]
    remarks: tuple[str, ...]


def group_runs(texts: Mapping[str, Mapping[str, str]], by: Sequence[str], over: Sequence[str]) -> Grouping:
    """The groups.

    Args:
        texts: by run id, in the order of the runs, its settings by their keys.
        by: fields of settings, ``config.lr``; all runs with the same values of them are a group.
        over: where ``by`` is empty: fields of settings, or ``seed``; all runs that have the same values of all others are one.
    """
    known = dict.fromkeys(key for each in texts.values() for key in each)
    wanted, remarks = _keys(by or over, list(known))
    if by:
        told, inner = wanted, []
    else:
        inner = wanted
        told = [key for key in known if key not in inner and len({each.get(key) for each in texts.values()}) > 1]
    found: dict[tuple[Any, ...], list[str]] = {}
    for run_id, each in texts.items():
        # A run without a seed is not one of those that differ by it.
        found.setdefault((*(each.get(key) for key in told), *(key in each for key in inner)), []).append(run_id)

    def rank(values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        numbers = [(value is None, *_number(value), value or "") for value in values[: len(told)]]
        return [*numbers, *((not has,) for has in values[len(told) :])]

    ordered = sorted(found, key=rank)
    labels = _labels(ordered, told, inner)
    groups = [RunGroup(label=label, runs=tuple(found[key])) for label, key in zip(labels, ordered, strict=True)]
    return Grouping(groups=tuple(groups), by=tuple(told), over=tuple(inner), remarks=tuple(remarks))


def _keys(fields: Sequence[str], known: Sequence[str]) -> tuple[list[str], list[str]]:
    """The keys of settings, and what is wrong with those that none of the runs has."""
    keys: dict[str, None] = {}
    wrong = []
    for text in fields:
        if text == SEED:
            seeds = [key for key in known if _is_seed(key)]
            keys.update(dict.fromkeys(seeds))
            if not seeds:
                wrong.append(
                    "None of these runs has a setting that is called seed: runs of a group have the same settings."
                )
            continue
        try:
            field = parse_field(text, "what runs are grouped by")
        except QueryError as error:
            wrong.append(str(error))
            continue
        if not isinstance(field, ConfigKey):
            wrong.append(f"runs are grouped by settings, and {text} is none; write config.NAME")
        elif field.key not in known:
            wrong.append(f"None of these runs has the setting {spelt(field)}.")
            keys[field.key] = None
        else:
            keys[field.key] = None
    return list(keys), wrong


def _is_seed(key: str) -> bool:
    return SEED in words_of(key.rpartition(".")[2])


def _number(text: str | None) -> tuple[bool, float]:
    """Whether a value is none that one counts with, and the number, by which it stands among others."""
    try:
        return False, float(text or "")
    except ValueError:
        return True, 0.0


def _labels(ordered: Sequence[tuple[Any, ...]], told: Sequence[str], inner: Sequence[str]) -> list[str]:
    """A name for each group: the values that tell it from the others. None is there twice."""
    differing = [place for place in range(len(told)) if len({values[place] for values in ordered}) > 1]
    shown = differing[:_MOST_KEYS] or list(range(len(told)))[:_MOST_KEYS]
    names = short_keys(told)
    labels = []
    for values in ordered:
        parts = [f"{names[place]} {_told(values[place])}" for place in shown]
        lacking = [key for key, has in zip(inner, values[len(told) :], strict=True) if not has]
        parts += [f"{name} {NO_VALUE}" for name in short_keys(lacking)]
        labels.append(", ".join(parts) or "all runs")
    counts, seen = Counter(labels), Counter[str]()
    for place, label in enumerate(labels):
        seen[label] += 1
        if counts[label] > 1:
            labels[place] = f"{label} ({seen[label]})"
    return labels


def _told(value: str | None) -> str:
    return NO_VALUE if value is None else short(redact(value), most=_LONGEST_VALUE)


def short_keys(keys: Sequence[str]) -> list[str]:
    """The last part of each key, or the whole where another ends alike."""
    ends = Counter(key.rpartition(".")[2] for key in keys)
    return [key.rpartition(".")[2] if ends[key.rpartition(".")[2]] == 1 else key for key in keys]
