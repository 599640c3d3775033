"""A column or a metric that nothing has is named in a warning: most often its name is mistyped, and a table says nothing."""

import difflib
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from runstore.errors import RunStoreError
from runstore.frames.sources import Source
from runstore.model import KeyCount
from runstore.query.facets import KeyKind
from runstore.query.known import all_keys, fields_meant
from runstore.query.spelling import spelt
from runstore.query.tree import ConfigKey, Field, Metric, Tag

_log = logging.getLogger("runstore.frames")

_MOST_KEYS: Final = 10_000
"""Those of most runs first, among which a name is looked for."""


def tell_unknown_columns(reader: Source, empty: Iterable[Field]) -> None:
    """Warns of those of the empty columns that no run of the store has either.

    Args:
        reader: what the table was read through.
        empty: the columns that hold nothing.
    """
    asked = [field for field in empty if isinstance(field, Tag | ConfigKey | Metric)]
    if not asked:
        return
    with suppress(RunStoreError):  # the table is there; a store that cannot answer now only keeps the advice back
        for field in asked:
            _tell_column(reader, field)


def _tell_column(reader: Source, field: Tag | ConfigKey | Metric) -> None:
    of: KeyKind = "tag" if isinstance(field, Tag) else "config" if isinstance(field, ConfigKey) else "metric"
    in_use = reader.list_keys(of, limit=_MOST_KEYS)
    if len(in_use) == _MOST_KEYS:
        in_use += reader.list_keys(of, prefix=field.name if isinstance(field, Metric) else field.key, limit=_MOST_KEYS)
    if not any(_is_of(field, each) for each in in_use):
        meant = fields_meant(spelt(field), _fields(of, in_use))
        instead = _did_you_mean(meant) or f"; reader.list_keys({of!r}) gives the keys in use"
        _log.warning("no run has %s%s", spelt(field), instead)


def _is_of(field: Tag | ConfigKey | Metric, found: KeyCount) -> bool:
    if isinstance(field, Metric):
        return (field.name, field.dataset_type) == (found.key, found.dataset_type)
    return field.key == found.key


def _fields(of: KeyKind, found: Sequence[KeyCount]) -> list[Field]:
    keys = [each.key for each in found]
    match of:
        case "tag":
            return all_keys(keys, (), ())
        case "config":
            return all_keys((), keys, ())
        case _:
            return all_keys((), (), [(each.key, str(each.dataset_type)) for each in found])


def tell_unknown_metrics(wanted: Iterable[tuple[str, str | None]], there_are: Iterable[tuple[str, str]]) -> None:
    """Warns of those metrics of which no run that was asked for has a series.

    Args:
        wanted: names, each with the dataset type of one series, or for all of them.
        there_are: the series of the runs.
    """
    series = sorted(set(there_are))
    names = {name for name, _ in series}
    if not series:  # nothing was logged yet
        return
    for name, kind in wanted:
        if (name, kind) in series or (kind is None and name in names):
            continue
        same = [repr(each) for each in series if each[0] == name]
        like = same or [repr(each) for each in difflib.get_close_matches(name, names)]
        _log.warning(
            "these runs have no metric %r%s%s", name, "" if kind is None else f" of {kind!r}", _did_you_mean(like)
        )


def _did_you_mean(found: Sequence[str]) -> str:
    return f"; did you mean {' or '.join(found)}?" if found else ""
