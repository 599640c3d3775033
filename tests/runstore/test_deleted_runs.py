"""What is said of a run that was deleted: that it was, and whether it can still be restored."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runstore import MetricPoint, RunDeletedError, RunNotFoundError, Store, open_store

READS: list[tuple[str, Callable[[Store, str], Any]]] = [
    ("get_run", lambda store, run_id: store.get_run(run_id)),
    ("resolve_run", lambda store, run_id: store.resolve_run(run_id)),
    ("get_config", lambda store, run_id: store.get_config(run_id)),
    ("get_summaries", lambda store, run_id: store.get_summaries(run_id)),
    ("get_history", lambda store, run_id: store.get_history(run_id, "loss", "train")),
    ("sample_history", lambda store, run_id: store.sample_history(run_id, "loss", "train")),
    ("history_frame", lambda store, run_id: store.history_frame(run_id, as_="frame")),
    ("list_children", lambda store, run_id: store.list_children(run_id)),
    ("list_artifacts", lambda store, run_id: store.list_artifacts(run_id)),
    ("open_artifact", lambda store, run_id: store.open_artifact(run_id, "a")),
]
WRITES: list[tuple[str, Callable[[Store, str], Any]]] = [
    ("restore_run", lambda store, run_id: store.restore_run(run_id)),
    ("rename_run", lambda store, run_id: store.rename_run(run_id, "a")),
    ("log_config", lambda store, run_id: store.log_config(run_id, {"a": 1})),
    ("log_metrics", lambda store, run_id: store.log_metrics(run_id, [MetricPoint("loss", 0.5, 1)])),
    ("ensure_run", lambda store, run_id: store.ensure_run(run_id=run_id, resume=True)),
]


def named(calls: list[tuple[str, Callable[[Store, str], Any]]]) -> list[Any]:
    return [pytest.param(call, id=name) for name, call in calls]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    url = "memory://" if request.param == "memory" else request.getfixturevalue("sqlite_url")
    with open_store(url, durable=False) as opened:
        yield opened


def a_deleted_run(store: Store) -> str:
    run_id = store.ensure_run(store.get_or_create_experiment("e"), name="a")
    store.delete_run(run_id)
    return run_id


@pytest.mark.parametrize("read", named(READS))
def test_a_read_of_a_deleted_run_says_that_it_was_deleted_and_how_to_restore_it(
    store: Store, read: Callable[[Store, str], Any]
) -> None:
    run_id = a_deleted_run(store)

    with pytest.raises(RunDeletedError, match=rf"'{run_id}' was deleted; restore_run\('{run_id}'\) brings it back"):
        read(store, run_id)


@pytest.mark.parametrize("call", named(READS + WRITES))
def test_once_its_data_are_gone_nobody_is_sent_to_restore_it(store: Store, call: Callable[[Store, str], Any]) -> None:
    run_id = a_deleted_run(store)
    store.collect_garbage(deleted_before=datetime.now(UTC) + timedelta(days=1), owns_artifacts=False, dry_run=False)

    with pytest.raises(RunDeletedError, match="too late for restore_run") as raised:
        call(store, run_id)
    assert "brings it back" not in str(raised.value)


@pytest.mark.parametrize("read", named([each for each in READS if each[0] not in {"resolve_run", "history_frame"}]))
def test_a_run_that_never_was_is_looked_for_by_its_name(store: Store, read: Callable[[Store, str], Any]) -> None:
    with pytest.raises(RunNotFoundError, match=r"no run has the id 'vit' .*resolve_run\('vit'\)") as raised:
        read(store, "vit")
    assert not isinstance(raised.value, RunDeletedError)
