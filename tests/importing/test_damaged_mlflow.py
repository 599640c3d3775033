"""What is damaged, foreign or meant to do harm is told with its place, and nothing of it is in the store."""

import os
import shutil
import sqlite3
import sys
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest

from importing.conftest import Made
from runstore.backend import BackendStore
from runstore.errors import MissingDriverError, SourceError
from runstore.importing import Findings, ImportReport, Told, bring_from, source_at


@pytest.fixture
def mlruns(newest: Made, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(newest.place, tmp_path / "mlruns"))


@pytest.fixture
def first(newest: Made, mlruns: Path) -> Path:
    """The folder of the run that has everything."""
    return next(mlruns.glob(f"*/{newest.run('first try')[0]}"))


def brought(place: Path, store: BackendStore) -> ImportReport:
    return bring_from(source_at(str(place)), store)


def unreadable(report: ImportReport) -> list[str]:
    return [each.text for each in report.findings if each.what is Told.UNREADABLE]


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ("", "is empty or cut off"),
        ("artifact_uri: x\nend_time: 3\n", "no line for start_time and status"),
        ("run_name: 'never ends\nstatus: 3\n", "meta.yaml:"),
        ("a: &a [x]\nb: *a\nstatus: 3\n", "meta.yaml:1: has an anchor"),
        ("status: !!python/object/apply:os.system ['true']\n", "meta.yaml:1: has a tag"),
        ("a: " + "[" * 50_000, "meta.yaml:1: is nested over 16 levels"),
        ("status: 3\n" + "x" * 70_000, "at most 65536"),
    ],
)
def test_a_damaged_run_is_told_and_the_others_are_there(
    meta: str, said: str, first: Path, newest: Made, store: BackendStore
) -> None:
    (first / "meta.yaml").write_text(meta)

    report = brought(first.parent.parent, store)

    (text,) = unreadable(report)
    assert said in text
    assert str(first) in text
    assert not report.is_whole
    assert store.count_runs() == len(newest.told) - 1
    assert first.name not in {run.provenance["imported"]["id"] for run in store.search_runs()}


@pytest.mark.parametrize(
    "line", ["1700000000000 0.5 one", "1700000000000", "0.5 0.5 1", "1 2 99999999999999999999", "\0\0"]
)
def test_a_line_that_is_no_point_is_told_by_its_number(
    line: str, first: Path, mlruns: Path, store: BackendStore
) -> None:
    with (first / "metrics" / "val_auroc").open("a") as file:
        file.write(f"{line}\n1700000000000 0.5 9\n")

    report = brought(mlruns, store)

    (text,) = unreadable(report)
    assert f"{first / 'metrics' / 'val_auroc'}:4: " in text
    assert first.name not in {run.provenance["imported"]["id"] for run in store.search_runs()}


def test_a_last_line_that_is_not_whole_is_left_out_and_told(first: Path, mlruns: Path, store: BackendStore) -> None:
    with (first / "metrics" / "val_auroc").open("a") as file:
        file.write("1700000000040 0.9")

    report = brought(mlruns, store)

    (run,) = store.search_runs("name = 'first try'")
    assert list(store.get_history(run.id, "auroc", "validation").values) == [0.5, 0.75, 0.5]
    assert [(each.key, each.count) for each in report.findings if each.what is Told.LINE_CUT] == [("val_auroc", 1)]


def test_links_are_not_followed_and_pipes_not_waited_for(first: Path, mlruns: Path, store: BackendStore) -> None:
    secret = mlruns.parent / "secret.txt"
    secret.write_text("mine")
    (first / "artifacts" / "notes.txt").symlink_to(secret)
    (first / "artifacts" / "all").symlink_to(mlruns.parent)
    (first / "tags" / "stolen").symlink_to(secret)
    os.mkfifo(first / "params" / "pipe")

    report = brought(mlruns, store)

    (run,) = store.search_runs("name = 'first try'")
    assert [each.name for each in store.list_artifacts(run.id)] == ["model/weights.bin", "report.txt"]
    assert "stolen" not in run.tags
    left_out = {each.key for each in report.findings if each.what is Told.FILE_LEFT_OUT}
    assert left_out == {"notes.txt", "all", "stolen", "pipe"}


def test_what_no_store_takes_is_changed_or_left_out_and_told(first: Path, mlruns: Path, store: BackendStore) -> None:
    (first / "params" / "huge").write_text("x" * (2**20 + 1))
    (first / "params" / "bytes").write_bytes(b"\xff\0")
    (first / "tags" / "long").write_text("x" * 70_000)
    (first / "metrics" / "a\nb").write_text("1700000000000 0.5 0\n")
    (first / "artifacts" / "back\\slash").write_text("x")

    report = brought(mlruns, store)

    (run,) = store.search_runs("name = 'first try'")
    config = store.get_config(run.id)
    assert "huge" not in config
    assert config["bytes"] == "\\xff\\x00"
    assert "a\N{REPLACEMENT CHARACTER}b" in {each.name for each in store.get_summaries(run.id)}
    told = {each.key: each.what for each in report.findings}
    assert (told["huge"], told["long"]) == (Told.LEFT_OUT, Told.LEFT_OUT)
    assert (told["a\nb"], told["back\\slash"]) == (Told.NAME_CHANGED, Told.FILE_LEFT_OUT)


def test_without_pyyaml_the_error_names_the_extra(
    mlruns: Path, store: BackendStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)

    with pytest.raises(MissingDriverError, match=r"runstore\[import\]"):
        brought(mlruns, store)


def a_database(folder: Path, *, artifact_uri: str = "", value: object = 0.5, step: object = 0) -> Path:
    """A database with the tables of MLflow 1, by hand: MLflow itself would refuse what is in it."""
    path = folder / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            "CREATE TABLE experiments (experiment_id INTEGER, name TEXT, lifecycle_stage TEXT);"
            "CREATE TABLE experiment_tags (experiment_id INTEGER, key TEXT, value TEXT);"
            "CREATE TABLE runs (run_uuid TEXT, name TEXT, status TEXT, start_time BIGINT, end_time BIGINT, user_id TEXT,"
            " artifact_uri TEXT, experiment_id INTEGER, lifecycle_stage TEXT);"
            "CREATE TABLE params (run_uuid TEXT, key TEXT, value TEXT);"
            "CREATE TABLE tags (run_uuid TEXT, key TEXT, value TEXT);"
            "CREATE TABLE metrics (run_uuid TEXT, key TEXT, step BIGINT, timestamp BIGINT, value FLOAT, is_nan BOOLEAN);"
            "INSERT INTO experiments VALUES (1, 'e', 'active');"
        )
        row = ("r1", "one", "FINISHED", 1, 2, "me", artifact_uri, 1, "active")
        connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("INSERT INTO metrics VALUES ('r1', 'loss', ?, 1, ?, 0)", (step, value))
    connection.close()
    return path


@pytest.mark.parametrize("facts", [{"value": "half"}, {"step": "one"}, {"step": 2.5}])
def test_a_database_with_texts_for_numbers_is_told_by_table_run_and_key(
    facts: dict[str, object], store: BackendStore, tmp_path: Path
) -> None:
    report = brought(a_database(tmp_path, **facts), store)  # type: ignore[arg-type]  # of two kinds

    (text,) = unreadable(report)
    assert "table metrics, run r1, key 'loss'" in text
    assert store.count_runs() == 0


@pytest.mark.parametrize("uri", ["file:///etc", "/etc", "../other", "file:///etc/%2e%2e/etc", "private"])
def test_a_database_cannot_name_any_files_it_likes(uri: str, store: BackendStore, tmp_path: Path) -> None:
    for folder in (tmp_path / "here" / "private", tmp_path / "other"):
        folder.mkdir(parents=True)
        (folder / "secret.txt").write_text("mine")

    report = brought(a_database(tmp_path / "here", artifact_uri=uri), store)

    (run,) = store.search_runs()
    assert store.list_artifacts(run.id) == ()
    assert [each.what for each in report.findings] == [Told.FILES_ELSEWHERE]


def test_files_of_a_named_folder_are_taken(store: BackendStore, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    database = a_database(tmp_path / "here", artifact_uri=(tmp_path / "other").as_uri())

    bring_from(source_at(str(database), artifacts=[tmp_path]), store)

    (run,) = store.search_runs()
    assert [each.name for each in store.list_artifacts(run.id)] == ["mine.txt"]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("notes.txt", b"hello", "no format that is known"),
        ("cut.db", b"SQLite format 3\0", "cannot be read"),
        ("empty", b"", "no format that is known"),
    ],
)
def test_a_foreign_file_is_told_and_what_is_known_is_named(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(SourceError, match=said):
        source_at(str(tmp_path / name))


def test_a_foreign_database_a_missing_file_and_a_strange_url_are_told(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE films (name)").connection.close()

    for place, said in (
        (str(tmp_path / "other.db"), "found: films"),
        (str(tmp_path / "none"), "no such file or folder"),
        (str(tmp_path), "no format that is known"),
        ("ftp://host/mlruns", "nothing is imported from ftp://"),
    ):
        with pytest.raises(SourceError, match=said):
            source_at(place)


def test_a_folder_that_holds_what_is_meant_says_so(mlruns: Path) -> None:
    with pytest.raises(SourceError, match=r"holds mlruns; give that: runstore import .*mlruns"):
        source_at(str(mlruns.parent))


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_a_long_metric_is_read_in_bounded_memory(order: str, first: Path, mlruns: Path) -> None:
    count, is_in_order = 200_000, order == "ascending"
    with (first / "metrics" / "long").open("w") as file:
        file.writelines(
            f"{1700000000000 + step} 0.5 {step if is_in_order else count - step}\n" for step in range(count)
        )
    (run,) = (each for each in source_at(str(mlruns)).runs(Findings()) if each.run.name == "first try")
    tracemalloc.start()
    try:
        pieces = [len(columns.steps) for (name, _), columns in run.pieces() if name == "long"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert sum(pieces) == count
    assert max(pieces) <= 100_000
    assert peak < (24 * 2**20 if is_in_order else 60 * 2**20)
