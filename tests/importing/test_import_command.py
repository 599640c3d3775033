"""``runstore import`` as a person and a program meet it."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from importing.conftest import Made
from runstore import open_reader
from runstore.cli import app
from runstore.errors import SourceError


@pytest.fixture
def mlruns(newest: Made, fast_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(newest.place, fast_path / "mlruns"))


def imported(source: Path, *options: str) -> Result:
    store = f"sqlite:///{source.parent}/runs.db"
    return CliRunner().invoke(app, ["import", str(source), "--store", store, *options])


def test_it_tells_what_was_brought_and_what_was_folded(mlruns: Path) -> None:
    first, second = imported(mlruns), imported(mlruns)

    assert first.exit_code == second.exit_code == 0
    assert "4 runs: 4 new\n1,221 points, 4 files (10.3 kB) written\n" in first.output
    assert "below: the steps begin at -2; each is 2 higher here" in first.output
    assert "4 runs: 4 unchanged\n0 points, 0 files" in second.output
    with open_reader(f"sqlite:///{mlruns.parent}/runs.db") as store:
        assert store.count_runs() == 4


def test_a_program_gets_all_of_it(mlruns: Path) -> None:
    report = json.loads(imported(mlruns, "--json").stdout)

    assert (report["format"], report["source"]) == ("mlflow", str(mlruns))
    assert report["brought"]["runs"] == {"new": 4}
    told = {(each["what"], each["key"], each["count"]) for each in report["findings"]}
    assert told == {
        ("deleted", None, 1), ("steps_shifted", "below", 4), ("steps_repeated", "repeated", 2), ("steps_counted", "no steps", 3),
    }  # fmt: skip


def test_a_run_that_cannot_be_read_is_told_and_the_command_fails(mlruns: Path) -> None:
    damaged = next(mlruns.glob("*/*/metrics/odd"))
    damaged.write_text("no point\n")

    done = imported(mlruns)

    assert isinstance(done.exception, SourceError)
    assert "3 runs: 3 new" in done.output
    assert f"{damaged}:1: found 'no point'" in done.output


def test_of_many_findings_some_are_shown_and_it_says_so(mlruns: Path) -> None:
    metrics = next(mlruns.glob("*/*/metrics/odd")).parent
    for index in range(8):
        (metrics / f"negative {index}").write_text("1700000000000 0.5 -1\n")

    done = imported(mlruns)

    assert "negative steps: 9\n" in done.output
    assert "… and 4 more" in done.output
    assert "Not all is shown; --json tells all of it." in done.stderr


@pytest.mark.parametrize("words", [["nowhere"], ["mlruns", "--artifacts", "nowhere"]])
def test_what_is_not_there_is_named(words: list[str], mlruns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mlruns.parent)

    done = CliRunner().invoke(app, ["import", *words, "--store", "memory://"])

    assert isinstance(done.exception, SourceError)
    assert "nowhere" in str(done.exception)
