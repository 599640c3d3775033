"""``runstore conformance``: the kit against somebody's own server, in a place of its own there."""

import json
from pathlib import Path

import pytest

from runstore import open_store
from runstore.cli.commands import conformance
from runstore.errors import ConflictError, MissingDriverError, SettingsError
from support.commands import runstore_here


def test_chosen_tests_run_in_a_place_that_is_removed_and_what_did_not_run_is_told(tmp_path: Path) -> None:
    (tmp_path / "stores").mkdir()
    url = f"sqlite:///{tmp_path}/stores/empty.db"

    done = runstore_here("conformance", url, "--tests", "the_same_name_gives", "--json")

    assert done.exit_code == 0, done.output
    outcomes = {clause: found["outcome"] for clause, found in json.loads(done.stdout)["backends"]["sqlite"].items()}
    assert outcomes["EXP.1"] == "ran"
    assert outcomes["ART.1"] == "not run"
    assert list((tmp_path / "stores").iterdir()) == []


def test_a_store_that_holds_runs_is_refused(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False) as store:
        store.ensure_run(store.get_or_create_experiment("mine"))

    refused = runstore_here("conformance", sqlite_url)

    assert isinstance(refused.exception, ConflictError)
    assert "holds 1 run" in str(refused.exception)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "_NEEDS", ("pytest", "no_such_module"))

    refused = runstore_here("conformance", "sqlite:///runs.db")

    assert isinstance(refused.exception, MissingDriverError)
    assert "pip install runstore-testing" in str(refused.exception)


def test_a_backend_that_makes_no_places_is_refused() -> None:
    assert isinstance(runstore_here("conformance", "memory://").exception, SettingsError)
