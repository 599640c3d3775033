"""The labels of a table: 0 and 1, the words that folders of classes have, or whatever is told to be positive."""

import re
from collections import Counter

from pneumo_train.config.data import DataConfig
from pneumo_train.errors import DataError
from pneumo_train.sources.class_folders import CLASSES
from pneumo_train.sources.table import Table
from pneumo_train.words import enumerated, shown

_NUMBERS = {"0": 0, "0.0": 0, "1": 1, "1.0": 1}
_WORDS = CLASSES | {"no": 0, "false": 0, "yes": 1, "true": 1}
_MISSING = frozenset({"nan", "na", "n/a", "#n/a", "<na>", "null"})
"""What programs write in the place of a value that they do not have."""
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]*)?")
_SEVERAL = "|"
"""Between the findings of one cell, as NIH writes ``Infiltration|Pneumonia``."""
_SHOWN = 5


class Labels:
    """Reads the cells of the column of labels.

    Args:
        table: holds the column.
        config: names it, and what is positive in it.

    Raises:
        DataError: no row has something that is said to be positive.
    """

    def __init__(self, table: Table, config: DataConfig) -> None:
        self._table, self._column = table, config.target_column
        self._positive = _values(config.positive_value or "")
        present = (
            frozenset[str]().union(*(_values(row[self._column]) for _, row in table.rows))
            if self._positive
            else self._positive
        )
        if missing := self._positive - present:
            raise DataError(
                f"{table.path}: data.positive_value = {config.positive_value!r}: none of {len(table.rows):,} rows has "
                f"{' or '.join(map(repr, sorted(missing)))}; the column {self._column!r} holds {table.values_of(self._column)}; write it as "
                "it stands there"
            )

    def read(self, cell: str, number: int) -> int:
        """The label of a cell, 0 or 1.

        Args:
            cell: not empty.
            number: of its row, for a message.

        Raises:
            DataError: it is no number and no word that says which it is.
        """
        if self._positive & _values(cell):
            return 1
        if cell.casefold() in _MISSING:
            raise DataError(
                f"{self._table.path} row {number}: {self._column} = {shown(cell)!r} says nothing ({len(self._table.rows):,} rows); fill it in"
            )
        if self._positive:
            return self._negative(cell, number)
        label = _NUMBERS.get(cell, _WORDS.get(cell.casefold()))
        if label is None:
            raise DataError(
                f"{self._table.path} row {number}: {self._column} = {shown(cell)!r}; wanted 0 or 1 ({len(self._table.rows):,} rows); the "
                f"column holds {self._table.values_of(self._column)}; where it holds words, say which is positive "
                "(--data.positive_value)"
            )
        return label

    def _negative(self, cell: str, number: int) -> int:
        """0; but where a number is positive, one that no class is counted by does not say that a film is negative: CheXpert's -1 is uncertain."""
        strange = [value for value in _values(cell) if _NUMBER.fullmatch(value) and not value.isdecimal()]
        if strange and any(map(_NUMBER.fullmatch, self._positive)):
            named = _SEVERAL.join(sorted((*self._positive, *strange)))
            raise DataError(
                f"{self._table.path} row {number}: {self._column} = {shown(cell)!r}: is not {' or '.join(sorted(self._positive))}, and "
                f"no number of another class ({len(self._table.rows):,} rows); leave such rows out (--data.subset_column), or take them for "
                f'positive (--data.positive_value "{named}")'
            )
        return 0

    def notes(self) -> list[str]:
        """What was taken for what, where the column is not plainly 0 and 1; at most one sentence."""
        found = Counter(row[self._column] for _, row in self._table.rows)
        if not self._positive and not set(found) - set(_NUMBERS):
            return []
        told: dict[int, list[str]] = {1: [], 0: []}
        for cell, count in found.most_common():
            if cell:
                told[self.read(cell, 0)].append(f"{cell} ({count:,} rows)")
        positive, negative = (enumerated(cells, at_most=_SHOWN) or "none" for cells in (told[1], told[0]))
        return [f"labels in {self._column!r}: positive is {positive}; negative is {negative}"]


def _values(text: str) -> frozenset[str]:
    return frozenset(_plain(part.strip().casefold()) for part in text.split(_SEVERAL)) - {""}


def _plain(value: str) -> str:
    """A number as it is written shortest, for 1 and 1.0 are the same label; any other text as it is."""
    if not _NUMBER.fullmatch(value):
        return value
    number = float(value)
    return str(int(number)) if number.is_integer() else str(number)
