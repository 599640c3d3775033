"""Predictions in memory: columns side by side, texts of few kinds as numbers."""

from array import array
from collections.abc import Iterable
from typing import Any

from msgspec import Struct


class Threshold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From which score on a sample counts as positive.

    Attributes:
        name: what it is called, as ``"sensitivity 90 %"``.
        value: the least score that counts as positive.
        chosen_on: the part of the data that it was chosen on, as ``"validation"``.
        rule: how it was chosen, in words.
    """

    name: str
    value: float
    chosen_on: str
    rule: str = ""


class Calibration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the scores were made into probabilities.

    Attributes:
        method: as ``"temperature"``.
        fitted_on: the part of the data that it was fitted on.
        parameters: what was fitted, by name.
    """

    method: str
    fitted_on: str
    parameters: dict[str, float] = {}


class Levels(Struct, frozen=True, kw_only=True):
    """A column of texts that repeat.

    Attributes:
        names: the texts that occur, each once, in code-point order.
        codes: for each row the index of its text in ``names``; -1 where it has none.
    """

    names: tuple[str, ...]
    codes: "array[int]"

    @classmethod
    def of(cls, values: Iterable[str | None]) -> "Levels":
        """The column of these texts."""
        listed = list(values)
        names = sorted({value for value in listed if value is not None})
        index: dict[str | None, int] = {name: place for place, name in enumerate(names)}
        index[None] = -1
        return cls(names=tuple(names), codes=array("i", map(index.__getitem__, listed)))

    def texts(self) -> list[str | None]:
        """The text of each row."""
        by_code: dict[int, str | None] = {-1: None, **dict(enumerate(self.names))}
        return list(map(by_code.__getitem__, self.codes))


class Predictions(Struct, frozen=True, kw_only=True):
    """What a classifier said of each sample, and what was true. All columns have one item a row.

    Attributes:
        classes: the names of the classes. Of two the second is the positive one.
        ids: what the samples are called, each once.
        targets: the index in ``classes`` of what is true.
        scores: for two classes one column: of the positive class. Else one column a class, in their order.
        is_probability: whether the scores are probabilities, from 0 to 1. If not, they say an order alone.
        groups: which samples belong together, as those of one patient do.
        weights: how much each sample counts; ``None`` where all count the same.
        splits: the part of the data that each sample belongs to.
        sites: where each sample comes from, as a hospital.
        subgroups: by name, further columns to divide by, as age bands.
        thresholds: from which score on a sample counts as positive; the first is the one that is meant to be used.
        calibration: how the scores were made into probabilities; ``None`` where they are as the model gave them.
        about: whatever else is to be kept with them.
    """

    classes: tuple[str, ...]
    ids: tuple[str, ...]
    targets: "array[int]"
    scores: tuple["array[float]", ...]
    is_probability: bool = True
    groups: Levels | None = None
    weights: "array[float] | None" = None
    splits: Levels | None = None
    sites: Levels | None = None
    subgroups: dict[str, Levels] = {}
    thresholds: tuple[Threshold, ...] = ()
    calibration: Calibration | None = None
    about: dict[str, Any] = {}

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self.ids)

    @property
    def divisions(self) -> dict[str, Levels]:
        """The columns to divide the samples by: ``split``, ``site`` and the subgroups, as far as they are there."""
        found = {"split": self.splits, "site": self.sites, **self.subgroups}
        return {name: levels for name, levels in found.items() if levels is not None}

    def __repr__(self) -> str:
        """How many rows of which classes, never the rows."""
        return f"Predictions(rows={len(self.ids)}, classes={self.classes!r})"
