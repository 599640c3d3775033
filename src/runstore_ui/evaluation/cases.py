"""The cases that are judged: samples of predictions, or groups of them, each positive or not."""

from array import array
from enum import StrEnum

from msgspec import Struct

from runstore.predictions import Levels, Predictions


class Pooling(StrEnum):
    """What one case is."""

    NONE = "none"
    """A sample. Samples of one group are counted each, and intervals know that they belong together."""
    MEAN = "mean"
    """A group, with the mean of its scores."""
    MAX = "max"
    """A group, with the highest of its scores."""


class Cases(Struct, frozen=True, kw_only=True):
    """Cases side by side: all columns have one item a case.

    Attributes:
        scores: of the class that counts as positive.
        are_positive: 1 where the case is of that class, else 0.
        weights: how much each counts; ``None`` where all count the same.
        groups: for each the number of its group; ``None`` where each stands alone.
        rows: for each the index of its sample; of a group, of its first.
    """

    scores: "array[float]"
    are_positive: bytes
    weights: "array[float] | None"
    groups: "array[int] | None"
    rows: "array[int]"

    def __len__(self) -> int:
        """How many there are."""
        return len(self.rows)


def all_cases(predictions: Predictions, *, positive: int = -1, keep: dict[str, str] | None = None) -> Cases:
    """Each sample as a case.

    Args:
        predictions: the samples.
        positive: the index of the class that counts as positive; the last by default.
        keep: which of them: by the name of a division the one value that it must have.
    """
    positive %= len(predictions.classes)
    rows = array("i", range(len(predictions)))
    for name, value in (keep or {}).items():
        levels = predictions.divisions[name]
        code = levels.names.index(value) if value in levels.names else len(levels.names)
        rows = array("i", [row for row in rows if levels.codes[row] == code])
    is_pair = len(predictions.scores) == 1
    scores = predictions.scores[0 if is_pair else positive]
    if is_pair and positive == 0:
        scores = array("d", [(1.0 if predictions.is_probability else 0.0) - score for score in scores])
    return Cases(
        scores=_of_rows(scores, rows),
        are_positive=bytes(predictions.targets[row] == positive for row in rows),
        weights=None if predictions.weights is None else _of_rows(predictions.weights, rows),
        groups=None if predictions.groups is None else _numbered(predictions.groups, rows),
        rows=rows,
    )


def pooled(cases: Cases, pooling: Pooling) -> Cases:
    """The cases by group, as a clinician judges a patient and not a film.

    A group is positive if one of its samples is, and counts as much as the mean of them. Samples without a group stay.
    """
    if pooling is Pooling.NONE or cases.groups is None:
        return cases
    members: dict[int, list[int]] = {}
    for place, group in enumerate(cases.groups):
        members.setdefault(group, []).append(place)
    scores, positive, weights, rows = array("d"), bytearray(), array("d"), array("i")
    for places in members.values():
        found = [cases.scores[place] for place in places]
        scores.append(max(found) if pooling is Pooling.MAX else sum(found) / len(found))
        positive.append(max(cases.are_positive[place] for place in places))
        rows.append(cases.rows[places[0]])
        if cases.weights is not None:
            weights.append(sum(cases.weights[place] for place in places) / len(places))
    return Cases(
        scores=scores,
        are_positive=bytes(positive),
        weights=None if cases.weights is None else weights,
        groups=None,
        rows=rows,
    )


def _of_rows(column: "array[float]", rows: "array[int]") -> "array[float]":
    if len(rows) == len(column):
        return column
    return array(column.typecode, map(column.__getitem__, rows))


def _numbered(groups: Levels, rows: "array[int]") -> "array[int]":
    """The group of each case; a sample that has none is a group of its own."""
    count = len(groups.names)
    return array("q", [groups.codes[row] if groups.codes[row] >= 0 else count + row for row in rows])
