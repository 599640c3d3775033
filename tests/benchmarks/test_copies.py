"""Runs that a database copied are the runs that the verbs would have stored."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.copies import check, copy_runs

from benchmarks import data
from runstore import MetricPoint, open_reader, open_store
from runstore.model import from_microseconds

ORIGINALS = 10
RUNS = data.search_runs(30, originals=ORIGINALS)


@pytest.fixture(params=["sqlite_url", "postgresql_url", "mariadb_url", "mongodb_replica_url"])
def url(request: pytest.FixtureRequest) -> str:
    """A new database of each kind."""
    found: str = request.getfixturevalue(request.param)
    return found


def fill(url: str, runs: list[data.RunData]) -> None:
    """Stores runs by the verbs, with the starts that copies have."""
    with closing(open_store(url, durable=False)) as store:
        experiment = store.get_or_create_experiment("copies")
        for number, run in enumerate(runs):
            copy, original = divmod(number, ORIGINALS)
            start = from_microseconds(data.START_US + original * data.SECOND_US + copy * data.COPY_LATER_US)
            run_id = store.ensure_run(experiment, name=run.name, start_time=start)
            store.log_config(run_id, run.config)
            store.log_metrics(run_id, [MetricPoint(name=name, value=run.metrics[name], step=1) for name in run.metrics])


def content(url: str) -> list[Any]:
    """All that can be read of the runs of a store, without ids and times of writing."""
    with closing(open_reader(url)) as reader:
        runs = reader.search_runs(order_by=["name"]).items
        return [
            (
                (run.name, run.status, run.attempt, run.start_time, run.experiment_id, run.tags, run.provenance),
                reader.get_config(run.id),
                reader.get_summaries(run.id),
                [list(reader.get_history(run.id, name, "other").values) for name in data.metric_names(5)],
            )
            for run in runs
        ]


@pytest.mark.server
def test_copied_runs_read_like_runs_of_the_verbs(url: str, fast_path: Path) -> None:
    by_verbs = f"sqlite:///{fast_path}/verbs.db"
    fill(by_verbs, RUNS)

    fill(url, RUNS[:ORIGINALS])
    copy_runs(url, copies=2)

    assert content(url) == content(by_verbs)
    check(url, RUNS)


@pytest.mark.server
def test_a_copied_run_can_be_written_on_and_new_ones_begun(url: str) -> None:
    fill(url, RUNS[:ORIGINALS])
    copy_runs(url, copies=2)

    with closing(open_store(url, durable=False)) as store:
        (copy,) = store.search_runs(f"name = '{RUNS[-1].name}'").items
        store.log_metrics(copy.id, [MetricPoint(name="metric0", value=2.0, step=2)])
        new = store.ensure_run(copy.experiment_id)
        store.log_metrics(new, [MetricPoint(name="metric0", value=3.0, step=1)])

        assert store.get_summaries(copy.id)[0].last.value == 2.0
        assert len(store.get_history(copy.id, "metric0", "other")) == 2
        assert len(store.search_runs().items) == len(RUNS) + 1


def test_what_the_check_finds_is_an_error(sqlite_url: str) -> None:
    fill(sqlite_url, RUNS[:ORIGINALS])
    copy_runs(sqlite_url, copies=2)
    wrong = [*RUNS[:-1], RUNS[-1]._replace(metrics=RUNS[0].metrics)]

    with pytest.raises(AssertionError, match="holds something else"):
        check(sqlite_url, wrong)
