"""SQLite, PostgreSQL and MariaDB through their drivers alone: what a hand-written program would do.

The tables have the shape of ours (points keyed by series and step, one row a series with its last value, config leaves
with an index on their values), without summaries, checks, run states or typed configs.
"""

import random
import sqlite3
from typing import Any, ClassVar
from urllib.parse import urlsplit

from benchmarks.contestants.base import Contestant, Place, columns, new_id
from benchmarks.data import START_US, Point, RunData

_TABLES = (
    """CREATE TABLE run (pk {big} NOT NULL PRIMARY KEY, id {text} NOT NULL UNIQUE, name {text}, status {text},
        start_us {big})""",
    """CREATE TABLE leaf (run_pk {big} NOT NULL, name {text} NOT NULL, value {text} NOT NULL,
        PRIMARY KEY (run_pk, name)){compact}""",
    "CREATE INDEX leaf_by_value ON leaf (name, value, run_pk)",
    """CREATE TABLE series (pk {big} NOT NULL PRIMARY KEY, run_pk {big} NOT NULL, name {text} NOT NULL,
        last_value {real}, UNIQUE (run_pk, name))""",
    """CREATE TABLE point (series_pk {big} NOT NULL, step {big} NOT NULL, value {real}, at_us {big} NOT NULL,
        PRIMARY KEY (series_pk, step)){compact}""",
)


class RawSql(Contestant):
    """One connection; the upsert of a batch, then its commit."""

    types: ClassVar[dict[str, str]]
    mark: ClassVar[str] = "%s"
    update: ClassVar[str] = "ON CONFLICT (series_pk, step) DO UPDATE SET value = excluded.value, at_us = excluded.at_us"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.connection = self.connect()
        self.cursor = self.connection.cursor()

    def connect(self) -> Any:
        """A connection in which nothing is committed by itself."""
        raise NotImplementedError

    def _make_tables(self) -> None:
        for statement in _TABLES:
            self.cursor.execute(statement.format(**self.types))
        self.connection.commit()

    def _has_tables(self) -> bool:
        raise NotImplementedError

    def _sql(self, text: str) -> str:
        return text.replace("?", self.mark)

    def _insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            marks = ", ".join(self.mark for _ in rows[0])
            self.cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def new_run(self, name: str, metrics: list[str]) -> Any:
        if not self._has_tables():
            self._make_tables()
        run_pk = random.getrandbits(40)
        self._insert("run", [(run_pk, new_id(), name, "in_progress", START_US)])
        keys = [run_pk * 1000 + number for number in range(len(metrics))]
        self._insert("series", [(key, run_pk, metric, None) for key, metric in zip(keys, metrics, strict=True)])
        self.connection.commit()
        return keys

    def batch(self, run: Any, points: list[Point]) -> Any:
        return [(run[point.series], point.step, point.value, point.at_us) for point in points]

    def log(self, run: Any, batch: Any) -> None:  # noqa: ARG002 - the batch holds the keys
        self.write_points(batch)
        self.connection.commit()

    def write_points(self, rows: list[tuple[int, int, float, int]]) -> None:
        """The upsert of one batch."""
        marks = ", ".join([self.mark] * 4)
        statement = f"INSERT INTO point (series_pk, step, value, at_us) VALUES ({marks}) {self.update}"
        if len(rows) == 1:
            self.cursor.execute(statement, rows[0])
        else:
            self.cursor.executemany(statement, rows)

    def count(self, run: Any) -> int:
        self.cursor.execute(f"SELECT count(*) FROM point WHERE series_pk IN ({', '.join(map(str, run))})")
        return int(self.cursor.fetchone()[0])

    def add_runs(self, runs: list[RunData]) -> None:
        self._make_tables()
        rows: dict[str, list[tuple[Any, ...]]] = {"run": [], "leaf": [], "series": []}
        for run_pk, run in enumerate(runs, 1):
            rows["run"].append((run_pk, new_id(), run.name, "completed", START_US + run_pk))
            rows["leaf"] += [(run_pk, key, str(value)) for key, value in run.config.items()]
            rows["series"] += [(run_pk * 1000 + n, run_pk, *item) for n, item in enumerate(run.metrics.items())]
        for table, content in rows.items():
            self._insert(table, content)
        self.connection.commit()

    def search(self, architecture: str, metric: str, limit: int) -> list[str]:
        query = """SELECT r.id, r.name, r.status, r.start_us, s.last_value
            FROM leaf l JOIN run r ON r.pk = l.run_pk JOIN series s ON s.run_pk = r.pk AND s.name = ?
            WHERE l.name = 'architecture' AND l.value = ? ORDER BY s.last_value DESC LIMIT ?"""
        self.cursor.execute(self._sql(query), (metric, architecture, limit))
        names = [row[1] for row in self.cursor.fetchall()]
        self.connection.commit()
        return names

    def list_runs(self, limit: int) -> int:
        newest = f"SELECT pk FROM run ORDER BY start_us DESC LIMIT {limit}"
        self.cursor.execute(f"SELECT pk, id, name, status, start_us FROM run ORDER BY start_us DESC LIMIT {limit}")
        runs = {row[0]: ({}, {}) for row in self.cursor.fetchall()}
        for place, table, column in ((0, "leaf", "value"), (1, "series", "last_value")):
            self.cursor.execute(f"SELECT run_pk, name, {column} FROM {table} JOIN ({newest}) n ON n.pk = run_pk")
            for run_pk, name, value in self.cursor.fetchall():
                runs[run_pk][place][name] = value
        self.connection.commit()
        return sum(len(config) + len(metrics) for config, metrics in runs.values())

    def history(self, metric: str) -> tuple[int, int]:
        query = """SELECT step, value, at_us FROM point
            WHERE series_pk = (SELECT pk FROM series WHERE name = ? LIMIT 1) ORDER BY step"""
        self.cursor.execute(self._sql(query), (metric,))
        result = columns(self.cursor.fetchall())
        self.connection.commit()
        return result

    def close(self) -> None:
        self.connection.close()


class Sqlite(RawSql):
    """WAL and ``synchronous=NORMAL``, as ours."""

    types: ClassVar = {"big": "INTEGER", "text": "TEXT", "real": "REAL", "compact": " WITHOUT ROWID"}
    mark: ClassVar = "?"

    def connect(self) -> Any:
        connection = sqlite3.connect(
            urlsplit(self.url).path.replace("//", "/"), timeout=30, isolation_level="IMMEDIATE"
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _has_tables(self) -> bool:
        return bool(self.cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'point'").fetchone())


class PostgresqlUpsert(RawSql):
    """psycopg's executemany: one upsert a point, pipelined."""

    types: ClassVar = {"big": "bigint", "text": 'text COLLATE "C"', "real": "double precision", "compact": ""}

    def connect(self) -> Any:
        import psycopg  # noqa: PLC0415 - each class needs its own driver only

        return psycopg.connect(self.url)

    def _has_tables(self) -> bool:
        self.cursor.execute("SELECT to_regclass('point')")
        found = self.cursor.fetchone()[0] is not None
        self.connection.commit()
        return found


class PostgresqlCopy(PostgresqlUpsert):
    """Binary COPY into the table with its key. Not idempotent: a second time fails."""

    def write_points(self, rows: list[tuple[int, int, float, int]]) -> None:
        with self.cursor.copy("COPY point (series_pk, step, value, at_us) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(("int8", "int8", "float8", "int8"))
            for row in rows:
                copy.write_row(row)


class Mariadb(RawSql):
    """PyMySQL's executemany: one multi-row upsert a batch."""

    types: ClassVar = {"big": "BIGINT", "text": "VARCHAR(255)", "real": "DOUBLE", "compact": ""}
    update: ClassVar = "ON DUPLICATE KEY UPDATE value = VALUES(value), at_us = VALUES(at_us)"

    def connect(self) -> Any:
        import pymysql  # noqa: PLC0415 - each class needs its own driver only

        parts = urlsplit(self.url)
        return pymysql.connect(
            host=parts.hostname, port=parts.port, user=parts.username, database=parts.path[1:], charset="utf8mb4"
        )

    def _has_tables(self) -> bool:
        self.cursor.execute("SHOW TABLES LIKE 'point'")
        return self.cursor.fetchone() is not None
