"""Which series of a run somebody means who names a metric."""

import difflib
from collections.abc import Sequence
from typing import Final

from runstore.errors import InvalidValueError
from runstore.model import SeriesSummary
from runstore.query.advice import dataset_type_meant

_MOST_SHOWN: Final = 5


def series_meant(there_are: Sequence[SeriesSummary], wanted: Sequence[str], *, whose: str) -> list[SeriesSummary]:
    """The series of these metrics, in the order in which they are named, each once.

    Args:
        there_are: all series.
        wanted: a name, which means that metric of each dataset type; or both, such as ``val/loss`` or ``train_loss``.
        whose: they are, for messages, such as ``these runs have``.

    Raises:
        InvalidValueError: there is none of a name; says which are like it.
    """
    found: dict[tuple[str, str], SeriesSummary] = {}
    for name in wanted:
        meant = _meant(there_are, name)
        if not meant:
            raise InvalidValueError(_unknown(there_are, name, whose))
        found.update({(each.name, str(each.dataset_type)): each for each in meant})
    return list(found.values())


def series_text(series: SeriesSummary) -> str:
    """How a series is written, and can be asked for: ``train/loss``."""
    return f"{series.dataset_type}/{series.name}"


def _meant(there_are: Sequence[SeriesSummary], wanted: str) -> list[SeriesSummary]:
    of_the_name = [each for each in there_are if each.name == wanted]
    kind, name = dataset_type_meant(wanted.removeprefix("metric."))
    return of_the_name or [each for each in there_are if (str(each.dataset_type), each.name) == (kind, name)]


def _unknown(there_are: Sequence[SeriesSummary], wanted: str, whose: str) -> str:
    texts = list(map(series_text, there_are))
    if not texts:
        return f"{whose} no metric {wanted!r}, and no other"
    names = list(dict.fromkeys([*(each.name for each in there_are), *texts]))
    close = difflib.get_close_matches(wanted, names, n=3)
    if close:
        return f"{whose} no metric {wanted!r}; did you mean {' or '.join(close)}?"
    more = f" and {len(texts) - _MOST_SHOWN} more" if len(texts) > _MOST_SHOWN else ""
    return f"{whose} no metric {wanted!r}; there are {', '.join(texts[:_MOST_SHOWN])}{more}"
