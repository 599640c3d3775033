"""Exports as event files: TensorBoard itself reads every point, and what they cannot hold is told."""

import json
import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from exporting.filling import LONG
from moving import everything
from runstore import MetricPoint, RunReader, open_reader, open_store
from runstore.backend import BackendStore
from runstore.exporting import Exported, export
from runstore.importing import Told, bring_from, source_at
from runstore.local.crc32c import masked_crc32c
from runstore.moving import Outcome, Selection
from support.commands import runstore_here
from support.tools import made_by, tool

TAGS = {"train": "train/", "validation": "validation/", "test": "test/", "other": ""}


ROUNDED = 3 + sum(array("f", [step / 2000])[0] != step / 2000 for step in range(2000))


class Events(NamedTuple):
    """An export, and what was said of it."""

    folder: Path
    said: Exported
    places: dict[str, str]


def folders_of(folder: Path) -> dict[str, str]:
    """By the run's id: where its events lie."""
    lines = map(json.loads, (folder / "runs.jsonl").read_bytes().splitlines())
    return {line["id"]: line["folder"] for line in lines}


@pytest.fixture(scope="session")
def events(filled: str, tmp_path_factory: pytest.TempPathFactory) -> Events:
    """All runs but the long one, which no test changes."""
    folder = tmp_path_factory.mktemp("events") / "logs"
    with open_reader(filled) as source:
        said = export(source, folder, Selection(filter="id != '../../long'"), form="tensorboard")
    return Events(folder, said, folders_of(folder))


@pytest.fixture
def reader(filled: str) -> Iterator[RunReader]:
    with open_reader(filled) as reader:
        yield reader


def points_of(reader: RunReader, run_id: str) -> dict[str, list[tuple[int, str, float]]]:
    """By the tag: step, value in 32 bits, and time."""
    points = {}
    for each in reader.get_summaries(run_id):
        history = reader.get_history(run_id, each.name, each.dataset_type)
        times = [time / 1_000_000 for time in history.logged_at_us]
        points[f"{TAGS[str(each.dataset_type)]}{each.name}"] = list(
            zip(history.steps, map(repr, array("f", history.values)), times, strict=True)
        )
    return points


@pytest.mark.packaging
def test_tensorboard_reads_every_point_and_the_settings(events: Events, reader: RunReader) -> None:
    python = tool("tensorboard", "tensorboard==2.21.0", "tensorboardX==2.6.5", "setuptools<81")

    told: dict[str, Any] = json.loads(made_by(python, "tensorboard_reads.py", folder=events.folder))

    read, shown = told["read"], told["shown"]
    assert set(read) == set(events.places.values())
    for run_id, place in events.places.items():
        found = {tag: [tuple(row) for row in rows] for tag, rows in read[place]["points"].items()}
        assert found == points_of(reader, run_id), run_id
        of_page = {
            tag: [(step, repr(float(value)), time) for time, step, value in rows]
            for tag, rows in shown.get(place, {}).items()
        }
        assert of_page == found, run_id
    parent = read[events.places["parent"]]
    assert parent["settings"]["lr"] == 0.001
    assert parent["settings"]["a\\.b.$x"] == '[1,1.0,true,null,{"":{"$float":"inf"}}]'
    run = reader.get_run("parent")
    assert run.end_time is not None
    assert parent["times"] == [run.start_time.timestamp(), run.end_time.timestamp()]
    by_status = {run_id: read[place]["status"] for run_id, place in events.places.items()}
    assert by_status == {
        "parent": 1, "child": 0, "grandchild": 2, "resumed": 1, "going-on": 3, "lost": 3, "bare": 3,
    }  # fmt: skip


def test_our_import_brings_every_point(events: Events, reader: RunReader, target: BackendStore) -> None:
    report = bring_from(source_at(str(events.folder)), target)

    assert report.brought.runs == {Outcome.NEW: len(everything.SHOWN) - 3}  # three have no point and no setting
    assert {each.what for each in report.findings} == {Told.LEFT_OUT}
    brought = {run.name: run for run in target.search_runs()}
    for run_id in ("parent", "child", "resumed", "going-on"):
        run = brought[events.places[run_id]]
        assert points_of(target, run.id) == points_of(reader, run_id)
    again = brought[events.places["parent"]]
    assert (again.status, again.start_time) == ("completed", reader.get_run("parent").start_time)
    assert target.get_config(again.id)["lr"] == 0.001


def test_what_event_files_cannot_hold_is_counted(events: Events) -> None:
    assert (events.said.runs, events.said.points, events.said.files, events.said.bytes) == (7, 2051, 0, 0)
    assert events.said.left_out == {
        "tags": 3, "provenances": 1, "clients": 1, "artifacts": 5, "settings, written as texts": 1, "parents": 2, "notes": 1,
        "marks of the archive": 1, "attempts before the last": 2, "failures' reasons": 1, "statuses": 2,
        "descriptions of experiments": 1, "values, rounded to 32 bits": ROUNDED,
    }  # fmt: skip


def test_no_name_becomes_a_path(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    names = ["../../etc/passwd", "a/b\\c:d", ".", "größe ☃", "x" * 255, "-rf", "con", None, "same", "same"]
    with open_store(url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("../out")
        for name in names:
            run_id = store.ensure_run(experiment_id, name=name)
            store.log_metrics(run_id, [MetricPoint("../../loss", 1.0, 0, "train")])
    with open_reader(url) as source:
        export(source, tmp_path / "in" / "logs", form="tensorboard")

    found = sorted(each.name for each in (tmp_path / "in" / "logs").iterdir() if each.is_dir())
    assert [each[4:] for each in found] == [
        "-etc-passwd", "-a-b-c-d", "", "-groe", f"-{'x' * 40}", "-rf", "-con", "", "-same", "-same",
    ]  # fmt: skip
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in", "runs.db"]
    assert [each.name for each in (tmp_path / "in").iterdir()] == ["logs"]


def test_numbers_names_and_settings_at_their_bounds_come_back(tmp_path: Path, target: BackendStore) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    config = {
        "on": True, "off": False, "whole": 3.0, "count": 7, "large": 2**60, "nan": math.nan, "text": "0.1", "none": None,
        "net": {"depth": 18}, "": "empty",
    }  # fmt: skip
    steps = [0, 1, 127, 128, 2**14, 2**35, 2**63 - 1]
    with open_store(url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"), name="r", tags={"group": "folds"})
        store.log_config(run_id, config)
        store.log_metrics(run_id, [MetricPoint("loss", step / 3, step, "train") for step in steps])
        store.log_metrics(run_id, [MetricPoint("train/loss", 2.0, 5), MetricPoint("ü" * 255, -0.0, 0)])
        store.finalize(run_id, "completed")
    with open_reader(url) as source:
        said = export(source, tmp_path / "logs", form="tensorboard")
        wanted = points_of(source, run_id)

    bring_from(source_at(str(tmp_path / "logs")), target)

    (run,) = target.search_runs()
    found = points_of(target, run.id)
    assert found["ü" * 255] == wanted["ü" * 255]
    assert sorted(map(len, found.values())) == [1, 1, len(steps)]
    assert said.left_out["points under another name"] == 1
    assert said.left_out["settings, read as whole numbers"] == 1
    assert said.left_out["settings, written as texts"] == 3
    assert target.get_config(run.id) == {
        "on": True, "off": False, "whole": 3, "count": 7, "large": str(2**60), "nan": "nan", "text": "0.1", "none": "null",
        "net.depth": 18, "": "empty",
    }  # fmt: skip
    assert run.tags == {"group": "folds"}


def test_a_long_history_is_written_and_each_checksum_is_right(filled: str, tmp_path: Path) -> None:
    with open_reader(filled) as source:
        said = export(source, tmp_path / "logs", Selection(filter="id = '../../long'"), form="tensorboard")

    (path,) = (tmp_path / "logs").rglob("*tfevents*")
    data = path.read_bytes()
    offset = count = 0
    while offset < len(data):
        length = int.from_bytes(data[offset : offset + 8], "little")
        end = offset + 12 + length
        if not count % 5000 or end + 4 == len(data):
            assert int.from_bytes(data[offset + 8 : offset + 12], "little") == masked_crc32c(data[offset : offset + 8])
            assert int.from_bytes(data[end : end + 4], "little") == masked_crc32c(data[offset + 12 : end])
        offset, count = end + 4, count + 1
    assert (said.points, count) == (LONG, LONG + 3)


def test_the_command_tells_what_is_left_out(filled: str, tmp_path: Path) -> None:
    folder = str(tmp_path / "logs")

    done = runstore_here("export", folder, "parent", "--store", filled, "--format", "tensorboard")
    again = runstore_here("export", folder, "parent", "--store", filled, "--format", "tensorboard", "--force", "--json")

    assert done.stdout.splitlines() == [
        f"{folder}: 1 run, 10 points, 0 artifacts (0 bytes)",
        "event files cannot hold, and the folder lacks:",
        "  tags: 3",
        "  provenances: 1",
        "  clients: 1",
        "  descriptions of experiments: 1",
        "  settings, written as texts: 1",
        "  values, rounded to 32 bits: 3",
        "  artifacts: 5",
    ]
    assert json.loads(again.stdout)["left_out"]["artifacts"] == 5
