"""Where no home or working directory is known, as in many batch jobs, the error says what to set."""

import pwd
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from runstore import open_reader, open_store
from runstore.errors import SettingsError
from runstore.provenance import gather_provenance
from runstore.recording.places import state_dir


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No HOME, no entry among the system's users, and nothing that names a place for journals."""

    def no_entry(user: int) -> None:
        raise KeyError(user)

    for name in ("HOME", "XDG_STATE_HOME", "RUNSTORE_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("no_home")
@pytest.mark.parametrize("home", [None, ""])
def test_without_a_home_the_state_directory_must_be_named(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if home is not None:
        monkeypatch.setenv("HOME", home)

    with pytest.raises(SettingsError, match=r"no home directory is known.*RUNSTORE_STATE_DIR"):
        open_store("sqlite:///runs.db")
    assert list(Path().iterdir()) == []


@pytest.mark.usefixtures("no_home")
@pytest.mark.parametrize("home", [None, ""])
def test_without_a_home_a_path_that_begins_there_is_refused(
    home: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if home is not None:
        monkeypatch.setenv("HOME", home)

    attempts: list[Callable[[], object]] = [
        lambda: open_reader("sqlite:///~/runs.db"),
        lambda: open_store("sqlite:///~/runs.db", durable=False),
        lambda: open_store("sqlite:///~/runs.db"),
        lambda: open_store(f"sqlite:///{tmp_path}/runs.db", durable=False, artifacts="~/artifacts"),
    ]

    for attempt in attempts:
        with pytest.raises(SettingsError, match=r"~.*no home directory is known"):
            attempt()


@pytest.mark.usefixtures("no_home")
def test_without_a_home_a_named_state_directory_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))

    with open_store(f"sqlite:///{tmp_path}/runs.db") as store:
        store.get_or_create_experiment("x")

    assert (tmp_path / "state" / "journals").is_dir()


@pytest.mark.usefixtures("no_home")
@pytest.mark.parametrize(("name", "value"), [("XDG_STATE_HOME", "~/state"), ("RUNSTORE_STATE_DIR", "~/state")])
def test_a_state_directory_in_an_unknown_home_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match="no home directory is known"):
        state_dir()


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("given", [None, "", "state", "~/state", "/var/state"])
@pytest.mark.parametrize("home", [None, "", "home", "/home/me"])
def test_the_state_directory_is_where_the_platform_has_it(
    platform: str, given: str | None, home: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_dir="/home/entry"))
    for name, value in (("RUNSTORE_STATE_DIR", None), ("XDG_STATE_HOME", given), ("HOME", home)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)

    below = ".local/state" if platform == "linux" else "Library/Application Support"
    begin = "/home/me" if home == "/home/me" else "/home/entry"
    assert state_dir() == Path("/var/state" if given == "/var/state" else f"{begin}/{below}", "runstore")


@pytest.mark.parametrize("value", ["", "  ", "\n"])
@pytest.mark.parametrize("name", ["RUNSTORE_STATE_DIR", "XDG_STATE_HOME"])
def test_an_empty_state_directory_is_none(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for each in ("XDG_STATE_HOME", "RUNSTORE_STATE_DIR"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(name, value)

    assert tmp_path in state_dir().parents


def test_line_breaks_around_the_state_directory_are_no_part_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", f"{tmp_path}/state\n")

    assert state_dir() == tmp_path / "state"


def test_a_store_opens_where_the_working_directory_was_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "weights").write_text("w", encoding="utf-8")
    url = f"sqlite:///{tmp_path}/runs.db"
    monkeypatch.chdir(scratch)
    scratch.rmdir()

    with open_store(url) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("e"), provenance=gather_provenance())
        store.log_artifact(run_id, tmp_path / "weights")
        store.finalize(run_id, "completed")
    with open_reader(url) as reader:
        assert reader.get_run(run_id).status == "completed"
    for open_one in (open_store, open_reader):
        with pytest.raises(SettingsError, match=r"relative.*working directory is gone"):
            open_one("sqlite:///runs.db")
