"""The commands for whoever looks after a store: doctor, migrate and sql."""

import gzip
import json
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest
from click.testing import Result

from runstore import MetricPoint, open_store
from runstore.cli import changing
from runstore.errors import InvalidValueError, SettingsError, StoreFailureError
from support.commands import runstore_here
from support.landed import FOLDER

_THEIRS = """
from runstore.backend import Administration, Finding, Grade, SchemaState
from runstore.hookspecs import Backend, hookimpl
from runstore.memory.store import MemoryStore

class Shelf(Administration):
    def schema_state(self):
        return SchemaState(found=3, known=3)
    def upgrade(self):
        pass
    def findings(self):
        yield Finding(subject="boards", grade=Grade.WARNING, found="one is loose", cure="nail it")
        raise ZeroDivisionError("no nails")
    def close(self):
        pass

@hookimpl
def runstore_backends():
    return [
        Backend(name="shelf", schemes=("shelf",), open=lambda url, options: MemoryStore(), administer=lambda url: Shelf()),
        Backend(name="bare", schemes=("bare",), open=lambda url, options: MemoryStore()),
    ]
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with a run of 30 points."""
    url = f"sqlite:///{tmp_path}/runs.db"
    with open_store(url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("lungs"), run_id="run", name="a")
        store.log_metrics(run_id, [MetricPoint("loss", step / 2, step=step) for step in range(30)])
        store.finalize(run_id, "completed")
    return url


@pytest.fixture
def old(tmp_path: Path) -> str:
    """A store of the first schema."""
    (tmp_path / "old.db").write_bytes(gzip.decompress((FOLDER / "sqlite.db.gz").read_bytes()))
    return f"sqlite:///{tmp_path}/old.db"


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin of somebody else is installed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shelf_plugin", raising=False)
    (tmp_path / "shelf_plugin.py").write_text(_THEIRS)
    info = tmp_path / "shelf-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[runstore]\nshelf = shelf_plugin\n")


def run(*words: str, url: str, text: str | None = None) -> Result:
    return runstore_here(*words, "--store", url, text=text)


def examined(url: str) -> tuple[int, dict[str, dict[str, Any]]]:
    done = run("doctor", "--json", url=url)
    return done.exit_code, {each["subject"]: each for each in json.loads(done.stdout)}


def test_a_sound_store_is_well(url: str) -> None:
    status, found = examined(url)

    assert status == 0
    assert {each["grade"] for each in found.values()} == {"ok"}, found
    assert {"connection", "schema", "rights", "server", "indexes", "clock", "runs", "garbage", "journals"} <= set(found)
    assert found["runs"]["found"] == "1 run, 0 lost"
    assert run("doctor", url=url).stdout.endswith("\nall is well\n")


def test_where_there_is_no_store_that_is_a_fault_and_none_is_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    status, found = examined(f"sqlite:///{tmp_path}/empty/runs.db")

    assert (status, found["schema"]["grade"]) == (1, "fault")
    assert "runs" not in found
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_server_that_is_away_is_a_fault_without_a_password() -> None:
    done = run("doctor", url="postgresql://me:secret-word@127.0.0.1:1/lab")

    assert done.exit_code == 1
    assert "fault    connection" in done.stdout
    assert "secret-word" not in done.output


def test_an_old_schema_is_a_fault_whose_cure_mends_it(old: str) -> None:
    status, found = examined(old)
    assert (status, found["schema"]["cure"]) == (1, "runstore migrate upgrade")

    assert run("migrate", "upgrade", "--yes", url=old).stdout == "brought from version 1 to 2\n"

    assert examined(old)[0] == 0


@pytest.mark.usefixtures("theirs")
def test_a_plugin_of_others_answers_in_its_own_words() -> None:
    status, found = examined("shelf://x")

    assert status == 0
    assert found["boards"] == {"subject": "boards", "grade": "warning", "found": "one is loose", "cure": "nail it"}
    assert "ZeroDivisionError: no nails" in found["database"]["found"]
    assert json.loads(run("migrate", "status", "--json", url="shelf://x").stdout)["found"] == 3


@pytest.mark.usefixtures("theirs")
def test_a_plugin_that_offers_nothing_is_examined_as_any_store() -> None:
    assert examined("bare://x")[1]["runs"]["found"] == "0 runs, 0 lost"
    assert isinstance(run("migrate", "status", url="bare://x").exception, SettingsError)


def test_garbage_is_told_with_what_removes_it(url: str) -> None:

    run("delete", "run", "--yes", url=url)
    long_ago = int((datetime.now(UTC) - timedelta(days=31)).timestamp() * 1e6)
    with closing(connect(url.removeprefix("sqlite:///"))) as database, database:
        database.execute("UPDATE runstore_run SET deleted_us = ?", (long_ago,))

    assert examined(url)[1]["garbage"]["cure"] == "runstore gc"


def test_the_state_of_a_schema_is_told_and_nothing_is_changed(old: str) -> None:
    before = Path(old.removeprefix("sqlite:///")).read_bytes()

    told = run("migrate", "status", url=old)
    state = json.loads(run("migrate", "status", "--json", url=old).stdout)

    assert "version 1; this release writes version 2: it cannot read it and can write it" in told.stdout
    assert (state["found"], state["known"], len(state["steps"])) == (1, 2, 1)
    assert state["rights"]["write"] is True
    assert Path(old.removeprefix("sqlite:///")).read_bytes() == before


def test_an_upgrade_asks_and_does_nothing_where_nobody_can_be_asked(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = run("migrate", "upgrade", url=old)
    monkeypatch.setattr(changing, "is_anybody_there", lambda: True)
    done = run("migrate", "upgrade", "--json", url=old, text="y\n")

    assert refused.exit_code == 2
    assert "0002: " in done.stderr
    assert json.loads(done.stdout[done.stdout.index("{") :])["found_before"] == 1
    assert run("migrate", "upgrade", url=old).stdout == "nothing to do: version 2, which this release writes\n"


def test_a_statement_is_answered_as_a_table_csv_and_json(url: str) -> None:
    statement = "SELECT step, metric_value FROM run_metrics ORDER BY step"

    table = run("sql", statement, "--limit", "2", url=url)
    listed = run("sql", "-", "--csv", url=url, text=f"{statement};\n")
    values = json.loads(run("sql", statement, "--json", url=url).stdout)

    assert [line.split() for line in table.stdout.splitlines()[2:]] == [["0", "0.0"], ["1", "0.5"]]
    assert "There are more rows; these are the first 2." in table.stderr
    assert listed.stdout.splitlines()[:3] == ["step,metric_value", "0,0.0", "1,0.5"]
    assert (len(values), values[-1]) == (30, {"step": 29, "metric_value": 14.5})


def test_a_statement_that_writes_is_refused(url: str) -> None:
    refused = run("sql", "DELETE FROM runstore_run", url=url)

    assert isinstance(refused.exception, StoreFailureError)
    assert run("sql", "SELECT name FROM runs", "--csv", url=url).stdout == "name\na\n"


@pytest.mark.parametrize("text", ["SELECT '\udcff'", "SELECT 1\0"])
def test_a_statement_that_is_no_text_is_told(text: str, url: str) -> None:
    assert isinstance(run("sql", text, url=url).exception, InvalidValueError)


def test_a_database_without_sql_says_so(mongodb_url: str) -> None:
    assert isinstance(run("sql", "SELECT 1", url=mongodb_url).exception, SettingsError)
    assert examined(mongodb_url)[1]["schema"]["grade"] == "fault"
    assert run("migrate", "upgrade", "--yes", url=mongodb_url).stdout.startswith("made: version ")
    status, found = examined(mongodb_url)
    assert (status, {each["grade"] for each in found.values()}) == (0, {"ok"})
