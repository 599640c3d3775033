"""Files in the layout of Neptune's exporter are in the store afterwards, each point of them. The exporter itself cannot be had."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runstore import Run
from runstore.backend import BackendStore
from runstore.errors import MissingDriverError
from runstore.importing import Findings, ImportReport, Told, bring_from, source_at
from runstore.importing import neptune_parquet as module
from runstore.moving import Outcome

pa = pytest.importorskip("pyarrow")
START = datetime(2025, 11, 1, 10, tzinfo=UTC)
SCHEMA = pa.schema(
    [
        ("project_id", pa.string()), ("run_id", pa.string()), ("attribute_path", pa.string()), ("attribute_type", pa.string()),
        ("step", pa.decimal128(18, 6)), ("timestamp", pa.timestamp("ms", tz="UTC")), ("int_value", pa.int64()),
        ("float_value", pa.float64()), ("string_value", pa.string()), ("bool_value", pa.bool_()),
        ("datetime_value", pa.timestamp("ms", tz="UTC")), ("string_set_value", pa.list_(pa.string())),
        ("file_value", pa.struct([("path", pa.string())])),
        ("histogram_value", pa.struct([("type", pa.string()), ("edges", pa.list_(pa.float64())), ("values", pa.list_(pa.float64()))])),
    ]
)  # fmt: skip
Row = dict[str, Any]
PROJECT = "lab/chest-x-rays"


def value(path: str, kind: str, given: object) -> Row:
    return {"attribute_path": path, "attribute_type": kind, f"{kind}_value": given}


def point(path: str, step: object, number: float | None, second: int = 0) -> Row:
    at = START.replace(second=second)
    decimal = None if step is None else Decimal(str(step))
    return {
        "attribute_path": path,
        "attribute_type": "float_series",
        "step": decimal,
        "timestamp": at,
        "float_value": number,
    }


def written(path: Path, rows: Iterable[Row], run: str = "CHX-1") -> Path:
    from pyarrow import parquet  # noqa: PLC0415 - after it was looked for

    path.parent.mkdir(exist_ok=True, parents=True)
    table = pa.Table.from_pylist([{"project_id": PROJECT, "run_id": run, **row} for row in rows], schema=SCHEMA)
    parquet.write_table(table, path, compression="snappy")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with two runs, one of them in two parts."""
    folder = tmp_path / "data" / "lab_chest-x-rays_0a1b"
    facts = [
        value("sys/name", "string", "first try"), value("sys/description", "string", "# Good"), value("sys/failed", "bool", given=False),
        value("sys/tags", "string_set", ["baseline", "ürban"]), value("sys/creation_time", "datetime", START),
        value("sys/owner", "string", "me"), value("parameters/lr", "float", 0.001), value("parameters/depth", "int", 18),
        value("parameters/net/name", "string", "resnet"), value("parameters/amp", "bool", given=True),
    ]  # fmt: skip
    points = [point("train/loss", step, 1 / (1 + step), step % 60) for step in range(700)]
    written(folder / "CHX-1_part_0.parquet", [*facts, *points[:500]])
    odd = [point("odd", step, each) for step, each in enumerate([math.nan, math.inf, -math.inf, -0.0])]
    folded = [point("below", -2, 1.0), point("below", 0, 2.0), point("half", 0.5, 1.0), point("half", 1.5, 2.0)]
    others: list[Row] = [
        {"attribute_path": "log", "attribute_type": "string_series", "step": Decimal(0), "timestamp": START, "string_value": "x"},
        {"attribute_path": "model", "attribute_type": "file", "file_value": {"path": "a/model.bin"}},
    ]  # fmt: skip
    written(folder / "CHX-1_part_1.parquet", [*points[500:], *odd, *folded, *others])
    written(
        folder / "CHX-2_part_0.parquet", [value("sys/failed", "bool", given=True), point("loss", 0, 0.5)], run="CHX-2"
    )
    return tmp_path / "data"


def brought(place: Path, store: BackendStore) -> ImportReport:
    return bring_from(source_at(str(place)), store)


def named(store: BackendStore, name: str) -> Run:
    (run,) = store.search_runs(f"name = '{name}'")
    return run


def points_of(store: BackendStore, run: Run, name: str, kind: str = "other") -> list[tuple[int, str]]:
    history = store.get_history(run.id, name, kind)
    return list(zip(history.steps, map(repr, history.values), strict=True))


def test_every_run_and_every_point_is_there(data: Path, store: BackendStore) -> None:
    report = brought(data, store)

    run, failed = named(store, "first try"), named(store, "CHX-2")
    assert points_of(store, run, "loss", "train") == [(step, repr(1 / (1 + step))) for step in range(700)]
    assert points_of(store, run, "odd") == list(enumerate(["nan", "inf", "-inf", "-0.0"]))
    assert points_of(store, failed, "loss") == [(0, "0.5")]
    assert store.get_history(run.id, "loss", "train").logged_at_us[7] == int(START.replace(second=7).timestamp() * 1e6)
    assert store.get_config(run.id) == {
        "parameters": {"lr": 0.001, "depth": 18, "net": {"name": "resnet"}, "amp": True}
    }  # fmt: skip
    assert (run.tags, run.note, run.status, failed.status) == (
        {"baseline": "true", "ürban": "true"}, "# Good", "completed", "failed",
    )  # fmt: skip
    assert run.start_time == START
    assert store.get_experiment(run.experiment_id).name == PROJECT
    assert run.provenance["imported"]["id"] == f"{PROJECT}/CHX-1"
    assert run.provenance["neptune"]["owner"] == "me"
    assert report.is_whole
    assert report.brought.runs == {Outcome.NEW: 2}


def test_what_is_folded_or_left_out_is_told(data: Path, store: BackendStore) -> None:
    report = brought(data, store)

    run = named(store, "first try")
    assert points_of(store, run, "below") == [(0, "1.0"), (2, "2.0")]
    assert points_of(store, run, "half") == [(0, "1.0"), (1, "2.0")]
    assert {(each.what, each.key) for each in report.findings} == {
        (Told.STEPS_SHIFTED, "below"), (Told.STEPS_COUNTED, "half"), (Told.NO_NUMBERS, "log"), (Told.FILES_ELSEWHERE, "model"),
    }  # fmt: skip


def test_a_second_import_changes_nothing(data: Path, store: BackendStore) -> None:
    brought(data, store)

    again = brought(data, store)

    assert again.brought.runs == {Outcome.UNCHANGED: 2}
    assert (again.brought.points, again.brought.files) == (0, 0)


@pytest.mark.parametrize("size", [0, 3, 500, -3])
def test_a_run_with_a_part_that_is_cut_off_is_told_and_not_brought_in_part(
    size: int, data: Path, store: BackendStore
) -> None:
    part = next(data.rglob("CHX-1_part_1.parquet"))
    part.write_bytes(part.read_bytes()[:size])

    report = brought(data, store)

    (text,) = [each.text for each in report.findings if each.what is Told.UNREADABLE]
    assert text.startswith(f"{part}: is no Parquet file that can be read")
    assert {run.name for run in store.search_runs()} == {"CHX-2"}
    assert not report.is_whole


@pytest.mark.parametrize("row", [point("loss", None, 0.5), point("loss", 1, None)], ids=["no step", "no number"])
def test_a_row_that_is_no_point_is_told_with_its_number(row: Row, tmp_path: Path, store: BackendStore) -> None:
    path = written(tmp_path / "a_part_0.parquet", [point("loss", 0, 0.5), row])

    report = brought(path, store)

    (text,) = [each.text for each in report.findings if each.what is Told.UNREADABLE]
    assert text.startswith(f"{path}: row 1: a point of 'loss'")
    assert store.count_runs() == 0


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("step", ["one"]), ("step", [math.inf]), ("float_value", ["half"]), ("timestamp", ["now"]), ("attribute_path", [1]),
        ("file_value", ["a"]), ("string_set_value", ["a"]),
    ],
)  # fmt: skip
def test_a_column_of_another_type_is_told(column: str, values: list[Any], tmp_path: Path, store: BackendStore) -> None:
    from pyarrow import parquet  # noqa: PLC0415 - after it was looked for

    path = written(tmp_path / "a_part_0.parquet", [point("loss", 0, 0.5)])
    table = parquet.read_table(path)
    place = table.schema.get_field_index(column)
    parquet.write_table(table.set_column(place, column, pa.array(values)), path)

    report = brought(path, store)

    (text,) = [each.text for each in report.findings if each.what is Told.UNREADABLE]
    assert text.startswith(f"{path}: the column {column!r} has ")
    assert store.count_runs() == 0


def test_without_pyarrow_the_error_says_what_to_install(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)

    with pytest.raises(MissingDriverError, match="pip install pyarrow"):
        source_at(str(data))


def test_of_a_long_run_a_part_is_held_at_once(tmp_path: Path) -> None:
    count = 120_000
    columns = {
        "project_id": [PROJECT] * count, "run_id": ["r"] * count, "attribute_path": ["loss"] * count,
        "attribute_type": ["float_series"] * count, "step": pa.array(range(count)).cast(pa.decimal128(25, 6)),
        "timestamp": pa.array([START] * count, pa.timestamp("ms", tz="UTC")), "float_value": [0.5] * count,
    }  # fmt: skip
    from pyarrow import parquet  # noqa: PLC0415 - after it was looked for

    parquet.write_table(pa.table(columns), tmp_path / "r_part_0.parquet")
    (run,) = source_at(str(tmp_path)).runs(Findings())

    assert [len(columns.steps) for _, columns in run.pieces()] == [100_000, 20_000]
