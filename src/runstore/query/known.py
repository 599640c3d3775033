"""Which key in use somebody meant by a text that is no field: what a QueryError asks once the store was looked at."""

import difflib
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from runstore.query.advice import dataset_type_meant, table_meant
from runstore.query.spelling import spelt
from runstore.query.tree import STATISTICS, ConfigKey, Field, Metric, Tag

_MOST: Final = 3
_LIKE: Final = 0.75
_SHORTEST_PART: Final = 3


class Meant(NamedTuple):
    """What a text may name.

    Attributes:
        table: ``config``, ``metric`` or ``tag``; empty where the text does not say.
        dataset_type: empty where the text does not say.
        name: the key or the metric's name.
        stat: of a metric.
    """

    table: str
    dataset_type: str
    name: str
    stat: str


def meanings(text: str) -> list[Meant]:
    """The ways to read a text such as ``loss``, ``val_loss``, ``metrics.loss.max`` or ``params.lr``."""
    head, _, rest = text.replace('"', "").partition(".")
    table = table_meant(head) if rest else ""
    whole = rest if table else text.replace('"', "")
    found = [Meant(table, "", whole, "last")]
    if table in {"", "metric"}:
        stem, _, stat = whole.rpartition(".")
        names = [(whole, "last"), (stem, stat)] if stat in STATISTICS and stem else [(whole, "last")]
        for name, of in names:
            found.append(Meant("metric", "", name, of))
            kind, name_of_kind = dataset_type_meant(name)
            if kind:
                found.append(Meant("metric", kind, name_of_kind, of))
    return found


def fields_meant(text: str, keys: Sequence[Field], *, only_same: bool = False) -> list[str]:
    """The fields in use that a text means: those of that very name, else those whose names are like it; at most three.

    Args:
        text: what stands where a field belongs.
        keys: the tags, settings and metrics in use, those of most runs first.
        only_same: leaves out those whose names are only like it.
    """
    ways = meanings(text)
    same = [_with_stat(key, way) for way in ways for key in keys if _is_named(key, way)]
    if same or only_same:
        return list(dict.fromkeys(map(_spelt, same)))[:_MOST]
    like: list[str] = []
    for way in ways:
        names = {_name(key): key for key in keys if _fits(key, way)}
        close = difflib.get_close_matches(way.name, names, n=_MOST, cutoff=_LIKE)
        like += [_spelt(_with_stat(names[name], way)) for name in close]
    return list(dict.fromkeys(like))[:_MOST]


def all_keys(tags: Iterable[str], settings: Iterable[str], series: Iterable[tuple[str, str]]) -> list[Field]:
    """Keys in use as fields: series first, by which runs are sorted and filtered most."""
    metrics = [Metric(dataset_type, name, "last") for name, dataset_type in series]
    return [*metrics, *map(ConfigKey, settings), *map(Tag, tags)]


def _is_named(key: Field, way: Meant) -> bool:
    name, wanted = _name(key).lower(), way.name.lower()
    is_end = isinstance(key, ConfigKey) and name.endswith(f".{wanted}")
    return _fits(key, way) and (name == wanted or is_end)


def _fits(key: Field, way: Meant) -> bool:
    """Whether a key is of the table and the dataset type that a text says, where it says one."""
    match key:
        case Metric(dataset_type, _, _):
            return way.table in {"", "metric"} and way.dataset_type in {"", dataset_type}
        case ConfigKey():
            return way.table in {"", "config"}
        case _:
            return way.table in {"", "tag"}


def _with_stat(key: Field, way: Meant) -> Field:
    return Metric(key.dataset_type, key.name, way.stat) if isinstance(key, Metric) else key


def _spelt(field: Field) -> str:
    """With a metric's statistic: it says what a reader of the advice may choose."""
    text = spelt(field)
    return f"{text}.last" if isinstance(field, Metric) and field.stat == "last" else text


def _name(key: Field) -> str:
    match key:
        case Metric(_, name, _):
            return name
        case ConfigKey(text) | Tag(text):
            return text
        case _:
            return ""


def names_meant(wanted: str, names: Collection[str]) -> list[str]:
    """The names that somebody may mean by a text: those that are spelt like it, else those that it is a part of."""
    close = difflib.get_close_matches(wanted, names, n=_MOST)
    part = wanted.casefold()
    if close or len(part) < _SHORTEST_PART:
        return close
    found = [name for name in names if part in name.casefold()]
    return sorted(found, key=lambda name: (not name.casefold().startswith(part), len(name), name))[:_MOST]
