"""Exports in Parquet and CSV: whole, readable by other programs, and back in a store as they were."""

import csv
import io
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from exporting.filling import LONG
from moving import everything
from runstore import MetricPoint, open_reader, open_store
from runstore.backend import BackendStore
from runstore.cli import app
from runstore.errors import InvalidValueError, MissingDriverError, RunStoreError, SourceError
from runstore.exporting import export
from runstore.importing import ImportReport, bring_from, source_at
from runstore.moving import Outcome, Selection, verify
from runstore.moving.report import Quiet


@pytest.fixture(scope="module")
def exported(filled: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of that store, which no test changes."""
    folder = tmp_path_factory.mktemp("exported") / "all"
    with open_reader(filled) as source:
        export(source, folder)
    return folder


@pytest.fixture
def copied(exported: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(exported, tmp_path / "copied"))


def brought(folder: Path, target: BackendStore) -> ImportReport:
    return bring_from(source_at(str(folder)), target)


def rewritten(path: Path, **columns: Any) -> None:
    """Puts other columns into a table; each is made of the one that stands there, as a list."""
    table = pq.read_table(path)
    for name, change in columns.items():
        index = table.schema.get_field_index(name)
        values = pa.array(change(table.column(name).to_pylist()), table.schema.field(name).type)
        table = table.set_column(index, table.schema.field(name), values)
    pq.write_table(table, path)


def test_what_was_exported_comes_back_equal_and_a_second_time_changes_nothing(
    filled: str, exported: Path, target: BackendStore
) -> None:
    first, second = brought(exported, target), brought(exported, target)

    assert first.is_whole
    assert first.findings == ()
    assert first.brought.runs == {Outcome.NEW: len(everything.SHOWN) + 1}
    assert (second.brought.runs, second.brought.points, second.brought.files) == (
        {Outcome.UNCHANGED: len(everything.SHOWN) + 1}, 0, 0,
    )  # fmt: skip
    with open_reader(filled) as source:
        verdict, back = verify(source, target), verify(target, source)
    assert verdict.differences == back.differences == ()
    assert (verdict.runs, verdict.points, verdict.files) == (len(everything.SHOWN) + 1, 2051 + LONG, 4)


def test_experiments_without_runs_come_back_too_but_not_with_a_selection_of_runs(
    filled: str, exported: Path, target: BackendStore, tmp_path: Path
) -> None:
    with open_reader(filled) as source:
        wanted = {each.name: each.description for each in source.list_experiments()}
        some = export(source, tmp_path / "some", Selection(filter="id = 'bare'"))

    report = brought(exported, target)

    assert {each.name: each.description for each in target.list_experiments()} == wanted
    assert report.experiments == 1
    table = pq.read_table(exported / "experiments.parquet").to_pylist()
    assert sorted(table, key=lambda row: str(row["name"])) == [
        {"name": "Größe/肺 ☃", "description": "Zeile\nzwei", "runs": 2},
        {"name": "other", "description": None, "runs": 6},
        {"name": "without runs", "description": "nothing yet", "runs": 0},
    ]
    assert some.experiments == 1


def test_an_export_of_a_release_without_a_table_of_experiments_is_read(copied: Path, target: BackendStore) -> None:
    (copied / "experiments.parquet").unlink()

    report = brought(copied, target)

    assert report.is_whole
    assert (report.experiments, report.brought.runs) == (0, {Outcome.NEW: len(everything.SHOWN) + 1})


def test_points_are_written_and_read_in_bounded_groups(exported: Path) -> None:
    points = pq.ParquetFile(exported / "points.parquet").metadata

    rows = [points.row_group(each).num_rows for each in range(points.num_row_groups)]
    assert sum(rows) == 2051 + LONG
    assert max(rows) <= 100_000


def test_names_of_runs_metrics_and_files_are_no_paths(exported: Path) -> None:
    found = sorted(str(each.relative_to(exported)) for each in exported.rglob("*") if each.is_file())

    tables = [f"{each}.parquet" for each in ("artifacts", "configs", "experiments", "points", "runs")]
    tables += ["runstore-export.json"]
    assert [each for each in found if not each.startswith("files/")] == tables
    assert len(found) == len(tables) + 4
    assert not list(exported.parent.glob(".*"))


def test_another_program_reads_what_the_page_says(exported: Path) -> None:
    with duckdb.connect() as database:
        ask = f"SELECT r.experiment, max(p.value) FROM '{exported}/points.parquet' p JOIN '{exported}/runs.parquet' r \
            ON r.id = p.run_id WHERE p.name = 'dice' GROUP BY ALL"
        assert database.sql(ask).fetchall() == [("other", 0.9995)]
        ask = f"SELECT number FROM '{exported}/configs.parquet' WHERE run_id = 'parent' AND key = 'lr'"
        assert database.sql(ask).fetchall() == [(0.001,)]


def by_duckdb(path: Path) -> None:
    with duckdb.connect() as database:
        database.sql(f"COPY (SELECT * FROM '{path}') TO '{path}.new' (FORMAT parquet)")


def by_polars(path: Path) -> None:
    polars.read_parquet(path).write_parquet(f"{path}.new")


def by_pandas(path: Path) -> None:
    pandas.read_parquet(path).to_parquet(f"{path}.new")


@pytest.mark.parametrize("by", [by_duckdb, by_polars, by_pandas])
def test_tables_that_another_program_has_written_again_come_back_equal(
    by: Callable[[Path], None], filled: str, copied: Path, target: BackendStore
) -> None:
    for path in sorted(copied.glob("*.parquet")):
        by(path)
        path.with_name(f"{path.name}.new").replace(path)

    report = brought(copied, target)

    assert (report.findings, report.brought.troubles) == ((), ())
    with open_reader(filled) as source:
        assert verify(source, target).differences == ()


def test_only_chosen_runs_are_written_and_bytes_only_if_wanted(
    filled: str, tmp_path: Path, target: BackendStore
) -> None:
    with open_reader(filled) as source:
        written = export(source, tmp_path / "one", Selection(filter="id = 'parent'"), with_bytes=False)

    assert (written.runs, written.points, written.files, written.bytes) == (1, 10, 5, 0)
    assert not (tmp_path / "one" / "files").exists()
    report = brought(tmp_path / "one", target)
    assert {each.key for each in report.findings} == {
        *(f"overlay/step-{step:09d}.png" for step in range(3)), "empty.bin",
    }  # fmt: skip
    assert [each.name for each in target.list_artifacts("parent")] == ["elsewhere"]


def test_what_is_there_is_replaced_only_if_it_is_an_export_and_only_when_asked(filled: str, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    bare, child = (Selection(filter=f"id = '{each}'") for each in ("bare", "child"))
    with open_reader(filled) as source:
        export(source, tmp_path / "out", bare)

        with pytest.raises(InvalidValueError, match="--force"):
            export(source, tmp_path / "out", child)
        with pytest.raises(InvalidValueError, match="is no export"):
            export(source, tmp_path / "mine", child, replace=True)
        assert pq.read_table(tmp_path / "out" / "runs.parquet")["id"].to_pylist() == ["bare"]
        export(source, tmp_path / "out", child, replace=True)

    assert pq.read_table(tmp_path / "out" / "runs.parquet")["id"].to_pylist() == ["child"]
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine", "out"]


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    (tmp_path / "model.pt").write_bytes(b"weights")
    with open_store(url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("ct-seg"))
        lost = store.log_artifact(run_id, tmp_path / "model.pt")
    Path(lost.uri).unlink()
    (tmp_path / "out").mkdir()

    with open_reader(url) as source, pytest.raises(RunStoreError, match="model"):
        export(source, tmp_path / "out" / "all")

    assert list((tmp_path / "out").iterdir()) == []


def test_bytes_that_were_changed_or_are_a_link_are_refused_and_the_rest_comes(
    copied: Path, target: BackendStore
) -> None:
    changed, linked = sorted(each for each in copied.rglob("files/*/*") if each.stat().st_size)[:2]
    changed.write_bytes(b"other")
    linked.unlink()
    linked.symlink_to("/etc/hostname")

    report = brought(copied, target)

    reasons = [trouble.reason for trouble in report.brought.troubles]
    assert len(reasons) == 2
    assert any("SHA-256" in reason for reason in reasons)
    assert any("link" in reason for reason in reasons)
    assert target.count_runs("archived in (true, false)") == len(everything.SHOWN) + 1


def test_what_stands_as_a_files_place_is_never_opened(copied: Path, tmp_path: Path, target: BackendStore) -> None:
    secret = tmp_path / "secret"
    secret.write_text("no business of yours")
    rewritten(copied / "artifacts.parquet", file=lambda old: [str(secret)] * len(old))

    assert brought(copied, target).is_whole
    rewritten(copied / "artifacts.parquet", sha256=lambda old: ["../../secret"] * len(old))
    assert {each.what for each in brought(copied, target).findings} == {"file_left_out"}


@pytest.mark.parametrize(
    ("table", "columns", "told"),
    [
        ("runs.parquet", {"status": lambda old: ["running", *old[1:]]}, "running"),
        ("runs.parquet", {"config": lambda old: ["{", *old[1:]]}, "config"),
        ("runs.parquet", {"start_time": lambda old: [None, *old[1:]]}, "start_time"),
        ("runs.parquet", {"tags": lambda old: ["[" * 100_000, *old[1:]]}, "cannot be read"),
    ],
)
def test_a_run_that_cannot_be_read_is_told_and_the_others_come(
    table: str, columns: Any, told: str, copied: Path, target: BackendStore
) -> None:
    rewritten(copied / table, **columns)

    report = brought(copied, target)

    assert not report.is_whole
    assert [told in each.text for each in report.findings] == [True]
    assert report.brought.runs == {Outcome.NEW: len(everything.SHOWN)}


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("points.parquet", b"PAR1 and nothing", "points.parquet"),
        ("runs.parquet", None, "runs.parquet"),
        ("runstore-export.json", b'{"format":"runstore-export","version":2}', "install a newer runstore"),
        ("runstore-export.json", b"{", "no head of an export"),
        ("runstore-export.json", b'{"format":"other","version":1}', "other"),
    ],
)
def test_a_folder_that_is_damaged_or_newer_is_refused_with_a_reason(
    path: str, content: bytes | None, told: str, copied: Path
) -> None:
    (copied / path).unlink()
    if content is not None:
        (copied / path).write_bytes(content)

    with pytest.raises(SourceError, match=told):
        source_at(str(copied))


def test_a_table_without_a_column_or_with_a_step_missing_is_told(copied: Path, target: BackendStore) -> None:
    rewritten(copied / "points.parquet", step=lambda old: [None, *old[1:]])

    report = brought(copied, target)

    assert ["1 values of 'step' are missing" in each.reason for each in report.brought.troubles] == [True]
    assert report.brought.runs == {Outcome.NEW: len(everything.SHOWN), Outcome.REFUSED: 1}
    pq.write_table(pq.read_table(copied / "points.parquet").drop_columns(["value"]), copied / "points.parquet")
    with pytest.raises(SourceError, match="no column value"):
        source_at(str(copied))


def run_command(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_the_command_writes_runs_by_name_and_import_brings_them(filled: str, tmp_path: Path) -> None:
    folder, again = str(tmp_path / "some"), f"sqlite:///{tmp_path / 'again.db'}"

    done = run_command("export", folder, "bare", "the parent", "bare", "--store", filled)
    told = json.loads(run_command("export", folder, "bare", "--store", filled, "--force", "--json").stdout)
    back = run_command("import", folder, "--store", again)

    assert done.output == f"{folder}: 2 runs, 10 points, 5 artifacts (15 bytes)\n"
    assert told == {"folder": folder, "experiments": 1, "runs": 1, "points": 0, "files": 0, "bytes": 0, "left_out": {}}
    assert "1 run: 1 new" in back.output
    refused = run_command("export", folder, "bare", "--filter", "id = 'bare'", "--store", filled)
    assert (refused.exit_code, "RUN excludes" in refused.output) == (2, True)


def test_csv_has_the_same_tables_for_a_spreadsheet_and_is_not_taken_for_a_whole_export(
    filled: str, tmp_path: Path
) -> None:
    folder = tmp_path / "sheet"

    done = run_command("export", str(folder), "parent", "--store", filled, "--format", "csv")

    assert done.output == f"{folder}: 1 run, 10 points, 5 artifacts (15 bytes)\n"
    points = [*csv.DictReader(io.StringIO((folder / "points.csv").read_bytes().decode(), newline=""))]
    losses = {int(each["step"]): float(each["value"]) for each in points if each["name"] == "loss"}
    wanted = {**dict(enumerate(everything.VALUES)), 3: 0.25, 99: 0.125}
    assert repr(losses) == repr(wanted)
    assert points[0]["name"] == "$odd. /na%me"
    assert points[0]["logged_at"] == "2025-12-31T23:59:59.999999+00:00"
    (run,) = csv.DictReader(io.StringIO((folder / "runs.csv").read_bytes().decode(), newline=""))
    assert (run["experiment"], run["experiment_description"]) == ("Größe/肺 ☃", "Zeile\nzwei")
    assert (run["parent_run_id"], json.loads(run["tags"])["owner"]) == ("", "me")
    with pytest.raises(SourceError, match="export the runs in Parquet or JSON"):
        source_at(str(folder))


def test_no_text_of_a_csv_begins_a_formula_and_numbers_stay_numbers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    hostile = ['=HYPERLINK("http://example.org";"x")', "+1+1", "-2+3", "@SUM(A1)", " =1", "＝1+1"]  # noqa: RUF001 - meant
    with open_store(url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("=cmd|x"), name="-x", tags={"a": "=1"})
        store.log_config(run_id, {"lr": -0.5, "text": "-0.5", "formula": "=1+1", "plain": "it's"})
        store.log_metrics(run_id, [MetricPoint(name, -math.inf, 0) for name in hostile])
        store.log_metrics(run_id, [MetricPoint("loss", value, step) for step, value in enumerate([-1.5, -0.0, 1e300])])
        store.set_note(run_id, "\n@now")
    with open_reader(url) as source:
        export(source, tmp_path / "sheet", form="csv")

    tables = {path.stem: pandas.read_csv(path, keep_default_na=False) for path in (tmp_path / "sheet").glob("*.csv")}
    (run,) = tables["runs"].to_dict("records")
    assert (run["experiment"], run["name"], run["note"]) == ("'=cmd|x", "'-x", "'\n@now")
    assert json.loads(run["tags"]) == {"a": "=1"}
    points = tables["points"]
    assert set(points["name"]) == {"loss", *(f"'{name}" for name in hostile)}
    assert str(points["value"].dtype) == "float64"
    assert sorted(points["value"][points["name"] == "loss"]) == [-1.5, -0.0, 1e300]
    texts = dict(zip(tables["configs"]["key"], tables["configs"]["text"], strict=True))
    assert texts == {"lr": "-0.5", "text": "-0.5", "formula": "'=1+1", "plain": "it's"}


def test_without_pyarrow_the_errors_say_what_to_install_and_csv_is_written(
    filled: str, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runstore.frames.parquet.find_spec", lambda _: None)

    with open_reader(filled) as source:
        with pytest.raises(MissingDriverError, match=r"pip install pyarrow, or export with --format json"):
            export(source, tmp_path / "out", Selection(filter="id = 'bare'"))
        export(source, tmp_path / "out", Selection(filter="id = 'bare'"), form="csv")
    with pytest.raises(MissingDriverError, match="pip install pyarrow"):
        source_at(str(exported))


def test_an_export_that_is_stopped_leaves_nothing_and_the_earlier_one_as_it_was(filled: str, tmp_path: Path) -> None:
    class Stopping(Quiet):
        def done(self, run_id: str, outcome: Outcome) -> None:
            raise KeyboardInterrupt(run_id, outcome)

    with open_reader(filled) as source:
        export(source, tmp_path / "out", Selection(filter="id = 'bare'"))
        with pytest.raises(KeyboardInterrupt):
            export(source, tmp_path / "out", replace=True, told=Stopping())

    assert [each.name for each in tmp_path.iterdir()] == ["out"]
    assert pq.read_table(tmp_path / "out" / "runs.parquet")["id"].to_pylist() == ["bare"]
