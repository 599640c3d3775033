"""Summaries of many runs from MySQL and MariaDB."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from runstore.model import SeriesSummary
from runstore_sql.dialects.mysql.connecting import BoundedConnection
from runstore_sql.dialects.mysql.packets import room_in
from runstore_sql.metrics.listing import FROM, Listing, Summaries
from runstore_sql.metrics.packed import IN_ORDER, REALS, SPECIALS, WHOLES, PackedSeries

_AMONG: Final = "IN %s"
# Texts of float64 take the server longer than all else together; as coordinates of points they are eight bytes each.
_PACKED: Final = [
    "GROUP_CONCAT(s.name SEPARATOR '\n')",
    "GROUP_CONCAT(s.dataset_type SEPARATOR '\n')",
    "GROUP_CONCAT({} SEPARATOR '')".format(
        ", ".join(
            f"ST_AsBinary(Point(IFNULL(s.{x}, 0), IFNULL(s.{y}, 0)))"
            for x, y in zip(REALS[::2], REALS[1::2], strict=True)
        )
    ),
    "GROUP_CONCAT({})".format(
        " | ".join(f"(IFNULL(s.{column}, 0) & 7) << {3 * index}" for index, column in enumerate(SPECIALS))
    ),
    *(f"GROUP_CONCAT(IFNULL(s.`{column}`, 0))" for column in WHOLES),
]
_MOST_SERIES: Final = 1000
_LONGEST_SERIES: Final = 1500
"""Bytes of a series in a packed row: a name takes up to 1 kB, all else some 300. A row must fit into a server's packet."""
_PART: Final = "@part"
"""Stands in the statements for how many series a packed row may have."""
_NARROW: Final = f"""
    SELECT r.id, COUNT(s.pk), {", ".join(f"IF(COUNT(s.pk) > {_PART}, NULL, {packed})" for packed in _PACKED)}
    {FROM} {_AMONG} GROUP BY r.id"""
_WIDE: Final = f"""
    SELECT r.id, COUNT(s.pk), {", ".join(_PACKED)}
    {FROM} {_AMONG} GROUP BY r.id, s.pk DIV {_PART}"""
"""The same in parts; the server sorts all rows for it."""

_INTEGERS: Final = msgspec.json.Decoder(list[int])


class MysqlListing(Listing[BoundedConnection]):
    """Packs the series of a run into one row.

    That takes 0.2 of the plain way's time (400 runs of 50 series: 65 ms and 318 ms).
    """

    among = _AMONG

    def parameter(self, run_ids: Sequence[str]) -> Any:
        return tuple(run_ids)

    def quick(self, run_ids: Sequence[str], connection: BoundedConnection) -> Summaries:
        found: Summaries = {}
        wide: list[str] = []
        series_of = cache(PackedSeries)
        most = min(_MOST_SERIES, room_in(connection) // _LONGEST_SERIES)
        narrow, wider = (each.replace(_PART, str(most)) for each in (_NARROW, _WIDE))
        for run_id, count, *packed in self.rows(connection, narrow, run_ids):
            if count > most:
                wide.append(run_id)
            else:
                found[run_id] = _unpack(packed, series_of) if count else ()
        for run_id, _, *packed in self.rows(connection, wider, wide) if wide else ():
            part = _unpack(packed, series_of)
            found[run_id] = tuple(sorted((*found.get(run_id, ()), *part), key=IN_ORDER))
        return found


def _unpack(packed: Sequence[Any], series_of: Callable[[str, str], PackedSeries]) -> tuple[SeriesSummary, ...]:
    names, dataset_types, points, *texts = packed
    series = series_of(names, dataset_types)
    specials, *wholes = [_INTEGERS.decode(f"[{text}]") for text in texts]
    reals = series.unpacked(points, "<", "5xdd" * (len(REALS) // 2))
    return series.summaries([*wholes, *_separate_specials(specials), *reals])


def _separate_specials(packed: list[int]) -> Iterable[list[int]]:
    """Each column's, from numbers that hold one of -1 to 3 in every three bits."""
    if not any(packed):
        return [packed] * len(SPECIALS)
    return [[(specials >> 3 * index & 7 ^ 4) - 4 for specials in packed] for index in range(len(SPECIALS))]
