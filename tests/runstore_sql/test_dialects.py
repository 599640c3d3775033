"""Dialects: each in a folder of its own, found by that alone; its quick ways give what the plain ones give."""

import ast
import math
import random
from functools import partial
from pathlib import Path

import pytest

import runstore_sql
from runstore import MetricPoint
from runstore.backend import StepRange
from runstore.hookspecs import OpenOptions
from runstore_sql import dialects
from runstore_sql.dialects.kinds import kinds
from runstore_sql.opening import open_sql
from runstore_sql.plugin import runstore_backends
from runstore_sql.store import SqlStore

SOURCE = Path(runstore_sql.__file__).parent
ANOTHER = '''
"""SQLite once more, under a name of its own."""

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from runstore_sql.dialects.sqlite.dialect import SqliteDialect


class Another(SQLiteDialect_pysqlite):
    name = "another"
    supports_statement_cache = True


registry.impls["another"] = lambda: Another


class AnotherDialect(SqliteDialect):
    name = "another"
    driver = "another"


DIALECT = AnotherDialect()
'''


def test_no_code_outside_the_folders_asks_for_a_dialect_by_name() -> None:
    names = {name for kind in kinds() for name in (kind.name, *kind.schemes)}

    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno} names {node.value!r}"
        for path in SOURCE.rglob("*.py")
        if "dialects" not in path.relative_to(SOURCE).parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in names
    ]

    assert found == []


def test_a_new_dialect_is_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "another"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from runstore_sql.dialects.kinds import Kind\n"
        "KIND = Kind(name='another', schemes=('another',), install='another-package')\n"
    )
    (folder / "dialect.py").write_text(ANOTHER)
    monkeypatch.setattr(dialects, "__path__", [*dialects.__path__, str(tmp_path)])

    assert "another" in {backend.name for backend in runstore_backends()}
    with open_sql(f"another:///{tmp_path / 'runs.db'}", OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("experiment"))
        store.log_metrics(run_id, [MetricPoint(name="m", value=0.5, step=3)])
        store.log_config(run_id, {"lr": 0.1})

        assert [found.id for found in store.search_runs("metric.other.m.last = 0.5").items] == [run_id]
        assert store.get_history(run_id, "m", "other").values[0] == 0.5


@pytest.fixture
def many(store: SqlStore) -> list[str]:
    """Runs without series, with one, and with many whose values are of every kind."""
    source = random.Random(5)
    values = [
        0.0,
        -0.0,
        math.nan,
        math.inf,
        -math.inf,
        5e-324,
        1.7976931348623157e308,
        *(source.gauss(0, 1) for _ in range(9)),
    ]
    experiment_id = store.get_or_create_experiment("many")
    run_ids = [store.ensure_run(experiment_id) for _ in range(4)]
    store.log_metrics(run_ids[1], [MetricPoint(name="only", value=math.nan, step=0)])
    for run_id, series in ((run_ids[2], 40), (run_ids[3], 1100)):
        store.log_metrics(
            run_id,
            [
                MetricPoint(name=f"m/{number} é", value=source.choice(values), step=step, dataset_type=kind)
                for number in range(series)
                for kind in ("train", "validation")
                for step in range(1 + number % 3)
            ],
        )
    return [*run_ids, "no-such-run"]


def test_the_quick_listing_gives_what_the_plain_one_gives(store: SqlStore, many: list[str]) -> None:
    dialect, with_driver = store.database.dialect, store.database.with_driver

    quick = with_driver(lambda connection: dialect.listing().quick(many, connection))
    plain = with_driver(lambda connection: dialect.listing().plain(many, connection))

    assert list(map(len, quick.values())) == [len(plain[run_id]) for run_id in quick]
    assert repr(sorted(quick.items())) == repr(sorted(plain.items()))


@pytest.mark.parametrize("stride", [1, 3], ids=["dense", "sparse"])
def test_the_quick_history_gives_what_the_plain_one_gives(store: SqlStore, run_id: str, stride: int) -> None:
    source = random.Random(stride)
    values = [math.nan, math.inf, -math.inf, -0.0, 5e-324, *(source.gauss(0, 1) for _ in range(500))]
    store.log_metrics(
        run_id, [MetricPoint(name="m", value=value, step=stride * step) for step, value in enumerate(values)]
    )
    quick, plain = (store.database.dialect.histories(is_plain=is_plain) for is_plain in (False, True))

    for low, high in ((0, 10**6), (3, 40), (40, 3), (7, 7)):
        steps = StepRange(low, high)
        read = [partial(each.whole, run_id=run_id, series=("m", "other"), steps=steps) for each in (quick, plain)]

        assert repr(store.database.with_driver(read[0])) == repr(store.database.with_driver(read[1]))


def test_the_plain_ways_can_be_asked_for(
    url: str, many: list[str], store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the quick way was taken")

    expected = store.get_summaries_of(many), store.get_history(many[1], "only", "other")
    dialect = store.database.dialect
    monkeypatch.setattr(type(dialect.listing()), "quick", refused)
    monkeypatch.setattr(type(dialect.histories()), "points", refused)
    monkeypatch.setenv("RUNSTORE_SQL_PLAIN", "1")

    with open_sql(url, OpenOptions()) as slow:
        found = slow.get_summaries_of(many), slow.get_history(many[1], "only", "other")

    assert repr(found) == repr(expected)
