"""What a search reads follows a run that is placed, as it follows one that ends (:mod:`runstore_sql.settling`)."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa

from runstore import MetricPoint, open_store
from runstore.backend import PlacedRun
from runstore.model import Run, RunStatus
from runstore_sql.schema.tables import result, run, series
from runstore_sql.store import SqlStore
from support.settling import settle

_START = datetime(2024, 1, 1, tzinfo=UTC)


def _run(experiment_id: str, **facts: Any) -> PlacedRun:
    given: dict[str, Any] = {
        "name": None,
        "status": RunStatus.COMPLETED,
        "training_mode": "centralized",
        "parent_run_id": None,
        "client_id": None,
        "attempt": 2,
        "start_time": _START,
        "end_time": _START + timedelta(hours=1),
        "heartbeat_at": _START,
        "lease_s": 60.0,
        "source_path": None,
    }
    return PlacedRun.checked(Run(id="placed", experiment_id=experiment_id, **(given | facts)))


@pytest.mark.parametrize("fixture", ["sqlite_url", "postgresql_url", "mariadb_url"])
def test_the_results_of_a_placed_run_are_kept_while_it_has_ended_and_no_longer(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    going_on = {"status": RunStatus.IN_PROGRESS, "end_time": None}
    with open_store(request.getfixturevalue(fixture), durable=False) as opened:
        store = cast("SqlStore", opened)
        experiment_id = store.get_or_create_experiment("placed")

        def settled() -> list[Any]:
            """The attempt that is settled, and the count and the least value that are kept of it."""
            found = sa.select(run.c.settled, result.c.count, result.c.min_value).outerjoin(
                result, result.c.run_pk == run.c.pk
            )
            return [tuple(row) for row in store.database.read(lambda connection: connection.execute(found).all())]

        store.place_run(_run(experiment_id, **going_on))
        store.log_metrics("placed", [MetricPoint("loss", 0.5, 0, "train")])
        assert settled() == [(None, None, None)]

        store.place_run(_run(experiment_id))
        settle(store)
        assert settled() == [(2, 1, 0.5)]

        store.place_run(_run(experiment_id, **going_on))
        assert settled()[0][0] is None

        store.log_metrics("placed", [MetricPoint("loss", 0.25, 1, "train")])
        store.place_run(_run(experiment_id, attempt=3))
        settle(store)
        assert settled() == [(3, 2, 0.25)]


def test_a_long_history_of_a_placed_run_is_rolled_up_to_its_end(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False) as opened:
        store = cast("SqlStore", opened)
        experiment_id = store.get_or_create_experiment("placed")
        store.place_run(_run(experiment_id, status=RunStatus.IN_PROGRESS, end_time=None))
        store.log_metrics("placed", [MetricPoint("loss", float(step), step, "train") for step in range(20_000)])

        store.place_run(_run(experiment_id))

        rolled = sa.select(series.c.rolled_step)
        assert store.database.read(lambda connection: connection.execute(rolled).scalar_one()) == 16_384  # whole packs
        assert store.sample_histories([("placed", "loss", "train")], max_points=100).is_bounded
