"""Event files that tensorboardX and TensorBoard have written are in the store afterwards, each point of them."""

import json
import os
import shutil
import struct
from pathlib import Path
from typing import NamedTuple

import pytest

from runstore import Run
from runstore.backend import BackendStore
from runstore.errors import SourceError
from runstore.importing import Findings, ImportReport, Told, bring_from, source_at
from runstore.importing.tensorboard_records import records_in
from runstore.local.crc32c import masked_crc32c
from runstore.moving import Outcome
from support.tools import made_by, tool

SPLIT = {"train/loss": ("loss", "train"), "val/auroc": ("auroc", "validation")}
FOLDED = frozenset({"mixed", "minus", "below"})


class Made(NamedTuple):
    """What was written.

    Attributes:
        place: the folder.
        told: by run and tag: step, value and time of each point, as TensorBoard reads them.
    """

    place: Path
    told: dict[str, dict[str, list[tuple[int, float, float]]]]


@pytest.fixture(scope="session")
def made_events(fast_folder: Path) -> Made:
    """Not to be changed."""
    folder = fast_folder / "tensorboard"
    folder.mkdir()
    python = tool("tensorboard", "tensorboard==2.21.0", "tensorboardX==2.6.5", "setuptools<81")
    return Made(folder / "logs", json.loads(made_by(python, "tensorboard_runs.py", folder=folder)))


@pytest.fixture
def logs(made_events: Made, fast_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(made_events.place, fast_path / "logs"))


@pytest.fixture
def file(logs: Path) -> Path:
    """The file of the run ``plain``."""
    return next((logs / "plain").glob("*tfevents*"))


def brought(place: Path, store: BackendStore) -> ImportReport:
    return bring_from(source_at(str(place)), store)


def named(store: BackendStore, name: str) -> Run:
    (run,) = store.search_runs(f"name = '{name}'")
    return run


def points_of(store: BackendStore, run_id: str) -> dict[tuple[str, str], list[tuple[int, str, int]]]:
    found = {}
    for each in store.get_summaries(run_id):
        history = store.get_history(run_id, each.name, each.dataset_type)
        rows = zip(history.steps, map(repr, history.values), history.logged_at_us, strict=True)
        found[each.name, str(each.dataset_type)] = list(rows)
    return found


def test_every_run_and_every_point_is_there(made_events: Made, store: BackendStore) -> None:
    report = brought(made_events.place, store)

    told = {name: tags for name, tags in made_events.told.items() if tags}
    assert {run.name for run in store.search_runs()} == told.keys()
    for name, tags in told.items():
        points = points_of(store, named(store, name).id)
        expected = {
            SPLIT.get(tag, (tag, "other")): [(step, repr(value), round(time * 1e6)) for step, value, time in rows]
            for tag, rows in tags.items()
            if rows and tag not in FOLDED
        }
        assert {series: rows for series, rows in points.items() if series[0] not in FOLDED} == expected
    assert report.is_whole
    assert report.brought.runs == {Outcome.NEW: len(told)}


def test_steps_that_no_store_takes_are_folded_and_told(made_events: Made, store: BackendStore) -> None:
    report = brought(made_events.place, store)

    plain, tensors = (points_of(store, named(store, name).id) for name in ("plain", "tensors"))
    assert [row[:2] for row in plain["mixed", "other"]] == [(1, "1.0"), (2, "2.0"), (3, "3.0")]
    assert [row[:2] for row in tensors["minus", "other"]] == [(0, "-3.0"), (1, "-3.0")]
    assert [row[:2] for row in tensors["below", "other"]] == [(0, "3.0")]
    told = {(each.run, each.key, each.what, each.count) for each in report.findings}
    assert told >= {
        ("plain", "mixed", Told.STEPS_REPEATED, 1),
        ("tensors", "minus", Told.STEPS_COUNTED, 2),
        ("tensors", "below", Told.STEPS_SHIFTED, 1),
    }


def test_hyperparameters_are_the_configuration(made_events: Made, store: BackendStore) -> None:
    brought(made_events.place, store)

    run = named(store, "tuned")
    assert store.get_config(run.id) == {"lr": 0.001, "depth": 18, "net": "resnet", "amp": True}
    assert run.status == "completed"


def test_a_run_lies_between_its_first_and_its_last_event(made_events: Made, store: BackendStore) -> None:
    brought(made_events.place, store)

    run = named(store, "resumed")
    times = [time for rows in points_of(store, run.id).values() for _, _, time in rows]
    assert run.start_time.timestamp() * 1e6 <= min(times)
    assert run.end_time is not None
    assert run.end_time.timestamp() * 1e6 >= max(times)
    assert run.provenance["imported"]["source"] == str(made_events.place)
    assert store.get_experiment(run.experiment_id).name == "logs"


def test_what_a_program_took_back_is_left_out_and_told(made_events: Made, store: BackendStore) -> None:
    report = brought(made_events.place, store)

    points = points_of(store, named(store, "resumed").id)
    assert [row[:2] for row in points["loss", "other"]] == [(step, repr(step + 0.5 * (step > 4))) for step in range(10)]
    assert {(each.key, each.count) for each in report.findings if each.what is Told.TAKEN_BACK} == {
        ("loss", 3), ("only_once", 1),
    }  # fmt: skip


def test_what_is_no_number_is_told(made_events: Made, store: BackendStore) -> None:
    report = brought(made_events.place, store)

    told = {each.key: each.count for each in report.findings if each.what is Told.NO_NUMBERS}
    assert told == {"weights": 1, "notes/text_summary": 1, "row": 1}


def test_a_second_import_changes_nothing_and_one_of_a_moved_folder_makes_no_second_run(
    logs: Path, made_events: Made, store: BackendStore
) -> None:
    brought(made_events.place, store)
    count = store.count_runs()

    again = brought(made_events.place, store)
    moved = brought(logs, store)

    assert again.brought.runs == {Outcome.UNCHANGED: count}
    assert (again.brought.points, again.brought.files) == (0, 0)
    # The place it comes from stands in the provenance.
    assert moved.brought.runs == {Outcome.UPDATED: count}
    assert store.count_runs() == count


def test_one_runs_folder_and_one_file_are_sources_too(logs: Path, store: BackendStore) -> None:
    folder = logs / "tensors"

    assert brought(folder, store).brought.runs == {Outcome.NEW: 1}
    # The experiment is the folder's above, as when all of it is brought.
    assert store.get_experiment(named(store, "tensors").experiment_id).name == "logs"
    assert brought(next(folder.iterdir()), store).brought.runs == {Outcome.UPDATED: 1}
    assert brought(logs, store).brought.runs[Outcome.UPDATED] == 1
    assert len(store.search_runs("name = 'tensors'")) == 1


def test_a_run_that_went_on_is_brought_up(file: Path, made_events: Made, store: BackendStore) -> None:
    whole = file.read_bytes()
    with file.open("rb") as opened:
        offsets = [offset for offset, _ in records_in(opened, file.name, is_checked=True)]
    file.write_bytes(whole[: offsets[len(offsets) // 2] + 5])
    first = brought(file, store)
    half = len(store.get_history(named(store, "plain").id, "loss", "train"))
    file.write_bytes(whole)

    report = brought(file, store)

    assert Told.LINE_CUT in {each.what for each in first.findings}
    assert 0 < half < 1500
    assert report.brought.runs == {Outcome.UPDATED: 1}
    rows = points_of(store, named(store, "plain").id)["loss", "train"]
    assert [row[0] for row in rows] == [row[0] for row in made_events.told["plain"]["train/loss"]]


def test_a_copy_beside_it_is_told(logs: Path, store: BackendStore) -> None:
    (logs / "zz").mkdir()
    shutil.copytree(logs / "plain", logs / "zz" / "plain")

    report = brought(logs, store)

    (text,) = [each.text for each in report.findings if each.run == "zz/plain" and each.what is Told.UNREADABLE]
    assert "begins as 'plain' does" in text
    assert "rename the folder" in text
    assert not report.is_whole


@pytest.mark.parametrize("size", [1, 11, 13, 30])
def test_a_file_cut_off_at_its_beginning_has_nothing_to_bring(size: int, file: Path, store: BackendStore) -> None:
    os.truncate(file, size)

    report = brought(file, store)

    assert [each.what for each in report.findings] == [Told.LINE_CUT, Told.LEFT_OUT]
    assert store.count_runs() == 0


@pytest.mark.parametrize("offset", [0, 8, 13, 20_000, 30_001])
def test_a_changed_byte_is_told_with_its_place_and_nothing_is_written(
    offset: int, file: Path, logs: Path, store: BackendStore
) -> None:
    data = bytearray(file.read_bytes())
    data[offset] ^= 0x55
    file.write_bytes(data)

    report = brought(logs, store)

    (text,) = [each.text for each in report.findings if each.what is Told.UNREADABLE]
    assert text.startswith(f"{file}: the record at byte ")
    assert not report.is_whole
    assert not store.search_runs("name = 'plain'")


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    checksums = [struct.pack("<I", masked_crc32c(each)) for each in (length, data)]
    return length + checksums[0] + data + checksums[1]


def number(tag: bytes, step: int, value: float, seconds: float = 1.0) -> bytes:
    data = b"\x0a" + bytes([len(tag)]) + tag + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(data)]) + data
    varint = bytearray()
    while step >= 128:
        varint.append(step & 127 | 128)
        step >>= 7
    varint.append(step)
    return b"\x09" + struct.pack("<d", seconds) + b"\x10" + varint + b"\x2a" + bytes([len(summary)]) + summary


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 40,  # a number that does not end
        b"\x2a\x7f\x0a",  # a summary longer than its event
        b"\x09\0",  # a time that is cut off
        number(b"loss", 1, 0.5)[:-2],
        b"\x2a\x10\x0a\x0e\x42\x0c\x08\x01\x12\x00\x22\x06\0\0\0\0\0\0",  # a float of six bytes
    ],
    ids=["endless number", "long summary", "short time", "short value", "long float"],
)
def test_a_record_that_is_no_event_is_an_error_of_its_run(data: bytes, tmp_path: Path, store: BackendStore) -> None:
    path = tmp_path / "events.out.tfevents.1.host"
    path.write_bytes(record(number(b"loss", 0, 0.5)) + record(data))

    report = brought(path, store)

    (text,) = [each.text for each in report.findings if each.what is Told.UNREADABLE]
    assert text.startswith(f"{path}: the record at byte {len(record(number(b'loss', 0, 0.5)))} is damaged")
    assert store.count_runs() == 0


def plain_number(tag: bytes, step: bytes, value: float) -> bytes:
    """An event with the step written as it is given."""
    inner = b"\x0a" + bytes([len(tag)]) + tag + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(inner)]) + inner
    return b"\x09" + struct.pack("<d", 1.0) + step + b"\x2a" + bytes([len(summary)]) + summary


def test_steps_of_any_length_are_read_once_a_tag_is_known(tmp_path: Path, store: BackendStore) -> None:
    path = tmp_path / "events.out.tfevents.1.host"
    steps = {
        b"": 0, b"\x10\x01": 1, b"\x10\x2a": 42, b"\x10\x80\x01": 128, b"\x10" + b"\xff" * 8 + b"\x7f": 2**63 - 1,
        b"\x10" + b"\xfe" + b"\xff" * 8 + b"\x01": -2,
    }  # fmt: skip
    first = record(plain_number(b"loss", b"\x10\x07", 7.0))
    path.write_bytes(first + b"".join(record(plain_number(b"loss", step, at % 100)) for step, at in steps.items()))

    report = brought(path, store)

    (run,) = store.search_runs()
    assert report.findings[0].what is Told.STEPS_COUNTED  # from -2 to the highest there is
    by_step = sorted([(7, 7.0), *((at, float(at % 100)) for at in steps.values())])
    assert [float(value) for _, value, _ in points_of(store, run.id)["loss", "other"]] == [
        value for _, value in by_step
    ]


@pytest.mark.parametrize("size", [2**20 - 5, 2**20, 2**20 + 70, 3 * 2**20])
def test_records_that_cross_what_is_read_at_once_are_whole(size: int, tmp_path: Path, store: BackendStore) -> None:
    path = tmp_path / "events.out.tfevents.1.host"
    sizes = bytes([size & 127 | 128, size >> 7 & 127 | 128, size >> 14 & 127 | 128, size >> 21])
    picture = b"\x09" + bytes(8) + b"\x7a" + sizes  # a field that no reader knows
    large = record(picture + bytes(size))[:-4] + bytes(4)  # which is not looked into so far as to compare its checksum
    path.write_bytes(b"".join((record(number(b"loss", 0, 0.5)), large, record(number(b"loss", 1, 0.25)))))

    report = brought(path, store)

    assert (report.is_whole, report.brought.points) == (True, 2)


def test_a_record_of_a_monstrous_length_is_not_read(tmp_path: Path, store: BackendStore) -> None:
    path = tmp_path / "events.out.tfevents.1.host"
    length = struct.pack("<Q", 2**62)
    path.write_bytes(record(number(b"loss", 0, 0.5)) + length + struct.pack("<I", masked_crc32c(length)) + b"x" * 100)

    report = brought(path, store)

    assert [each.what for each in report.findings] == [Told.LINE_CUT]
    assert report.brought.points == 1


def test_odd_names_and_times_are_folded_and_told(tmp_path: Path, store: BackendStore) -> None:
    path = tmp_path / "events.out.tfevents.1.host"
    odd = [number(b"a\0b\xff", 0, 0.5), number(b"loss", 1, 1.0, float("nan")), number(b"loss", 2**63 - 1, 1.0, 1e300)]
    path.write_bytes(b"".join(map(record, odd)))

    report = brought(path, store)

    assert report.is_whole
    assert {(each.what, each.key) for each in report.findings} == {
        (Told.NAME_CHANGED, "a\0b\\xff"), (Told.TIMES_REPLACED, "loss"),
    }  # fmt: skip
    (run,) = store.search_runs()
    assert points_of(store, run.id)["loss", "other"] == [(1, "1.0", 1_000_000), (2**63 - 1, "1.0", 1_000_000)]


def test_links_are_not_followed(logs: Path, tmp_path: Path, store: BackendStore) -> None:
    outside = tmp_path / "outside"
    shutil.move(logs / "tensors", outside)
    (logs / "tensors").symlink_to(outside)
    (logs / "events.out.tfevents.2.linked").symlink_to(next(outside.glob("*")))

    brought(logs, store)

    assert not store.search_runs("name = 'tensors'")


def test_a_folder_without_event_files_says_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="event files of TensorBoard"):
        source_at(str(tmp_path))


@pytest.mark.parametrize("is_in_order", [True, False])
def test_of_a_long_run_a_part_is_held_at_once(is_in_order: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    count = 220_000
    path = tmp_path / "events.out.tfevents.1.host"
    with path.open("wb") as file:
        steps = range(count) if is_in_order else range(count - 1, -1, -1)
        file.writelines(record(number(b"loss", step, 0.5)) for step in steps)
    (run,) = source_at(str(path)).runs(Findings())

    pieces = [len(columns.steps) for _, columns in run.pieces()]

    assert sum(pieces) == count
    assert max(pieces) <= 100_000
    # Of steps in order none waits for the end of the file; the last point of a piece waits for the next one.
    assert not is_in_order or pieces[:2] == [100_000, 100_000]
