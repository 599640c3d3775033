"""One run on the screen: how it is named, what is shown of it at first and on demand; and fetching its files."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runstore import MetricPoint, RunFailure, open_store
from runstore.provenance import gather_provenance
from support.commands import runstore

_ADVICE = "\x1b[1m\x1b[31mno room\x1b[0m\nset HYDRA_FULL_ERROR=1\n\x1b]0;title\x07tell \x1b[4mall\x1b[0m of it\n"


def _begin(url: str, *names: str | None) -> list[str]:
    with open_store(url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("lungs")
        return [store.ensure_run(experiment_id, name=name) for name in names]


@pytest.mark.parametrize("part", [slice(None), slice(0, 20), slice(-6, None)])
def test_a_run_is_named_by_its_id_or_by_the_beginning_or_end_of_it(sqlite_url: str, part: slice) -> None:
    (run_id,) = _begin(sqlite_url, None)

    shown = runstore("show", run_id[part], "--store", sqlite_url)

    assert shown.returncode == 0, shown.stderr
    assert run_id in shown.stdout


def test_a_run_is_named_by_its_name(sqlite_url: str) -> None:
    first, _second = _begin(sqlite_url, "it's 100% _mine\\", "other")

    shown = json.loads(runstore("show", "it's 100% _mine\\", "--store", sqlite_url, "--json").stdout)

    assert shown["id"] == first


def test_the_newest_run_is_at_1(sqlite_url: str) -> None:
    first, second = _begin(sqlite_url, "a", "b")

    for wanted, found in {"@1": second, "@2": first}.items():
        assert json.loads(runstore("show", wanted, "--store", sqlite_url, "--json").stdout)["id"] == found
    refused = runstore("show", "@3", "--store", sqlite_url)
    assert refused.returncode == 1
    assert "there are only 2" in refused.stderr


def test_what_may_be_several_runs_is_refused_and_they_are_named(sqlite_url: str) -> None:
    first, second = _begin(sqlite_url, "same", "same")

    for wanted in ("same", first[:6]):
        refused = runstore("show", wanted, "--store", sqlite_url)
        assert refused.returncode == 1
        assert first in refused.stderr
        assert second in refused.stderr


@pytest.mark.parametrize("wanted", ["%", "_", "nothing like it", "\\"])
def test_what_is_no_run_is_refused_and_says_how_to_find_one(sqlite_url: str, wanted: str) -> None:
    _begin(sqlite_url, "one")

    refused = runstore("show", wanted, "--store", sqlite_url)

    assert refused.returncode == 1
    assert "`runstore runs`" in refused.stderr


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_an_id_and_a_path_are_never_broken(sqlite_url: str, tmp_path: Path, columns: int) -> None:
    path = f"{tmp_path}/{'folder/' * 12}model.bin"
    (run_id,) = _begin(sqlite_url, "x" * 200)
    with open_store(sqlite_url, durable=False) as store:
        store.log_artifact(run_id, path, name="checkpoints/model.bin", copy=False)

    shown = runstore("show", run_id, "--store", sqlite_url, columns=columns).stdout

    assert any(line.endswith(f"  {run_id}") for line in shown.splitlines())
    assert path in shown


def test_where_a_run_came_from_is_shown(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False) as store:
        found = gather_provenance(packages=["msgspec"], seed=7, argv=["train.py", "--fast"]) | {
            "cluster": {"node": "n3"}
        }
        run_id = store.ensure_run(store.get_or_create_experiment("lungs"), provenance=found)

    shown = runstore("show", run_id, "--store", sqlite_url).stdout

    for text in ("train.py --fast", found["host"]["name"], f"msgspec {found['versions']['msgspec']}", "cluster.node"):
        assert text in shown
    assert str(Path.cwd()) in shown


def test_why_a_run_failed_is_one_line_and_the_whole_on_demand(sqlite_url: str) -> None:
    failure = RunFailure(type="RuntimeError", message=_ADVICE, traceback=f"Traceback …\n{_ADVICE}")
    (run_id,) = _begin(sqlite_url, None)
    with open_store(sqlite_url, durable=False) as store:
        store.finalize(run_id, "failed", error=failure)

    short = runstore("show", run_id, "--store", sqlite_url).stdout
    whole = runstore("show", run_id, "--store", sqlite_url, "--traceback").stdout

    assert "RuntimeError: no room (--traceback shows all of it)" in short
    assert "HYDRA" not in short
    assert "no room\nset HYDRA_FULL_ERROR=1\ntell all of it\n" in whole
    assert "\\u001b" not in short + whole
    assert "\x1b" not in short + whole


def test_of_a_lost_run_the_last_sign_is_told_and_no_duration(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("lungs")
        lost = store.ensure_run(experiment_id, start_time=datetime.now(UTC) - timedelta(hours=3))
        store.heartbeat(lost, lease_s=1e-6)
        shown = runstore("show", lost, "--store", sqlite_url).stdout
        listed = runstore("runs", "--store", sqlite_url, "--columns", "status,took").stdout

    assert "last sign" in shown
    assert "took " not in shown
    assert listed.splitlines()[-1].split() == [lost, "lost"]


def test_a_long_configuration_is_shown_in_short_and_whole_on_demand(sqlite_url: str) -> None:
    config = {"model": {f"p{number:02}": number for number in range(90)}}
    (run_id,) = _begin(sqlite_url, None)
    with open_store(sqlite_url, durable=False) as store:
        store.log_config(run_id, config)

    short = runstore("show", run_id, "--store", sqlite_url).stdout
    whole = runstore("show", run_id, "--store", sqlite_url, "--config").stdout

    assert "model.p00  0" in short
    assert "80 more values: --config" in short
    assert json.loads(whole[whole.index("{") :]) == config


def test_a_recorded_path_shows_no_password_and_no_escape_sequence(sqlite_url: str) -> None:
    (run_id,) = _begin(sqlite_url, None)
    with open_store(sqlite_url, durable=False) as store:
        store.log_artifact(run_id, "s3://me:s3cret@b/\x1b]0;pwned\x07\x1b[31mred\u202e", name="film", copy=False)

    printed = [
        runstore("show", run_id, "--store", sqlite_url),
        runstore("show", run_id, "--store", sqlite_url, "--json"),
        runstore("fetch", run_id, "film", "out", "--store", sqlite_url),
    ]

    for each in printed:
        said = each.stdout + each.stderr
        assert "s3cret" not in said
        assert [character for character in said if not character.isprintable() and character != "\n"] == []
    assert json.loads(printed[1].stdout)["artifacts"][0]["uri"].startswith("s3://me:***@b/\x1b]0;pwned")


@pytest.fixture
def with_file(sqlite_url: str, tmp_path: Path) -> str:
    """The id of a run with an artifact ``a/model.bin``."""
    (tmp_path / "model.bin").write_bytes(b"weights")
    (run_id,) = _begin(sqlite_url, "fetched")
    with open_store(sqlite_url, durable=False) as store:
        store.log_artifact(run_id, tmp_path / "model.bin", name="a/model.bin")
    return run_id


@pytest.mark.usefixtures("with_file")
def test_an_artifact_that_is_not_there_is_answered_with_those_that_are(sqlite_url: str) -> None:
    refused = runstore("fetch", "@1", "model.bin", "--store", sqlite_url)

    assert refused.returncode == 1
    assert "has no artifact 'model.bin'; it has 'a/model.bin'" in refused.stderr


@pytest.mark.usefixtures("with_file")
def test_a_fetched_file_has_the_mode_that_the_umask_gives(sqlite_url: str, tmp_path: Path) -> None:
    target = tmp_path / "out" / "fetched.bin"

    fetched = runstore("fetch", "fetched", "a/model.bin", str(target), "--store", sqlite_url)

    assert fetched.returncode == 0, fetched.stderr
    umask = os.umask(0o22)
    os.umask(umask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.usefixtures("with_file")
def test_nothing_is_replaced_unasked(sqlite_url: str, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.write_text("mine, uncommitted")

    refused = runstore("fetch", "fetched", "a/model.bin", str(target), "--store", sqlite_url)

    assert refused.returncode == 1
    assert "--force" in refused.stderr
    assert target.read_text() == "mine, uncommitted"
    forced = runstore("fetch", "fetched", "a/model.bin", str(target), "--store", sqlite_url, "--force")
    assert forced.returncode == 0, forced.stderr
    assert target.read_bytes() == b"weights"


@pytest.mark.usefixtures("with_file")
@pytest.mark.parametrize("kind", ["folder", "device", "link", "pipe", "broken link"])
def test_what_is_no_file_is_never_replaced(kind: str, sqlite_url: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    make: dict[str, Callable[[], None]] = {
        "folder": target.mkdir,
        "device": lambda: target.symlink_to("/dev/null"),
        "link": lambda: target.symlink_to(tmp_path / "model.bin"),
        "pipe": lambda: os.mkfifo(target),
        "broken link": lambda: target.symlink_to("nowhere"),
    }
    make[kind]()
    before = sorted(tmp_path.iterdir())
    mode = target.lstat().st_mode

    for force in ((), ("--force",)):
        refused = runstore("fetch", "fetched", "a/model.bin", str(target), "--store", sqlite_url, *force)
        assert refused.returncode == 1
        assert len(refused.stderr.strip().splitlines()) == 1

    assert sorted(tmp_path.iterdir()) == before
    assert target.lstat().st_mode == mode


def test_the_best_value_of_a_metric_is_told_where_its_name_says_what_is_better(sqlite_url: str) -> None:
    (run_id,) = _begin(sqlite_url, None)
    with open_store(sqlite_url, durable=False) as store:
        for name in ("loss", "auroc", "epoch"):
            store.log_metrics(run_id, [MetricPoint(name, value, step, "train") for step, value in enumerate([3, 1, 2])])

    lines = runstore("show", run_id, "--store", sqlite_url, columns=100).stdout.splitlines()
    narrow = runstore("show", run_id, "--store", sqlite_url, columns=40)

    rows = {line.split()[0]: line.split()[3:] for line in lines if " train " in line}
    assert rows["loss"] == ["2", "1", "@", "1", "1", "@", "1", "3", "@", "0"]
    assert rows["auroc"] == ["2", "3", "@", "0", "1", "@", "1", "3", "@", "0"]
    assert rows["epoch"] == ["2", "1", "@", "1", "3", "@", "0"]
    assert "No room for points, " in narrow.stderr


def test_the_heartbeat_of_a_run_that_goes_on_is_told_and_when_it_counts_as_lost(sqlite_url: str) -> None:
    (run_id,) = _begin(sqlite_url, None)

    shown = runstore("show", run_id, "--store", sqlite_url).stdout

    (line,) = [line for line in shown.splitlines() if line.startswith("heartbeat")]
    assert "ago (lost after 10m00s without one)" in line


def test_children_are_listed_and_that_there_are_more_is_said(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("lungs")
        parent = store.ensure_run(experiment_id)
        children = [store.ensure_run(experiment_id, name=f"fold {n}", parent_run_id=parent) for n in range(12)]

    shown = runstore("show", parent, "--store", sqlite_url).stdout
    values = json.loads(runstore("show", parent, "--store", sqlite_url, "--json").stdout)

    assert [line.split()[0] for line in shown.splitlines() if "fold" in line] == children[:10]
    assert f"""and more: runstore runs --all --filter "parent = '{parent}'\"""" in shown
    assert values["children"] == children
