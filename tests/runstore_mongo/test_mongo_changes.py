"""Changed, archived, deleted and restored runs: the same as in the store in memory, on both kinds of server."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runstore.backend import Store
from runstore.errors import RunDeletedError, RunNotFoundError, RunStoreError
from runstore.memory.store import MemoryStore
from runstore.model import MetricPoint, Run
from runstore_mongo.store import MongoStore

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 11, 1, 0, 0, 7, 250_000, tzinfo=UTC)

FILTERS = (
    "experiment = 'pneumonia'",
    "experiment != 'pneumonia'",
    "experiment like '%e%' and status = 'completed'",
    "experiment in ('other', 'none') or parent = 'a'",
    "not experiment = 'other'",
    "parent = 'a'",
    "duration > 7",
    "duration = 7.25 or duration in (1, 2)",
    "duration not in (7.25)",
    "duration is null",
    "duration is not null",
    "archived = true",
    "archived = false",
    "archived != true",
    "archived in (true, false)",
    "not archived = true",
    "archived is null",
    "note like '%good%'",
    "note = 'as good as it gets'",
    "note is null",
    "artifact = 'roc.png'",
    "not artifact = 'roc.png'",
    "artifact like 'roc%' and archived = false",
    "artifact in ('roc.png', 'none')",
    "artifact is null",
    "artifact is not null",
    "artifact = 'roc.png' or tag.owner = 'me'",
    "artifact = 'roc.png' and metric.train.loss > 0",
)
ORDERS = (
    ["start_time desc"],
    ["experiment desc"],
    ["duration"],
    ["archived desc", "name"],
    ["archived"],
    ["note"],
    ["metric.train.loss desc"],
)


def filled(store: Store, path: Path) -> None:
    """Six runs in two experiments: of each kind one."""
    pneumonia, other = (store.get_or_create_experiment(name) for name in ("pneumonia", "other"))
    for index, run_id in enumerate(list("abcdef")):
        store.ensure_run(
            pneumonia if index % 3 else other,
            run_id=run_id,
            name=f"run {index}",
            parent_run_id="a" if run_id in "bc" else None,
            tags={"owner": "me", "size": "1"},
            start_time=START,
        )
        store.log_metrics(run_id, [MetricPoint(name="loss", value=index % 4, step=0, dataset_type="train")])
    for run_id in "abf":
        path.write_text(run_id, encoding="utf-8")
        store.log_artifact(run_id, path, name="roc.png" if run_id != "f" else "model/best.ckpt")
    store.finalize("a", "completed", end_time=END)
    store.finalize("b", "failed", end_time=START)
    store.set_note("c", "as good as it gets")
    store.set_note("d", "bad")
    store.set_note("d", "")
    store.set_tags("d", {"size": "2", "new": "yes"})
    store.remove_tags("d", ["owner", "none"])
    store.rename_run("e", None)
    store.rename_run("f", "another")
    store.archive_run("b")
    store.archive_run("f")
    store.archive_run("d")
    store.unarchive_run("d")
    store.describe_experiment(pneumonia, "of the lung")


@pytest.fixture
def reference(tmp_path: Path) -> MemoryStore:
    store = MemoryStore()
    filled(store, tmp_path / "file")
    return store


@pytest.fixture
def changed(url: str, tmp_path: Path) -> Any:
    with MongoStore(url) as store:
        filled(store, tmp_path / "file")
        yield store


def shown(run: Run) -> tuple[Any, ...]:
    return run.id, run.name, run.note, run.tags, run.archived_at is not None, run.status, run.end_time


def everything(store: Store) -> list[Any]:
    """What reads tell of the six runs, and errors where they refuse."""

    def told(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except RunStoreError as error:
            return type(error)

    def of_run(run_id: str) -> list[Any]:
        return [
            told(lambda: shown(store.get_run(run_id))),
            told(lambda: [child.id for child in store.list_children(run_id).items]),
            told(lambda: store.get_config(run_id)),
            told(lambda: [each.count for each in store.get_summaries(run_id)]),
            told(lambda: list(store.get_history(run_id, "loss", "train").steps)),
            told(lambda: [artifact.name for artifact in store.list_artifacts(run_id)]),
            told(lambda: content_of(store, run_id)),
            run_id in store.get_configs(list("abcdef")),
            run_id in store.get_summaries_of(list("abcdef")),
        ]

    found = [of_run(run_id) for run_id in "abcdef"]
    found += [told(lambda order=order: pages(store, None, order)) for order in ORDERS]  # type: ignore[misc]
    found += [told(lambda text=text: pages(store, text, ["start_time desc"])) for text in FILTERS]  # type: ignore[misc]
    found.append([(each.name, each.description) for each in store.list_experiments().items])
    return found


def content_of(store: Store, run_id: str) -> bytes:
    with store.open_artifact(run_id, "roc.png") as file:
        return file.read()


def pages(store: Store, text: str | None, order: list[str]) -> list[str]:
    """The ids of all pages of two runs each."""
    found: list[str] = []
    cursor = None
    while True:
        page = store.search_runs(text, order_by=order, limit=2, cursor=cursor)
        found += [run.id for run in page.items]
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


def test_changed_runs_are_read_and_found_as_in_memory(changed: MongoStore, reference: MemoryStore) -> None:
    assert everything(changed) == everything(reference)


@pytest.mark.parametrize("order", ORDERS)
def test_every_filter_and_order_finds_the_same_runs_with_archived_ones(
    changed: MongoStore, reference: MemoryStore, order: list[str]
) -> None:
    for text in FILTERS:
        wanted = f"({text}) and archived in (true, false)"

        assert pages(changed, wanted, order) == pages(reference, wanted, order), text


def test_deleted_runs_are_hidden_and_come_back_with_what_they_were_sent_meanwhile(
    changed: MongoStore, reference: MemoryStore, tmp_path: Path
) -> None:
    for store in (changed, reference):
        for run_id in "abc":
            store.delete_run(run_id)
        store.log_metrics("c", [MetricPoint(name="loss", value=1, step=5, dataset_type="train")])
        store.log_config("c", {"lr": 0.1})
        (tmp_path / "late").write_text("late", encoding="utf-8")
        store.log_artifact("c", tmp_path / "late", name="late")
        store.heartbeat("c", lease_s=60)
        store.finalize("c", "completed", end_time=END)
    while_deleted = everything(changed)
    hidden = everything(reference)

    for store in (changed, reference):
        store.delete_run("b")
        store.restore_run("c")
        store.restore_run("b")

    assert while_deleted == hidden
    assert everything(changed) == everything(reference)


def test_a_deleted_run_is_not_revived_by_being_begun_again(changed: MongoStore) -> None:
    experiment_id = changed.get_or_create_experiment("pneumonia")
    changed.delete_run("a")

    with pytest.raises(RunDeletedError):
        changed.ensure_run(experiment_id, run_id="a", resume=True)
    with pytest.raises(RunDeletedError):
        changed.set_note("a", "x")
    with pytest.raises(RunNotFoundError):
        changed.delete_run("none")


def test_a_call_without_points_is_refused_by_a_purged_run_that_this_handle_has_begun(changed: MongoStore) -> None:
    run_id = changed.ensure_run(changed.get_or_create_experiment("pneumonia"))
    changed.delete_run(run_id)
    changed.log_metrics(run_id, [])
    changed.collect_garbage(deleted_before=datetime.now(UTC) + timedelta(hours=1), dry_run=False)

    with pytest.raises(RunDeletedError):
        changed.log_metrics(run_id, [])


def purge(url: str) -> None:
    with MongoStore(url) as store:
        store.collect_garbage(deleted_before=datetime.now(UTC) + timedelta(hours=1), dry_run=False)


def left_of(store: MongoStore, run_id: str) -> set[str]:
    """The collections that hold something of a run beside its document."""
    names = ("run_series", "run_buckets", "run_rollups", "run_artifacts")
    keys = {"_id": {"$regex": f"^{run_id}\n"}}
    return {name for name in names if store._connection.collection(name).find_one(keys) is not None}  # noqa: SLF001


def test_what_writers_leave_of_a_run_that_is_purged_meanwhile_is_collected(
    url: str, store: MongoStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"))
    points = [MetricPoint(name="loss", value=1.0, step=step, dataset_type="train") for step in range(10_000)]
    store.log_metrics(run_id, points[:100])
    store.delete_run(run_id)
    mover, look, heartbeat = store._points._writer, store._points._writer._load, store._keep_alive  # noqa: SLF001

    def look_and_purge(keys: Any) -> Any:
        found = look(keys)
        purge(url)
        return found

    def keep_alive_and_purge(run_id: str) -> None:
        heartbeat(run_id)
        purge(url)

    monkeypatch.setattr(mover, "_load", look_and_purge)
    store.log_metrics(run_id, points[100:])  # so many are moved at once
    moved = left_of(store, run_id)
    purge(url)
    after_move = left_of(store, run_id)

    with_artifact = store.ensure_run(store.get_or_create_experiment("pneumonia"))
    store.delete_run(with_artifact)
    monkeypatch.setattr(store, "_keep_alive", keep_alive_and_purge)
    (tmp_path / "late").write_text("late", encoding="utf-8")
    store.log_artifact(with_artifact, tmp_path / "late")
    recorded = left_of(store, with_artifact)
    purge(url)
    after_record = left_of(store, with_artifact)

    assert ("run_buckets" in moved, recorded) == (True, {"run_artifacts"})
    assert (after_move, after_record) == (set(), set())


def test_a_purged_run_is_looked_through_until_no_writer_can_be_at_it(url: str, store: MongoStore, run_id: str) -> None:
    store.delete_run(run_id)
    runs = store._connection.collection("runs")  # noqa: SLF001 - what is stored

    purge(url)
    purge(url)
    is_marked = runs.find_one({"_id": run_id}, {"is_purging": 1})
    runs.update_one({"_id": run_id}, {"$inc": {"purged_at": -7_200_000_000}})
    purge(url)

    assert is_marked == {"_id": run_id, "is_purging": True}
    assert runs.find_one({"_id": run_id}, {"is_purging": 1}) == {"_id": run_id}


def test_an_artifact_is_refused_by_a_purged_run_that_this_handle_has_just_written_to(
    url: str, store: MongoStore, run_id: str, tmp_path: Path
) -> None:
    (tmp_path / "late").write_text("late", encoding="utf-8")
    store.log_artifact(run_id, tmp_path / "late")
    store.delete_run(run_id)
    purge(url)
    store._remember_heartbeat(run_id)  # noqa: SLF001 - none is due, however slow this was

    with pytest.raises(RunDeletedError):
        store.log_artifact(run_id, tmp_path / "late")

    assert left_of(store, run_id) == set()


def test_a_deleted_experiment_is_hidden_with_its_runs_until_it_is_used_again(
    changed: MongoStore, reference: MemoryStore
) -> None:
    seen = []
    for store in (changed, reference):
        experiment_id = store.get_or_create_experiment("pneumonia")
        store.delete_experiment(experiment_id)
        hidden = everything(store)
        with pytest.raises(RunDeletedError):
            store.ensure_run(experiment_id, run_id="b")
        still_hidden = everything(store)
        store.ensure_run(experiment_id, run_id="new")
        seen.append((hidden, still_hidden, everything(store), store.get_run("new").experiment_id == experiment_id))

    assert seen[0] == seen[1]


def test_two_handles_that_set_different_tags_lose_none(url: str, changed: MongoStore) -> None:
    with MongoStore(url) as other:
        changed.set_tags("a", {"left": "1"})
        other.set_tags("a", {"right": "2"})
        changed.set_tags("a", {"left": "3"})

    assert changed.get_run("a").tags == {"left": "3", "owner": "me", "right": "2", "size": "1"}


def test_the_views_hide_what_is_deleted(changed: MongoStore) -> None:
    changed.log_config("a", {"lr": 0.1})
    changed.log_config("d", {"lr": 0.2})
    changed.delete_run("a")
    database = changed._connection.database  # noqa: SLF001 - what plain pymongo sees

    assert database["run_configurations"].distinct("run_id") == ["d"]
    assert sorted(database["run_metrics"].distinct("run_id")) == list("bcdef")
