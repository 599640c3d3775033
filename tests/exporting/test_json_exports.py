"""Exports in JSON: read by any program, and back in a store as they were."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from exporting.filling import LONG
from moving import everything
from runstore import open_reader
from runstore.backend import BackendStore
from runstore.errors import SourceError
from runstore.exporting import export
from runstore.importing import Findings, ImportReport, bring_from, source_at
from runstore.moving import Outcome, Selection, verify
from support.commands import runstore_here

SMALL = Selection(filter="id != '../../long'")
RUNS = len(everything.SHOWN)


@pytest.fixture(scope="session")
def in_json(filled: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of the filled store, which no test changes."""
    folder = tmp_path_factory.mktemp("in-json") / "all"
    with open_reader(filled) as source:
        export(source, folder, form="json")
    return folder


@pytest.fixture(scope="session")
def small(filled: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of all runs but the long one, which no test changes."""
    folder = tmp_path_factory.mktemp("in-json") / "small"
    with open_reader(filled) as source:
        export(source, folder, SMALL, form="json")
    return folder


@pytest.fixture
def changeable(small: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(small, tmp_path / "changeable"))


def brought(folder: Path, target: BackendStore) -> ImportReport:
    return bring_from(source_at(str(folder)), target)


def changed(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Puts other lines into a file."""
    path.write_bytes(b"\n".join([*change(path.read_bytes().splitlines()), b""]))


def with_more(line: bytes, **columns: Any) -> bytes:
    return json.dumps(json.loads(line) | columns).encode()


def test_what_was_exported_comes_back_equal_and_a_second_time_changes_nothing(
    filled: str, in_json: Path, target: BackendStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runstore.frames.parquet.find_spec", lambda _: None)  # pyarrow is not needed

    first, second = brought(in_json, target), brought(in_json, target)

    assert (first.is_whole, first.findings, first.experiments) == (True, (), 1)
    assert first.brought.runs == {Outcome.NEW: RUNS + 1}
    assert second.brought.runs == {Outcome.UNCHANGED: RUNS + 1}
    assert (second.brought.points, second.brought.files) == (0, 0)
    with open_reader(filled) as source:
        verdict, back = verify(source, target), verify(target, source)
        wanted = {each.name: each.description for each in source.list_experiments()}
    assert verdict.differences == back.differences == ()
    assert (verdict.runs, verdict.points, verdict.files) == (RUNS + 1, 2051 + LONG, 4)
    assert {each.name: each.description for each in target.list_experiments()} == wanted


def test_the_lines_are_what_the_page_says(in_json: Path) -> None:
    rows = {
        path.stem: [json.loads(line) for line in path.read_bytes().splitlines()] for path in in_json.glob("*.jsonl")
    }

    assert sorted(rows) == ["artifacts", "configs", "experiments", "points", "runs"]
    (parent,) = [row for row in rows["runs"] if row["id"] == "parent"]
    assert parent["config"]["lr"] == 0.001
    assert parent["config"]["a.b"]["$x"][:2] == [1, 1.0]
    assert parent["provenance"]["odd"][:2] == [{"$float": "nan"}, {"$float": "-inf"}]
    assert parent["start_time"] == "2025-12-31T23:59:59.999999+00:00"
    losses = [row["value"] for row in rows["points"] if (row["run_id"], row["name"]) == ("parent", "loss")]
    assert losses[:3] == ["nan", "inf", "-inf"]
    head = json.loads((in_json / "runstore-export.json").read_text(encoding="utf-8"))
    assert (head["version"], head["tables"], head["runs"], head["points"]) == (1, "json", RUNS + 1, 2051 + LONG)


def test_another_program_reads_every_number(in_json: Path) -> None:
    with duckdb.connect() as database:
        columns = "{run_id: 'VARCHAR', name: 'VARCHAR', value: 'DOUBLE'}"
        ask = f"SELECT value FROM read_json('{in_json}/points.jsonl', columns = {columns}) \
            WHERE run_id = 'parent' AND name = 'loss'"
        values = [value for (value,) in database.sql(ask).fetchall()]
    wanted = [*everything.VALUES[:3], 0.25, *everything.VALUES[4:], 0.125]
    assert repr(values) == repr(wanted)


def test_a_long_history_is_read_in_bounded_pieces(in_json: Path) -> None:
    source = source_at(str(in_json))
    try:
        pieces = {
            run.run.id: [len(columns.steps) for _, columns in run.pieces()] for run in source.runs(Findings())
        }  # each read anew: as an import that was cut off does
        again = {run.run.id: sum(len(each.steps) for _, each in run.pieces()) for run in source.runs(Findings())}
    finally:
        source.close()

    assert sum(pieces["../../long"]) == LONG
    assert max(pieces["../../long"]) < 50_000
    assert again == {run_id: sum(each) for run_id, each in pieces.items()}


def test_lines_that_another_program_has_written_again_come_back_equal(
    filled: str, changeable: Path, target: BackendStore
) -> None:
    """As ``jq`` does: the columns in another order, and blanks."""
    for path in changeable.glob("*.jsonl"):
        changed(path, lambda lines: [json.dumps(dict(sorted(json.loads(line).items()))).encode() for line in lines])
        path.write_bytes(path.read_bytes().rstrip(b"\n"))

    report = brought(changeable, target)

    assert (report.findings, report.brought.troubles) == ((), ())
    with open_reader(filled) as source:
        assert verify(source, target, SMALL).differences == ()


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"status": "running"}, "running"),
        ({"config": "text"}, "config"),
        ({"tags": "text"}, "cannot be read"),
        ({"start_time": None}, "start_time"),
        ({"id": None}, "no id"),
    ],
)
def test_a_run_that_cannot_be_read_is_told_and_the_others_come(
    columns: dict[str, Any], told: str, changeable: Path, target: BackendStore
) -> None:
    changed(changeable / "runs.jsonl", lambda lines: [with_more(lines[0], **columns), *lines[1:]])

    report = brought(changeable, target)

    assert not report.is_whole
    reasons = [*(each.text for each in report.findings), *(each.reason for each in report.brought.troubles)]
    assert any(told in reason for reason in reasons), reasons
    assert report.brought.runs[Outcome.NEW] == RUNS - 1


@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        ("runs", lambda lines: [*lines[:2], lines[2][:80]], "runs.jsonl:3: is no row"),
        ("runs", lambda lines: [with_more(lines[0], attempt="x")], "runs.jsonl:1: is no row"),
        ("runs", lambda lines: [with_more(lines[0], start_time="2025-01-01T00:00:00")], "runs.jsonl:1: is no row"),
        ("runs", lambda _: [b"[" * 100_000], "runs.jsonl:1: is no row"),
        ("points", lambda lines: [*lines[:5], b"{", *lines[5:]], "points.jsonl:6: is no row"),
        ("points", lambda lines: [*lines[:5], b"{}", *lines[5:]], "has no run_id"),
        ("points", lambda lines: [lines[0], b"\x00\xff"], "points.jsonl:2: is no row"),
    ],
    ids=["cut", "type", "no zone", "deep", "brace", "no run", "bytes"],
)
def test_a_damaged_file_is_an_error_with_its_line(
    table: str, change: Any, told: str, changeable: Path, target: BackendStore
) -> None:
    changed(changeable / f"{table}.jsonl", change)

    with pytest.raises(SourceError, match=told):
        brought(changeable, target)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"value": "1,5"}, "value is the text '1,5'"),
        ({"value": None}, "1 values of 'value' are missing"),
        ({"step": 2**63}, "a step is too large"),
        ({"step": -1}, "come in no order, or are negative"),
    ],
)
def test_a_point_that_is_none_refuses_its_run_and_the_others_come(
    columns: dict[str, Any], told: str, changeable: Path, target: BackendStore
) -> None:
    changed(changeable / "points.jsonl", lambda lines: [with_more(lines[0], **columns), *lines[1:]])

    report = brought(changeable, target)

    assert [told in each.reason for each in report.brought.troubles] == [True]
    assert report.brought.runs == {Outcome.NEW: RUNS - 1, Outcome.REFUSED: 1}


def test_a_line_without_an_end_takes_no_unbounded_memory(changeable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runstore.importing.json_rows._MOST_LINE", 2**22)
    with (changeable / "points.jsonl").open("r+b") as file:
        file.truncate(0)
        file.truncate(2**23)

    with pytest.raises(SourceError, match=r"points\.jsonl: has a line of over"):
        source_at(str(changeable))


def test_the_command_writes_json_and_import_brings_it_with_experiments_alone(filled: str, tmp_path: Path) -> None:
    folder, again = str(tmp_path / "some"), f"sqlite:///{tmp_path / 'again.db'}"

    done = runstore_here("export", folder, "--store", filled, "--format", "json", "--experiment", "without runs")
    back = runstore_here("import", folder, "--store", again)

    assert done.stdout == f"{folder}: 0 runs, 0 points, 0 artifacts (0 bytes)\n"
    assert "1 experiment without runs" in back.stdout
    with open_reader(again) as reader:
        assert [(each.name, each.description) for each in reader.list_experiments()] == [
            ("without runs", "nothing yet")
        ]
