"""Journals of a store that is mistyped or gone for good: brought into another store, or removed."""

from pathlib import Path

import pytest

from runstore.cli.commands.sync import sync
from runstore.errors import SettingsError, StoreUnavailableError
from runstore.model import MetricPoint
from runstore.opening.stores import open_store
from runstore.recording import Recorder
from support.commands import runstore_here
from support.dying import die
from support.walking import found_below

MISTYPED = "postgresql://me:secret-word@127.0.0.1:1/lab"


@pytest.fixture(autouse=True)
def state_dir(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path / "state"))
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    monkeypatch.chdir(fast_path)
    return fast_path / "state"


def journals(state_dir: Path) -> list[Path]:
    return [path.parent for path in found_below(state_dir, "journals/*/*/writer.lock")]


def write_to(url: str, run_id: str) -> Recorder:
    store = open_store(url)
    assert isinstance(store, Recorder)
    store.ensure_run(store.get_or_create_experiment("x"), run_id=run_id)
    store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=step) for step in range(10)])
    store.finalize(run_id, "completed")
    return store


def leave_behind(url: str, run_id: str) -> None:
    die(write_to(url, run_id))


def test_what_waits_for_a_mistyped_store_is_brought_into_another(
    sqlite_url: str, state_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_behind(MISTYPED, "run")

    sync(sqlite_url, source="postgresql://me@127.0.0.1:1/lab")

    with open_store(sqlite_url, durable=False) as store:
        assert (store.get_run("run").status, store.get_summaries("run")[0].count) == ("completed", 10)
    assert journals(state_dir) == []
    assert "1 journal drained" in capsys.readouterr().out


@pytest.mark.parametrize("named", ["--store", "--from"])
def test_the_other_store_may_be_named_by_to(sqlite_url: str, state_dir: Path, named: str) -> None:
    leave_behind(MISTYPED, "run")

    result = runstore_here("sync", named, MISTYPED, "--to", sqlite_url)

    assert "1 journal drained" in result.stdout
    with open_store(sqlite_url, durable=False) as store:
        assert store.get_run("run").status == "completed"
    assert journals(state_dir) == []


@pytest.mark.parametrize("others", [[], ["--store", MISTYPED, "--from", MISTYPED]])
def test_to_goes_with_one_store_that_the_journals_were_meant_for(sqlite_url: str, others: list[str]) -> None:
    result = runstore_here("sync", "--to", sqlite_url, *others)

    assert result.exit_code == 2
    assert "--to goes with --from or with --store" in result.stderr


def test_one_journal_alone_is_brought_into_another_store_by_its_folder(sqlite_url: str, state_dir: Path) -> None:
    leave_behind(MISTYPED, "first")
    leave_behind(MISTYPED, "second")
    first, second = sorted(journals(state_dir))

    sync(sqlite_url, source=str(first))

    with open_store(sqlite_url, durable=False) as store:
        assert store.get_run("first").status == "completed"
    assert journals(state_dir) == [second]


def test_what_waits_for_a_store_is_removed_when_told_to_and_how_much_is_said(
    state_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_behind(MISTYPED, "run")

    sync(discard=MISTYPED)
    said = capsys.readouterr().out
    sync()

    assert "1 journal discarded (4 records that waited)" in said
    assert "secret-word" not in said
    assert journals(state_dir) == []
    assert capsys.readouterr().out == "nothing waits\n"


def test_a_living_writers_journal_is_not_removed(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = write_to(MISTYPED, "run")

    sync(discard=MISTYPED)

    assert "1 left alone, to their living writers or a newer release" in capsys.readouterr().out
    assert len(journals(state_dir)) == 1
    store.close(deadline_s=0.0)


def test_a_sync_that_fails_says_what_to_do_about_a_store_that_is_gone() -> None:
    leave_behind("postgresql://me@127.0.0.1:1/lab", "run")

    with pytest.raises(StoreUnavailableError, match=r"--from THAT.*--discard THAT"):
        sync()


def test_one_store_that_turns_us_away_keeps_no_other_from_being_synced(sqlite_url: str, state_dir: Path) -> None:
    leave_behind("postgresql://me@127.0.0.1:1/lab", "run")
    with open_store(sqlite_url, durable=False):
        pass
    leave_behind(sqlite_url, "other")

    with pytest.raises(StoreUnavailableError):
        sync()

    assert len(journals(state_dir)) == 1


@pytest.mark.parametrize("named", ["mongodb://elsewhere/lab", "no/such/folder"])
def test_a_store_without_journals_is_named_with_those_that_have_some(named: str) -> None:
    leave_behind(MISTYPED, "run")

    with pytest.raises(SettingsError, match=r"127\.0\.0\.1:1/lab"):
        sync(discard=named)


def test_only_one_thing_is_done_at_a_time() -> None:
    with pytest.raises(SettingsError, match="one of --watch, --requeue, --from and --discard"):
        sync(watch=True, discard=MISTYPED)
