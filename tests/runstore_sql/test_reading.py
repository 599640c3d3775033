"""Plain SQL on the views, and the indexes that searches stand on."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runstore import MetricPoint
from runstore.errors import ArtifactNotFoundError
from runstore.model import to_microseconds
from runstore.values.ids import experiment_id_of
from runstore_sql.blobs import DatabaseBlobs
from runstore_sql.dialects.like import like_pattern
from runstore_sql.schema.tables import VIEW_NAMES
from runstore_sql.store import SqlStore

OLD_COLUMNS = {
    "experiments": {"id", "name", "description", "created_at"},
    "runs": {
        "id",
        "experiment_id",
        "parent_run_id",
        "client_id",
        "training_mode",
        "status",
        "start_time",
        "end_time",
        "source_path",
    },
    "run_configurations": {"run_id", "key", "value"},
    "run_metrics": {"run_id", "metric_name", "metric_value", "step", "dataset_type", "logged_at"},
    "run_artifacts": {"run_id", "artifact_name", "artifact_path", "artifact_type"},
}


def rows(store: SqlStore, query: str) -> list[dict[str, Any]]:
    with store.database.engine.connect() as connection:
        return [dict(row) for row in connection.exec_driver_sql(query).mappings()]


def test_the_five_names_have_at_least_their_old_columns(store: SqlStore) -> None:
    with store.database.engine.connect() as connection:
        columns = {name: {column["name"] for column in sa.inspect(connection).get_columns(name)} for name in VIEW_NAMES}

    assert {name: OLD_COLUMNS[name] - columns[name] for name in VIEW_NAMES} == {name: set() for name in VIEW_NAMES}


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 21, 8, 30, 0, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2199, 7, 4, 1, 2, 3, 123_456, tzinfo=UTC),
        datetime(1600, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2300, 1, 1, 12, 0, 0, 123_457, tzinfo=UTC),
        datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_times_in_the_views_are_exact_to_the_microsecond(store: SqlStore, moment: datetime) -> None:
    experiment_id = store.get_or_create_experiment("experiment")
    run_id = store.ensure_run(experiment_id, start_time=moment)
    store.log_metrics(run_id, [MetricPoint(name="m", value=1.0, step=0, logged_at=moment)])

    (run,) = rows(store, "SELECT * FROM runs")
    (point,) = rows(store, "SELECT * FROM run_metrics")

    for shown in (run["start_time"], point["logged_at"]):
        read = datetime.fromisoformat(shown) if isinstance(shown, str) else shown
        read = read if read.tzinfo else read.replace(tzinfo=UTC)
        assert to_microseconds(read.astimezone(UTC)) == to_microseconds(moment)


def test_the_views_show_a_whole_run(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"weights")
    experiment_id = store.get_or_create_experiment("experiment", description="words")
    parent = store.ensure_run(experiment_id, run_id="parent")
    run_id = store.ensure_run(experiment_id, run_id="child", parent_run_id=parent, client_id="site-1")
    store.log_metrics(run_id, [MetricPoint(name="auroc", value=0.5, step=3, dataset_type="validation")])
    store.log_metrics(run_id, [MetricPoint(name="auroc", value=float("nan"), step=4, dataset_type="validation")])
    store.log_config(run_id, {"model": {"depth": 18}})
    store.log_artifact(run_id, tmp_path / "model.pt", artifact_type="model")
    store.heartbeat(run_id, lease_s=1e-6)
    store.finalize(parent, "completed")

    points = rows(store, "SELECT * FROM run_metrics ORDER BY step")
    runs = rows(store, "SELECT * FROM runs ORDER BY id")

    assert [(run["id"], run["parent_run_id"], run["status"]) for run in runs] == [
        ("child", "parent", "lost"),
        ("parent", None, "completed"),
    ]
    assert [(point["metric_name"], point["dataset_type"], point["non_finite"]) for point in points] == [
        ("auroc", "validation", None),
        ("auroc", "validation", "nan"),
    ]
    assert points[0]["metric_value"] == 0.5
    (leaf,) = rows(store, "SELECT * FROM run_configurations")
    assert (leaf["key"], leaf["value"], leaf["value_type"]) == ("model.depth", "18", "int")
    (artifact,) = rows(store, "SELECT * FROM run_artifacts")
    assert (artifact["artifact_name"], artifact["artifact_type"], artifact["size"]) == ("model.pt", "model", 7)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"filter": "config.model.depth = 18"}, "runstore_config_leaf_by_number"),
        ({"filter": "config.model.name = 'resnet'"}, "runstore_config_leaf_by_text"),
        ({"filter": "tag.owner = 'ada'"}, "runstore_tag_by_value"),
        ({"filter": "config.seed = 7", "order_by": ["metric.train.loss.min"]}, "runstore_series_identity"),
        ({"experiment_id": experiment_id_of("experiment 3")}, "runstore_run_by_experiment"),
    ],
)
def test_a_hot_search_stands_on_its_index(store: SqlStore, query: dict[str, Any], index: str) -> None:
    fill(store)

    plan = plan_of(store, lambda: store.search_runs(**query))

    # SQLite names the index of a unique key after the table.
    assert index in plan or "sqlite_autoindex_runstore_series" in plan


def test_the_children_of_a_run_are_found_by_their_index(store: SqlStore) -> None:
    fill(store)

    plan = plan_of(store, lambda: store.list_children("run-0"))

    assert "runstore_run_by_parent" in plan


def fill(store: SqlStore) -> None:
    """Enough runs that a planner prefers an index, and statistics for it to know."""
    experiments = [store.get_or_create_experiment(f"experiment {index}") for index in range(20)]
    for index in range(120):
        run_id = store.ensure_run(
            experiments[index % 20],
            run_id=f"run-{index}",
            tags={"owner": f"owner {index}"},
            parent_run_id="run-0" if index > 100 else None,
        )
        store.log_config(run_id, {"model": {"depth": index, "name": f"name {index}"}, "seed": index})
        store.log_metrics(run_id, [MetricPoint(name="loss", value=1.0 / (index + 1), step=0, dataset_type="train")])


def plan_of(store: SqlStore, search: Any) -> str:
    """The plan of the last statement that a search sends, as the database tells it."""
    engine = store.database.engine
    sent: list[tuple[str, Any]] = []

    def record(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", record)
    search()
    sa.event.remove(engine, "before_cursor_execute", record)
    statement, parameters = sent[-1]
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            # 120 rows fit in a few pages, which PostgreSQL would rather read whole.
            connection.exec_driver_sql("SET enable_seqscan = off")
            connection.exec_driver_sql("ANALYZE")  # without figures it takes one index for as good as another
        explain = {"sqlite": "EXPLAIN QUERY PLAN "}.get(engine.dialect.name, "EXPLAIN ")
        plan = connection.exec_driver_sql(explain + statement, parameters).all()
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("RESET enable_seqscan")
    return "\n".join(str(tuple(row)) for row in plan)


def test_a_pattern_is_spelled_as_like_takes_it() -> None:
    assert like_pattern(r"a%_*[x\%\_!") == "a_%*[x!%!_!!"


def test_a_short_text_is_found_in_its_index_alone(store: SqlStore) -> None:
    fill(store)

    plan = plan_of(store, lambda: store.search_runs("config.model.name = 'resnet'"))

    (line,) = [line for line in plan.splitlines() if "runstore_config_leaf_by_text" in line]
    reads_only_index = {
        "sqlite": "USING COVERING INDEX" in line,
        "postgresql": "kind" not in plan,  # whether it then reads the row depends on the last VACUUM
        "mysql": "Using index" in line and "Using index condition" not in line,
    }
    assert reads_only_index[store.database.dialect.name]


def test_a_text_is_no_other_value_that_is_written_alike(store: SqlStore) -> None:
    values: list[Any] = [
        1,
        1.5,
        -1,
        True,
        False,
        None,
        math.nan,
        math.inf,
        -math.inf,
        [],
        ["a"],
        {},
        "",
        "a",
        "x" * 64,
        "x" * 65,
    ]
    texts = ["1", "1.5", "-1", "true", "false", "null", "nan", "inf", "-inf", "[]", '["a"]', "{}", *values[-4:]]
    experiment = store.get_or_create_experiment("texts")
    for value in (*values, *texts[:12]):
        run_id = store.ensure_run(experiment, name=repr(value))
        store.log_config(run_id, {"key": value})

    found = [[run.name for run in store.search_runs(f"config.key = '{text}'").items] for text in texts]

    assert found == [[repr(text)] for text in texts]


def test_bytes_in_the_database_are_kept_once_and_found_when_whole(store: SqlStore, tmp_path: Path) -> None:
    blobs = DatabaseBlobs(store.database)
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(range(256)) * 10_000)

    first, second = blobs.put(file), blobs.put(file)

    assert first == second
    with blobs.open(first.sha256) as stream:
        assert stream.read() == file.read_bytes()
    assert rows(store, "SELECT sha256, size FROM runstore_blob") == [{"sha256": first.sha256, "size": 2_560_000}]
    assert len(rows(store, "SELECT number FROM runstore_blob_chunk")) == 3
    with pytest.raises(ArtifactNotFoundError):
        blobs.open("0" * 64)


def test_texts_of_every_length_and_case_are_told_apart(store: SqlStore) -> None:
    names = ["a", "a ", "A", "á", "\u00e1x", "ß", "ss", "\U0001f600", "a" * 255]

    ids = [store.get_or_create_experiment(name) for name in names]

    assert len(set(ids)) == len(names)
    assert [experiment.name for experiment in store.list_experiments().items] == sorted(names)


def test_the_summaries_of_a_run_of_2500_series_are_all_there_and_in_order(store: SqlStore, run_id: str) -> None:
    names = [f'{number % 7}/"quoted\\ é \U0001f600 {number}' for number in range(2500)]
    store.log_metrics(run_id, [MetricPoint(name=name, value=0.1 + 0.2, step=2**63 - 1) for name in names])

    summaries = store.get_summaries_of([run_id])[run_id]

    assert [summary.name for summary in summaries] == sorted(names)
    assert {(summary.count, summary.last.step, summary.max and summary.max.value) for summary in summaries} == {
        (1, 2**63 - 1, 0.30000000000000004)
    }


def test_the_summaries_of_many_runs_are_exact_and_in_order(store: SqlStore) -> None:
    values = [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf, 2.0]
    experiment = store.get_or_create_experiment("many")
    ids = [store.ensure_run(experiment) for _ in range(20)]
    for number, run_id in enumerate(ids[:-1]):
        points = [
            MetricPoint(name=name, value=value, step=step, dataset_type=kind)
            for name in ("b", "a", "é")
            for kind in ("validation", "train")
            for step, value in enumerate(values[number % 8 :] + values[: number % 5])
        ]
        store.log_metrics(run_id, points)

    together = store.get_summaries_of(ids)

    assert repr(together) == repr({run_id: store.get_summaries(run_id) for run_id in ids})
    assert together[ids[-1]] == ()
    for number, run_id in enumerate(ids[:-1]):
        logged = values[number % 8 :] + values[: number % 5]
        finite = [value for value in logged if math.isfinite(value)]
        assert [(one.name, str(one.dataset_type)) for one in together[run_id]] == [
            (name, kind) for name in ("a", "b", "é") for kind in ("train", "validation")
        ]
        for one in together[run_id]:
            assert (one.count, one.non_finite_count) == (len(logged), len(logged) - len(finite))
            assert (repr(one.first.value), repr(one.last.value)) == (repr(logged[0]), repr(logged[-1]))
            assert one.last.step == len(logged) - 1
            assert (one.min and one.min.value, one.max and one.max.value) == (
                min(finite, default=None),
                max(finite, default=None),
            )
