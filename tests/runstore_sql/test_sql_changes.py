"""What is changed about runs after they began, in each SQL database; the kit tests what every backend must do."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from runstore import MetricPoint
from runstore.backend import Presence
from runstore.errors import ExperimentNotFoundError, RunDeletedError, RunNotFoundError
from runstore_sql.schema.tables import experiment, run, tag
from runstore_sql.store import SqlStore


def _filled(store: SqlStore, run_id: str, path: Path) -> None:
    path.write_bytes(b"bytes")
    store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=step) for step in range(3)])
    store.log_config(run_id, {"lr": 0.1})
    store.log_artifact(run_id, path)


def test_no_read_shows_a_deleted_run_and_restored_it_has_all_it_had_and_was_sent(
    store: SqlStore, run_id: str, tmp_path: Path
) -> None:
    _filled(store, run_id, tmp_path / "a.bin")

    store.delete_run(run_id)

    assert store.find_run(run_id) is None
    assert store.presence_of(run_id) is Presence.DELETED
    assert store.search_runs().items == ()
    assert store.read_configs([run_id]) == {}
    assert store.read_summaries([run_id]) == {}
    assert store.read_artifacts(run_id) == []
    assert store.read_artifact(run_id, "a.bin") is None
    for read in (
        lambda: store.get_history(run_id, "loss", "other"),
        lambda: store.sample_history(run_id, "loss", "other"),
        lambda: store.list_children(run_id),
        lambda: store.open_artifact(run_id, "a.bin"),
    ):
        with pytest.raises(RunNotFoundError):
            read()

    store.log_metrics(run_id, [MetricPoint(name="loss", value=0.25, step=3), MetricPoint(name="late", value=1, step=1)])
    store.log_config(run_id, {"depth": 18})
    store.finalize(run_id, "completed")
    store.restore_run(run_id)

    assert store.get_run(run_id).status == "completed"
    assert list(store.get_history(run_id, "loss", "other").values) == [0.5, 0.5, 0.5, 0.25]
    assert [summary.name for summary in store.get_summaries(run_id)] == ["late", "loss"]
    assert store.get_config(run_id) == {"lr": 0.1, "depth": 18}
    assert [artifact.name for artifact in store.list_artifacts(run_id)] == ["a.bin"]


def test_a_deleted_run_can_neither_be_begun_nor_changed(store: SqlStore, run_id: str) -> None:
    experiment_id = store.get_or_create_experiment("experiment")

    store.delete_run(run_id)

    for change in (
        lambda: store.ensure_run(experiment_id, run_id=run_id),
        lambda: store.ensure_run(experiment_id, run_id=run_id, resume=True),
        lambda: store.rename_run(run_id, "name"),
        lambda: store.set_tags(run_id, {"a": "b"}),
        lambda: store.archive_run(run_id),
    ):
        with pytest.raises(RunDeletedError):
            change()


def test_tags_are_changed_in_the_run_and_in_the_rows_that_searches_read(store: SqlStore) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("experiment"), tags={"a": "1", "b": "2", "c": "3"})

    store.set_tags(run_id, {"b": "20", "d": "4"})
    store.remove_tags(run_id, ["c", "never"])

    kept = {"a": "1", "b": "20", "d": "4"}
    assert store.get_run(run_id).tags == kept
    rows = store.database.read(lambda connection: connection.execute(sa.select(tag.c.key, tag.c.value)).all())
    assert {row.key: row.value for row in rows} == kept
    assert [found.id for found in store.search_runs("tag.b = '20'").items] == [run_id]


def test_name_note_and_archive_read_back(store: SqlStore, run_id: str) -> None:
    store.rename_run(run_id, "Größe")
    store.set_note(run_id, "two\nlines")
    store.archive_run(run_id)

    found = store.get_run(run_id)
    assert (found.name, found.note) == ("Größe", "two\nlines")
    assert found.archived_at is not None
    assert store.search_runs().items == ()

    store.archive_run(run_id)
    assert store.get_run(run_id).archived_at == found.archived_at
    store.unarchive_run(run_id)
    store.rename_run(run_id, None)
    store.set_note(run_id, "")

    assert (store.get_run(run_id).name, store.get_run(run_id).note) == (None, None)
    assert [each.id for each in store.search_runs().items] == [run_id]


def test_a_deleted_experiment_is_shown_again_once_it_is_made_or_a_run_begins_in_it(store: SqlStore) -> None:
    experiment_id = store.get_or_create_experiment("experiment")
    first = store.ensure_run(experiment_id)

    store.delete_experiment(experiment_id)

    assert store.find_experiment("experiment") is None
    assert store.list_experiments().items == ()
    assert store.presence_of(first) is Presence.DELETED
    with pytest.raises(ExperimentNotFoundError):
        store.describe_experiment(experiment_id, "text")

    second = store.ensure_run(experiment_id)
    assert [each.id for each in store.search_runs().items] == [second]
    assert store.find_experiment("experiment") is not None

    store.delete_experiment(experiment_id)
    store.get_or_create_experiment("experiment", description="anew")
    found = store.find_experiment("experiment")
    assert found is not None
    assert found.description == "anew"
    assert store.search_runs().items == ()


def test_a_restored_run_brings_its_experiment_back_and_no_other_run(store: SqlStore) -> None:
    experiment_id = store.get_or_create_experiment("experiment")
    first, _ = store.ensure_run(experiment_id), store.ensure_run(experiment_id)
    store.delete_experiment(experiment_id)
    store.delete_experiment(experiment_id)

    store.restore_run(first)

    assert store.find_experiment("experiment") is not None
    assert [each.id for each in store.search_runs().items] == [first]


def test_a_purged_run_takes_nothing_by_any_way_of_writing(store: SqlStore, run_id: str, tmp_path: Path) -> None:
    _filled(store, run_id, tmp_path / "a.bin")
    store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=3)])  # by now its series is known
    store.delete_run(run_id)
    store.database.write(lambda connection: connection.execute(run.update().values(purged_us=1)))

    points = [MetricPoint(name=name, value=1.0, step=9) for name in ("loss", "new")]
    writes: list[Callable[[], object]] = [
        lambda: store.log_metrics(run_id, points[:1]),
        lambda: store.log_metrics(run_id, points),
        lambda: store.log_metrics(run_id, [MetricPoint(name="loss", value=1.0, step=1)]),
        lambda: store.log_metrics(run_id, []),
        lambda: store.log_config(run_id, {"a": 1}),
        lambda: store.log_artifact(run_id, tmp_path / "a.bin"),
        lambda: store.finalize(run_id, "completed"),
        lambda: store.beat(run_id, 5.0),
        lambda: store.restore_run(run_id),
        lambda: store.ensure_run(store.get_or_create_experiment("experiment"), run_id=run_id),
    ]
    for write in writes:
        with pytest.raises(RunDeletedError):
            write()
    store.delete_run(run_id)
    assert store.presence_of(run_id) is Presence.PURGED


def test_runs_begin_with_as_many_statements_as_before(store: SqlStore) -> None:
    experiment_id = store.get_or_create_experiment("experiment")
    seen: list[str] = []
    sa.event.listen(
        store.database.engine, "before_cursor_execute", lambda _c, _k, statement, *_: seen.append(statement)
    )

    store.ensure_run(experiment_id)

    assert len(seen) == 4  # begin, the experiment, the run, commit
    assert experiment.name in seen[1]
