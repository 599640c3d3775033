"""``runstore sync --verify`` on SQLite files that are brought back to an earlier state."""

import json
import shutil
from pathlib import Path

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore.recording.keeping import KEPT
from support.commands import runstore_here
from support.walking import found_below


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    return tmp_path / "state"


def run(*arguments: str) -> tuple[int, str]:
    result = runstore_here(*arguments)
    return result.exit_code, f"{result.stdout}{result.stderr}{result.exception or ''}"


def trained(url: str, name: str) -> str:
    with open_store(url) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("verifying"), name=name)
        store.log_metrics(
            run_id, [MetricPoint(name="loss", value=1.0, step=step, dataset_type="train") for step in range(100)]
        )
        store.finalize(run_id, "completed")
    return run_id


def test_a_file_that_was_restored_after_a_runs_end_is_filled_up_and_changes_of_commands_are_made_again(
    tmp_path: Path, state: Path
) -> None:
    file, backup = tmp_path / "runs.db", tmp_path / "backup.db"
    url = f"sqlite:///{file}"
    trained(url, "first")
    shutil.copy(file, backup)
    second = trained(url, "second")
    assert run("rename", "first", "renamed", "--store", url)[0] == 0
    assert run("tag", "second", "seen=yes", "--store", url)[0] == 0
    shutil.copy(backup, file)

    code, told = run("sync", "--verify", "--store", url)
    code_again, told_again = run("sync", "--verify", "--store", url, "--json")

    assert (code, code_again) == (0, 0)
    assert f"it had forgotten of run {second} the run itself; 100 or more points" in told
    assert "2 runs in 2 journals compared, 2 changes sent again" in told
    (report,) = json.loads(told_again)
    assert (report["findings"], report["changes"], report["journals"]) == ([], 0, 2)
    with open_reader(url) as reader:
        runs = {each.name: each for each in reader.search_runs().items}
        assert set(runs) == {"renamed", "second"}
        assert runs["second"].tags == {"seen": "yes"}
        assert len(reader.get_history(second, "loss", "train").steps) == 100
    assert state.is_dir()


def test_a_run_that_a_command_deleted_stays_deleted_in_a_backup_from_before(tmp_path: Path, state: Path) -> None:
    file, backup = tmp_path / "runs.db", tmp_path / "backup.db"
    url = f"sqlite:///{file}"
    run_id = trained(url, "one")
    shutil.copy(file, backup)
    assert run("delete", "one", "--yes", "--store", url)[0] == 0
    shutil.copy(backup, file)

    code, told = run("sync", "--verify")

    assert code == 0
    assert "1 change sent again" in told
    with open_reader(url) as reader:
        assert run_id not in [each.id for each in reader.search_runs().items]
    assert found_below(state, f"journals/*/{KEPT}/changes/*")


def test_a_store_that_cannot_be_filled_up_is_named_and_fails_each_time(tmp_path: Path, state: Path) -> None:
    file, backup = tmp_path / "runs.db", tmp_path / "backup.db"
    url = f"sqlite:///{file}"
    trained(url, "first")
    shutil.copy(file, backup)
    second = trained(url, "second")
    shutil.copy(backup, file)
    newest = max(found_below(state, f"journals/*/{KEPT}/*/*.segment"), key=lambda path: path.parent.name)
    newest.unlink()  # as it goes beyond the bound

    found = [run("sync", "--verify", "--store", url) for _ in range(2)]
    shown = run("show", second, "--store", url)

    for code, told in found:
        assert code == 1
        assert f"LOST of run {second}: 100 or more points of 1 series" in told
        assert "1 of what it had cannot be sent again" in told
    assert "LOST" in shown[1]


def test_verify_goes_with_few_other_options(state: Path) -> None:
    code, told = run("sync", "--verify", "--watch")
    nothing = run("sync", "--verify")

    assert code == 2
    assert "--verify goes with --store, --state-dir and --json alone" in told
    assert nothing == (0, "nothing is kept of runs that have ended\n")
    assert not state.exists()
