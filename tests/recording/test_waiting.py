"""What waits in the journals of this machine is listed, and left as it is."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from runstore.model import MetricPoint
from runstore.opening.stores import open_store
from runstore.recording import Recorder
from runstore.recording.waiting import list_waiting
from support.commands import runstore_here
from support.dying import die

_AWAY = "postgresql://me:secret-word@127.0.0.1:1/lab"
_SAME = "postgresql://me@127.0.0.1:1/lab"


@pytest.fixture(autouse=True)
def state(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path / "state"))
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    monkeypatch.chdir(fast_path)
    return fast_path / "state"


def write_to(url: str, run_id: str) -> Recorder:
    store = open_store(url)
    assert isinstance(store, Recorder)
    store.ensure_run(store.get_or_create_experiment("x"), run_id=run_id)
    store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=step) for step in range(10)])
    return store


def files_in(state: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(state.rglob("*")) if path.is_file()}


def run(*words: str) -> Result:
    return runstore_here("sync", "--list", *words)


def test_where_nothing_waits_that_is_said() -> None:
    assert run().stdout == "nothing waits\n"
    assert json.loads(run("--json").stdout) == []


def test_what_dead_writers_left_is_told_with_its_store_its_size_and_its_age(state: Path) -> None:
    begun = datetime.now(UTC)
    for run_id in ("first", "second"):
        die(write_to(_AWAY, run_id))
    before = files_in(state)

    (waiting,) = list_waiting(state)
    printed = run()

    assert waiting.store == _SAME
    assert len(waiting.left) == len(waiting.journals) == 2
    for journal in waiting.left:
        assert journal.bytes > 100
        assert begun <= journal.since <= datetime.now(UTC) + timedelta(seconds=1)
    assert printed.exit_code == 0
    assert _SAME in printed.stdout
    assert "secret-word" not in printed.output
    assert "`runstore sync` stores" in printed.stderr
    assert files_in(state) == before


def test_a_living_writer_is_known_as_one(state: Path) -> None:
    store = write_to(_AWAY, "run")

    (waiting,) = list_waiting(state)
    assert waiting.left == ()
    assert [each.is_alive for each in waiting.journals] == [True]
    store.close(deadline_s=0.0)


@pytest.mark.parametrize("written", [_AWAY, _SAME])
@pytest.mark.parametrize("asked", [_AWAY, _SAME])
def test_the_journal_is_the_same_whether_the_url_names_a_password_or_not(written: str, asked: str) -> None:
    die(write_to(written, "run"))

    (found,) = json.loads(run("--store", asked, "--json").stdout)

    assert len(found["journals"]) == 1


def test_what_was_stored_does_not_wait(sqlite_url: str, state: Path) -> None:
    write_to(sqlite_url, "run").close()

    assert list_waiting(state) == []
    assert run("--store", sqlite_url).stdout == "nothing waits\n"


def test_what_waits_for_another_store_is_left_out() -> None:
    die(write_to(_AWAY, "run"))

    assert run("--store", "postgresql://me@127.0.0.1:1/other").stdout == "nothing waits\n"
    assert run("--watch").exit_code == 2
