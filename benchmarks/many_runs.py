"""Puts many runs into a SQL store at once: what a laboratory's training of a year leaves, in a minute.

Each has 4 settings, a tag, and 6 series of 3 points; of 200 runs one goes on, all others have ended. Rows go in by the
driver's quickest way, as the store's own verbs would have written them.
"""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from runstore.hookspecs import OpenOptions
from runstore_sql.opening import open_sql
from runstore_sql.schema.tables import RESULT_COLUMNS, config, config_leaf, run, series, tag

SERIES: Final = (
    ("train", "loss"),
    ("train", "accuracy"),
    ("validation", "loss"),
    ("validation", "auroc"),
    ("test", "auroc"),
    ("test", "sensitivity"),
)
EXPERIMENTS: Final = 10
OWNERS: Final = tuple(f"owner-{number}" for number in range(20))
DEPTHS: Final = (18, 34, 50, 101)
OPTIMIZERS: Final = ("adam", "adamw", "lamb", "lion", "sgd")
RATES: Final = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
POINTS: Final = 3
LIVE_EVERY: Final = 200
START_US: Final = 1_750_000_000_000_000
_STEP_US: Final = 60_000_000
_BATCH: Final = 2_000
_FOREVER_US: Final = 2**61

Rows = dict[str, list[tuple[Any, ...]]]

COLUMNS: Final = {
    "runstore_experiment": ["pk", "id", "name", "created_us"],
    run.name: [
        *("pk", "id", "experiment_pk", "name", "training_mode", "status", "attempt", "settled", "start_us", "end_us"),
        *("heartbeat_us", "expires_us", "lease_s", "tags", "provenance"),
    ],
    tag.name: ["run_pk", "key", "head", "value"],
    config.name: ["run_pk", "document"],
    config_leaf.name: ["run_pk", "key", "kind", "number", "special", "head", "value"],
    series.name: [
        *("pk", "run_pk", "name", "dataset_type", "count", "non_finite_count"),
        *(f"{stat}_{part}" for stat in ("first", "last", "min", "max") for part in ("step", "value", "special")),
    ],
}
_RESULTS: Final = (
    "INSERT INTO runstore_metric (name, dataset_type) SELECT DISTINCT name, dataset_type FROM runstore_series",
    f"""INSERT INTO runstore_result (run_pk, metric_pk, {", ".join(RESULT_COLUMNS)})
    SELECT s.run_pk, m.pk, {", ".join(f"s.{name}" for name in RESULT_COLUMNS)}
    FROM runstore_run r JOIN runstore_series s ON s.run_pk = r.pk
    JOIN runstore_metric m ON m.name = s.name AND m.dataset_type = s.dataset_type
    WHERE r.settled = r.attempt ORDER BY s.run_pk, m.pk""",
)


def load(url: str, count: int) -> None:
    """Fills an empty database with so many runs."""
    with open_sql(url, OpenOptions()):
        pass
    put = {"sqlite": _Sqlite, "postgresql": _Postgresql, "mysql": _Mysql}[urlsplit(url).scheme](url)
    with closing(put):
        for rows in rows_of(count):
            for name, found in rows.items():
                if found:
                    put.rows(name, COLUMNS[name], found)
        for statement in _RESULTS:
            put.execute(statement)
        for step in range(POINTS):
            put.execute(
                "INSERT INTO runstore_point (series_pk, step, value, logged_at_us) "
                f"SELECT pk, {step}, coalesce(last_value, 0.5), {START_US} FROM runstore_series ORDER BY pk"
            )
        put.settle()


def rows_of(count: int) -> Iterator[Rows]:
    draw = random.Random(12)
    experiments = [(pk, f"{pk:032x}", f"experiment {pk}", START_US) for pk in range(1, EXPERIMENTS + 1)]
    rows: Rows = {name: [] for name in COLUMNS}
    rows["runstore_experiment"] = experiments
    for pk in range(1, count + 1):
        _add_run(rows, draw, pk)
        if pk % _BATCH == 0 or pk == count:
            yield rows
            rows = {name: [] for name in COLUMNS}


def _add_run(rows: Rows, draw: random.Random, pk: int) -> None:
    owner, depth, optimizer, rate = (
        draw.choice(OWNERS),
        draw.choice(DEPTHS),
        draw.choice(OPTIMIZERS),
        draw.choice(RATES),
    )
    start_us = START_US + pk * _STEP_US
    is_live = pk % LIVE_EVERY == 0
    status = "in_progress" if is_live else "failed" if pk % 20 == 1 else "completed"
    end_us = None if is_live else start_us + 30 * _STEP_US
    rows[run.name].append(
        (
            *(pk, f"019a-{pk:012x}", 1 + pk % EXPERIMENTS, f"run {pk}", "centralized", status, 1),
            *(None if is_live else 1, start_us, end_us, start_us, _FOREVER_US, 86400.0),
            *(f'{{"owner":"{owner}"}}', "{}"),
        )
    )
    rows[tag.name].append((pk, "owner", owner, owner))
    document = f'{{"model":{{"depth":{depth},"optimizer":"{optimizer}"}},"lr":{rate!r},"seed":{pk}}}'
    rows[config.name].append((pk, document))
    for key, kind, number, text in (
        ("lr", "float", rate, repr(rate)),
        ("model.depth", "int", float(depth), str(depth)),
        ("model.optimizer", "str", None, optimizer),
        ("seed", "int", float(pk), str(pk)),
    ):
        rows[config_leaf.name].append((pk, key, kind, number, 0, text, text))
    for index, (dataset_type, name) in enumerate(SERIES):
        first, last, low, high = draw.random(), draw.random(), draw.random() - 1.0, draw.random() + 1.0
        if name == "auroc" and pk % 500 == 7:  # a run that diverged
            ends = (0, None, 2, 2, None, 2, None, None, None, None, None, None)
            summary = (POINTS, POINTS, *ends)
        else:
            summary = (POINTS, 0, 0, first, 0, 2, last, 0, 1, low, 0, 1, high, 0)
        rows[series.name].append((pk * len(SERIES) + index, pk, name, dataset_type, *summary))


class _Sqlite:
    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(unquote(urlsplit(url).path), isolation_level=None)
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("BEGIN")

    def rows(self, name: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
        names, marks = ", ".join(f'"{column}"' for column in columns), ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {name} ({names}) VALUES ({marks})", rows)

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def settle(self) -> None:
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class _Postgresql:
    def __init__(self, url: str) -> None:
        import psycopg  # noqa: PLC0415 - only who measures this backend needs its driver

        self._connection = psycopg.connect(url, autocommit=True)

    def rows(self, name: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
        names = ", ".join(f'"{column}"' for column in columns)
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def settle(self) -> None:
        for name in COLUMNS:
            if "pk" in COLUMNS[name]:
                self._connection.execute(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'pk'), (SELECT max(pk) FROM {name}))"
                )
        self._connection.execute("VACUUM ANALYZE")

    def close(self) -> None:
        self._connection.close()


class _Mysql:
    def __init__(self, url: str) -> None:
        import pymysql  # noqa: PLC0415 - only who measures this backend needs its driver

        parts = urlsplit(url)
        self._connection = pymysql.connect(
            host=parts.hostname, port=parts.port or 3306, user=parts.username, database=parts.path[1:]
        )

    def rows(self, name: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
        names, marks = ", ".join(f"`{column}`" for column in columns), ", ".join(["%s"] * len(columns))
        with self._connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {name} ({names}) VALUES ({marks})", rows)
        self._connection.commit()

    def execute(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
        self._connection.commit()

    def settle(self) -> None:
        for name in (*COLUMNS, "runstore_point", "runstore_metric", "runstore_result"):
            self.execute(f"ANALYZE TABLE {name}")

    def close(self) -> None:
        self._connection.close()
