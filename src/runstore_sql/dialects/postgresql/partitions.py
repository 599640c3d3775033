"""PostgreSQL: points in partitions by ranges of series, on request of the URL's ``partition_series``.

Series are numbered in the order in which runs begin, so a range of them is a stretch of time: each partition has a small
key, and old ones can be detached in one statement. Nothing else knows of them: table, columns and key are the same. Each
opening for writing creates the next partition in advance. Series that arrive before it exists go to the default
partition.
"""

from typing import Final

import sqlalchemy as sa

from runstore.errors import SettingsError

SETTING: Final = "partition_series"
"""How many series each new partition takes."""

_PARENT: Final = """CREATE TABLE runstore_point (
    series_pk bigint NOT NULL, step bigint NOT NULL, value double precision NOT NULL, logged_at_us bigint NOT NULL,
    PRIMARY KEY (series_pk, step)) PARTITION BY RANGE (series_pk)"""
_REST: Final = "CREATE TABLE runstore_point_rest PARTITION OF runstore_point DEFAULT"
_IS_PARTITIONED: Final = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('runstore_point')"
_HIGHEST_BOUND: Final = r"""
    SELECT max(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''?(-?\d+)''?\)')::bigint)
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass('runstore_point')"""
_IN_USE: Final = """
    SELECT coalesce((SELECT max(pk) FROM runstore_series), 0),
        coalesce((SELECT max(series_pk) FROM runstore_point_rest), 0)"""


_EXPIRED: Final = r"""
    WITH partition AS (
        SELECT c.relname AS name,
            CASE WHEN bound LIKE 'FOR VALUES FROM (MINVALUE)%%' THEN 0
                ELSE (regexp_match(bound, 'FROM \(''?(-?\d+)'))[1]::bigint END AS low,
            (regexp_match(bound, 'TO \(''?(-?\d+)'))[1]::bigint AS high
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS bound
        WHERE i.inhparent = to_regclass('runstore_point') AND bound <> 'DEFAULT'
            AND pg_has_role(c.relowner, 'USAGE'))
    SELECT p.name FROM partition p
    WHERE p.low IS NOT NULL AND p.high <= (SELECT max(pk) FROM runstore_series) AND NOT EXISTS (
        SELECT 1 FROM runstore_series s JOIN runstore_run r ON r.pk = s.run_pk
        WHERE s.pk >= p.low AND s.pk < p.high AND r.purged_us IS NULL
            AND (%(before)s::bigint IS NULL OR r.deleted_us IS NULL OR r.deleted_us >= %(before)s))
    ORDER BY p.low"""
"""Those behind which newer series have begun: no new one ever gets a number of theirs. What belongs to another role, as for
a writer that may drop nothing, is emptied like a table."""
LOCK: Final = f"SELECT pg_advisory_xact_lock({0x72756E73746F7265})"
"""Keeps all others from changing the schema until the transaction ends."""
_WAIT_AT_MOST: Final = "SET LOCAL lock_timeout = '2s'"
_WAIT_BRIEFLY: Final = "SET LOCAL lock_timeout = '20ms'"
"""Whoever wants the table after us waits as long as we do."""


class Partitions:
    """The partitions of a store whose URL asks for them."""

    def __init__(self, width: int) -> None:
        self._width = width

    @classmethod
    def of(cls, url: sa.URL) -> "Partitions | None":
        """Those that a URL asks for.

        Raises:
            SettingsError: it asks for no positive number of series.
        """
        asked = url.query.get(SETTING)
        if asked is None:
            return None
        if not isinstance(asked, str) or not asked.isascii() or not asked.isdigit() or not 0 < int(asked) < 2**40:
            raise SettingsError(f"{SETTING}={asked!r} is no positive number of series; give one such as 1000000")
        return cls(int(asked))

    def begin(self, connection: sa.Connection) -> None:
        """Makes the table of the points in an empty database, before the migrations, which leave it as it is."""
        if connection.exec_driver_sql(_IS_PARTITIONED).scalar() is None:
            connection.exec_driver_sql(_PARENT)
            connection.exec_driver_sql(_REST)
            _add(connection, 0, self._width)

    def is_due(self, connection: sa.Connection) -> bool:
        """Whether the partition after the one in use is missing.

        Raises:
            SettingsError: the points of this store are in one table.
        """
        if not connection.exec_driver_sql(_IS_PARTITIONED).scalar():
            raise SettingsError(
                f"the URL asks for {SETTING}={self._width}, and the points of this store are in one table already; take "
                "it out of the URL, or move the points as docs/scale.md says"
            )
        in_use, _ = _in_use(connection)
        return in_use + self._width > _highest(connection)

    def catch_up(self, connection: sa.Connection) -> None:
        """Makes the partition after the one in use, unless others use the table for long."""
        connection.exec_driver_sql(_WAIT_AT_MOST)
        connection.exec_driver_sql(LOCK)
        in_use, rest = _in_use(connection)
        while in_use + self._width > (highest := _highest(connection)):
            # Rows that came too early stay in the default partition, whose range no other may then take.
            low = max(highest, rest + 1)
            _add(connection, low, low + self._width)


def _in_use(connection: sa.Connection) -> tuple[int, int]:
    """The newest series there is, and the newest in the default partition."""
    newest, rest = connection.exec_driver_sql(_IN_USE).one()
    return newest, rest


def _highest(connection: sa.Connection) -> int:
    highest: int | None = connection.exec_driver_sql(_HIGHEST_BOUND).scalar()
    return highest or 0


def _add(connection: sa.Connection, low: int, high: int) -> None:
    connection.exec_driver_sql(
        f"CREATE TABLE runstore_point_from_{low} PARTITION OF runstore_point FOR VALUES FROM ({low}) TO ({high})"
    )


def expired(connection: sa.Connection, deleted_before_us: int | None) -> list[str]:
    """The partitions that hold nothing but points of purged runs, or of runs that were deleted before a moment."""
    return list(connection.exec_driver_sql(_EXPIRED, {"before": deleted_before_us}).scalars())


def drop(connection: sa.Connection, name: str) -> None:
    """Drops a partition, unless others use the table just now."""
    connection.exec_driver_sql(_WAIT_BRIEFLY)
    connection.exec_driver_sql(f"DROP TABLE {connection.dialect.identifier_preparer.quote(name)}")
