"""The recipe of ``docs/scale.md``: the points of PostgreSQL in partitions, and nothing else changes."""

import re
from contextlib import closing
from pathlib import Path

import psycopg

from runstore import MetricPoint, open_store

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"


def recipe() -> str:
    """The statements of the page, as a reader would copy them."""
    blocks: list[str] = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return next(block for block in blocks if "PARTITION BY RANGE" in block)


def some_points(first: int, last: int, *, value: float) -> list[MetricPoint]:
    return [MetricPoint(name=name, value=value + step, step=step) for name in "ab" for step in range(first, last)]


def test_a_store_whose_points_were_moved_into_partitions_goes_on_as_before(postgresql_url: str) -> None:
    with closing(open_store(postgresql_url, durable=False)) as store:
        experiment = store.get_or_create_experiment("lab")
        old = store.ensure_run(experiment)
        store.log_metrics(old, some_points(0, 50, value=0.0))

        with psycopg.connect(postgresql_url) as connection:
            connection.execute(recipe())
        store.log_metrics(old, some_points(40, 60, value=100.0))  # overwrites some, appends others
        new = store.ensure_run(experiment)
        store.log_metrics(new, some_points(0, 2_000, value=0.0))

        history = store.get_history(old, "a", "other")
        assert list(history.steps) == list(range(60))
        assert [history.values[step] for step in (39, 40, 59)] == [39.0, 140.0, 159.0]
        summary = store.get_summaries(old)[0]
        assert (summary.count, summary.last.value, summary.max and summary.max.value) == (60, 159.0, 159.0)
        sample = store.sample_history(new, "b", "other", max_points=10)
        assert (sample.steps[0], sample.steps[-1], sample.represents) == (0, 1_999, 2_000)


def test_one_series_is_read_from_one_partition(postgresql_url: str) -> None:
    with closing(open_store(postgresql_url, durable=False)) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("lab"))
        store.log_metrics(run_id, some_points(0, 50, value=0.0))

    with psycopg.connect(postgresql_url) as connection:
        connection.execute(recipe())
        plan = connection.execute("EXPLAIN SELECT step, value FROM runstore_point WHERE series_pk = 1").fetchall()
        partitions = {part for (line,) in plan for part in re.findall(r"runstore_point_\w+?(?=_pkey|\s|$)", line)}

    assert len(partitions) == 1, plan
