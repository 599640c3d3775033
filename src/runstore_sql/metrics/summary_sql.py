"""A series' summary in SQL: computed from its points, and brought up to date by a batch that only appends.

The definition is :func:`runstore.series.summaries.summarize`'s.
"""

from collections.abc import Callable, Sequence
from typing import Final

from runstore_sql.schema.tables import SUMMARY_COLUMNS

SUMMARY_SQL: Final = ", ".join(f"s.{column}" for column in SUMMARY_COLUMNS)

_EXTREMES: Final = {"min": "<", "max": ">"}


def summaries_of(series_pks: Sequence[int], *, is_finite: str, value: str) -> str:
    """SQL for the summaries of whole series.

    Args:
        series_pks: surrogate keys; integers, so they stand in the text and any number of them is one statement.
        is_finite: the dialect's test of a point ``p``.
        value: the columns that give the value of a point, with ``{0}`` for its alias.
    """
    keys = ", ".join(map(str, series_pks))
    return f"""
        SELECT a.series_pk, a.points, a.non_finite, a.first_step, {value.format("f")}, a.last_step, {value.format("l")},
            lo.step, {value.format("lo")}, hi.step, {value.format("hi")}
        FROM (SELECT p.series_pk, count(*) AS points,
                sum(CASE WHEN {is_finite} THEN 0 ELSE 1 END) AS non_finite,
                min(p.step) AS first_step, max(p.step) AS last_step,
                min(CASE WHEN {is_finite} THEN p.value END) AS lowest,
                max(CASE WHEN {is_finite} THEN p.value END) AS highest
            FROM runstore_point p WHERE p.series_pk IN ({keys}) GROUP BY p.series_pk) a
        JOIN runstore_point f ON f.series_pk = a.series_pk AND f.step = a.first_step
        JOIN runstore_point l ON l.series_pk = a.series_pk AND l.step = a.last_step
        LEFT JOIN runstore_point lo ON lo.series_pk = a.series_pk AND lo.step =
            (SELECT min(q.step) FROM runstore_point q WHERE q.series_pk = a.series_pk AND q.value = a.lowest)
        LEFT JOIN runstore_point hi ON hi.series_pk = a.series_pk AND hi.step =
            (SELECT min(q.step) FROM runstore_point q WHERE q.series_pk = a.series_pk AND q.value = a.highest)
    """  # noqa: S608 - integers and our own column names


def take_extremes(new: Callable[[str], str], *, old: str = "", is_given: str | None = None) -> str:
    """SQL for the assignments that take a batch's extremes where they beat the series'.

    Of equal values the stored, earlier one stays. The value, by which is compared, is assigned last: MySQL assigns from
    left to right.

    Args:
        new: the batch's column of a name such as ``max_step``.
        old: what stands before the names of the series' columns.
        is_given: whether the batch has a finite value; by default, whether it has an extreme.
    """
    taken = []
    for stat, sign in _EXTREMES.items():
        stored = f"{old}{stat}_value"
        beats = (
            f"{is_given or new(f'{stat}_step') + ' IS NOT NULL'} "
            f"AND ({stored} IS NULL OR {new(f'{stat}_value')} {sign} {stored})"
        )
        taken += [
            f"{column} = CASE WHEN {beats} THEN {new(column)} ELSE {old}{column} END"
            for column in (f"{stat}_step", f"{stat}_special", f"{stat}_value")
        ]
    return ", ".join(taken)
