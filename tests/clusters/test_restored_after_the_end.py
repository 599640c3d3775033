"""Real databases that are restored from a backup once their runs have ended: `sync --verify` fills them up."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runstore import MetricPoint, Store, open_reader, open_store
from runstore.recording.verifying import verify_store
from support import going_back, session
from support.servers import MariaDB, MongoDB, PostgreSQL

pytestmark = pytest.mark.server


def trained(url: str, folder: Path, name: str) -> str:
    with open_store(url) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("restored"), name=name, tags={"kept": "yes"})
        store.log_config(run_id, {"lr": 0.1})
        for step in range(300):
            store.log_metrics(run_id, [MetricPoint(f"loss {number}", step / 7, step) for number in range(20)])
        (folder / name).write_bytes(name.encode())
        store.log_artifact(run_id, folder / name)
        store.set_note(run_id, f"of {name}")
        store.finalize(run_id, "completed")
    return run_id


def what_is_there(url: str, run_ids: list[str]) -> list[object]:
    found: list[object] = []
    with open_reader(url) as reader:
        for run_id in run_ids:
            run = reader.get_run(run_id)
            found.append((run.name, run.note, run.tags, run.status, run.start_time, run.end_time, run.attempt))
            found.append(reader.get_config(run_id))
            for number in range(20):
                history = reader.get_history(run_id, f"loss {number}", "train")
                found.append((list(history.steps), list(history.values)))
            with reader.open_artifact(run_id, str(run.name)) as file:
                found.append(file.read())
    return found


def backup_of(server: object, url: str) -> Callable[[], None]:
    if isinstance(server, PostgreSQL):
        return going_back.of_postgresql(server, url)
    if isinstance(server, MariaDB):
        return going_back.of_mariadb(server, url)
    assert isinstance(server, MongoDB)
    return going_back.of_mongodb(server.client, url)


def verified(url: str) -> tuple[int, int, tuple[str, ...], str | None]:
    store: Store
    with open_store(url, durable=False) as store:
        done = verify_store(store, url)
    return sum(each.points for each in done.findings), done.changes, done.lost, done.error


@pytest.mark.parametrize("kind", ["postgresql", "mariadb", "mongodb"])
def test_a_backup_that_is_restored_after_the_end_lacks_nothing_once_it_was_compared(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))
    server = session.server_or_skip(kind, request)
    url = server.new_database()
    runs = [trained(url, tmp_path, "before")]
    restore = backup_of(server, url)
    runs.append(trained(url, tmp_path, "after"))
    before = what_is_there(url, runs)

    restore()
    found = verified(url)
    again = verified(url)

    assert found == (20 * 300, 1, (), None)
    assert again == (0, 0, (), None)
    assert what_is_there(url, runs) == before
    server.drop_database(url)
