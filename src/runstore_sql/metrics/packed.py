"""Summaries of a run whose series a server has packed into few columns: names and types as texts, numbers side by side."""

import struct
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

from runstore.model import DATASET_TYPES, DatasetType, SeriesSummary
from runstore_sql.metrics.summary_rows import summary_of
from runstore_sql.schema.tables import SUMMARY_COLUMNS

REALS: Final = [column for column in SUMMARY_COLUMNS if column.endswith("_value")]
SPECIALS: Final = [column for column in SUMMARY_COLUMNS if column.endswith("_special")]
WHOLES: Final = [column for column in SUMMARY_COLUMNS if column not in {*REALS, *SPECIALS}]
IN_ORDER: Final = attrgetter("name", "dataset_type")
"""By what the summaries of a run are sorted."""

_INDEXES: Final = [(*WHOLES, *SPECIALS, *REALS).index(column) for column in SUMMARY_COLUMNS]
"""The index of each column of a summary among the packed ones."""


class PackedSeries:
    """The names and dataset types of a run's series, in the order in which the server gave them.

    Runs of one program have the same, so a list of runs keeps those that were split and sorted already.
    """

    def __init__(self, names: str, dataset_types: str) -> None:
        """Takes each kind of text as the server joined it, a line each."""
        self._names = names.split("\n")  # a name holds no line feed
        self._dataset_types: list[DatasetType] = [DATASET_TYPES[kind] for kind in dataset_types.split("\n")]
        identities = list(zip(self._names, self._dataset_types, strict=True))
        self._order = sorted(range(len(identities)), key=identities.__getitem__)
        self._formats: dict[str, struct.Struct] = {}

    def unpacked(self, data: bytes | memoryview, order: str, form: str) -> list[tuple[Any, ...]]:
        """The columns of rows that stand one after the other, each with the numbers of one series."""
        known = self._formats.get(form)
        if known is None:
            known = self._formats[form] = struct.Struct(order + form * len(self._names))
        numbers = known.unpack(data)
        width = len(numbers) // len(self._names)
        return [numbers[index::width] for index in range(width)]

    def summaries(self, columns: Sequence[Sequence[Any]]) -> tuple[SeriesSummary, ...]:
        """The summaries whose packed columns these are, in the order of name and dataset type."""
        found = list(map(summary_of, self._names, self._dataset_types, *[columns[index] for index in _INDEXES]))
        return tuple([found[index] for index in self._order])
