"""Runs that W&B has made offline are in the store afterwards, each point of them; what is damaged is told."""

import os
import shutil
import struct
from pathlib import Path
from zlib import crc32

import pytest

from importing.conftest import MadeByWandb
from runstore import Run
from runstore.backend import BackendStore
from runstore.errors import SourceError
from runstore.importing import ImportReport, Told, bring_from, source_at
from runstore.importing.wandb_records import records_in
from runstore.moving import Outcome

SPLIT = {"train/loss": ("loss", "train"), "val/auroc": ("auroc", "validation")}
BLOCK = 32 * 1024


def brought(place: Path, store: BackendStore, *artifacts: Path) -> ImportReport:
    return bring_from(source_at(str(place), artifacts=artifacts), store)


def named(store: BackendStore, name: str) -> Run:
    (run,) = store.search_runs(f"name = '{name}'")
    return run


def points_of(store: BackendStore, run_id: str) -> dict[tuple[str, str], list[tuple[int, str]]]:
    found = {}
    for each in store.get_summaries(run_id):
        history = store.get_history(run_id, each.name, each.dataset_type)
        points = list(zip(history.steps, map(repr, history.values), strict=True))
        found[each.name, str(each.dataset_type)] = points
    return found


@pytest.fixture
def copied(offline: MadeByWandb, tmp_path: Path) -> Path:
    """The folder ``wandb``, which may be changed."""
    return Path(shutil.copytree(offline.place, tmp_path / "wandb", symlinks=True))


@pytest.fixture
def file(copied: Path, offline: MadeByWandb) -> Path:
    """The file of the run that has everything."""
    return next(copied.glob(f"*/run-{offline.told['first try']['id']}.wandb"))


def test_every_run_and_every_point_is_there(offline_of_each: MadeByWandb, store: BackendStore) -> None:
    report = brought(offline_of_each.place, store)

    assert {run.name for run in store.search_runs()} == offline_of_each.told.keys()
    for name, told in offline_of_each.told.items():
        run = named(store, name)
        points = points_of(store, run.id)
        expected = {
            SPLIT.get(key, (key, "other")): [tuple(each) for each in rows] for key, rows in told["logged"].items()
        }
        assert {series: points.pop(series) for series in expected} == expected
        assert all(series[0].startswith("system/") or series[0] == "best" for series in points)
        assert store.get_config(run.id) == told["config"]
    assert report.is_whole
    assert report.brought.runs == {Outcome.NEW: len(offline_of_each.told)}


def test_a_run_has_all_that_w_and_b_knew_of_it(offline_of_each: MadeByWandb, store: BackendStore) -> None:
    brought(offline_of_each.place, store)

    run, failed = named(store, "first try"), named(store, "failed")
    assert store.get_experiment(run.experiment_id).name == "chest-x-rays"
    assert run.tags == {"baseline": "true", "group": "sweep", "job_type": "train", "ürban": "true"}
    assert (run.note, run.status) == ("# Looks good", "completed")
    assert run.end_time is not None
    first_us = store.get_history(run.id, "loss", "train").logged_at_us[0]
    assert run.start_time.timestamp() * 1e6 <= first_us <= run.end_time.timestamp() * 1e6
    assert run.provenance["imported"]["id"] == f"chest-x-rays/{offline_of_each.told['first try']['id']}"
    assert failed.status == "failed"
    assert failed.failure is not None
    assert "exit code 3" in failed.failure.message


def test_a_number_of_the_summary_alone_is_a_point_at_the_last_step(
    offline_of_each: MadeByWandb, store: BackendStore
) -> None:
    brought(offline_of_each.place, store)

    ((last, _),) = offline_of_each.told["first try"]["logged"]["big"]
    assert points_of(store, named(store, "first try").id)["best", "other"] == [(last, "0.9")]


def test_files_come_with_the_run_and_links_only_from_folders_that_are_named(
    offline: MadeByWandb, store: BackendStore
) -> None:
    report = brought(offline.place, store)
    run = named(store, "first try")
    without = {each.name for each in store.list_artifacts(run.id)}

    brought(offline.place, store, offline.folder)

    with_links = {each.name for each in store.list_artifacts(run.id)}
    assert any(name.startswith("media/html/page_") for name in without)
    assert with_links - without == {"kept.txt", "model/sub/weights.txt"}
    assert [each.key for each in report.findings if each.what is Told.FILE_LEFT_OUT] == ["kept.txt"]
    with store.open_artifact(run.id, "kept.txt") as kept:
        assert kept.read() == b"all well\n"


def test_what_was_given_to_log_artifact_comes_from_a_folder_that_is_named_and_is_told_otherwise(
    offline_of_each: MadeByWandb, store: BackendStore, tmp_path: Path
) -> None:
    report = brought(offline_of_each.place, store)
    run = named(store, "first try")
    films, *others = [each for each in store.list_artifacts(run.id) if each.name.startswith("model/")]
    assert (films.name, films.uri, films.is_stored, others) == (
        "model/films",
        "https://example.org/films.tar",
        False,
        [],
    )
    (told,) = [each for each in report.findings if each.what is Told.FILES_ELSEWHERE]
    assert (told.key, told.count) == ("model", 1)
    assert str(offline_of_each.folder / "data" / "artifacts" / "staging") in told.text

    moved = shutil.copytree(offline_of_each.folder / "data", tmp_path / "moved")
    again = brought(offline_of_each.place, store, moved)

    assert not [each for each in again.findings if each.what is Told.FILES_ELSEWHERE]
    (weights,) = [each for each in store.list_artifacts(run.id) if each.name == "model/sub/weights.txt"]
    assert (weights.artifact_type, weights.metadata["metadata"]) == ("model", {"epoch": 3})
    assert "best" in weights.metadata["aliases"]
    with store.open_artifact(run.id, weights.name) as opened:
        assert opened.read() == b"all well\n"


def test_what_is_no_number_is_told(offline_of_each: MadeByWandb, store: BackendStore) -> None:
    report = brought(offline_of_each.place, store)

    told = {each.key: each.count for each in report.findings if each.what is Told.NO_NUMBERS}
    assert told == {"words": 1, "list": 1, "hist": 1}


def test_a_second_import_changes_nothing(offline: MadeByWandb, store: BackendStore) -> None:
    brought(offline.place, store)

    report = brought(offline.place, store)

    assert report.brought.runs == {Outcome.UNCHANGED: len(offline.told)}
    assert (report.brought.points, report.brought.files) == (0, 0)


def test_a_file_and_a_runs_folder_are_sources_too(file: Path, store: BackendStore) -> None:
    assert brought(file, store).brought.runs == {Outcome.NEW: 1}
    # The place it comes from stands in the provenance.
    assert brought(file.parent, store).brought.runs == {Outcome.UPDATED: 1}
    assert store.count_runs() == 1


def offsets_in(file: Path) -> list[int]:
    """Where the records of a file begin, whose lengths depend on the paths of the machine that wrote it."""
    with file.open("rb") as opened:
        return [offset for offset, _ in records_in(opened, file.name)]


@pytest.mark.parametrize("over", [0, 5], ids=["between two records", "within a record"])
def test_a_run_that_went_on_is_brought_up(over: int, file: Path, offline: MadeByWandb, store: BackendStore) -> None:
    whole = file.read_bytes()
    offsets = offsets_in(file)
    file.write_bytes(whole[: offsets[len(offsets) // 2] + over])
    first = brought(file, store)
    before = named(store, "first try")
    half = len(store.get_history(before.id, "loss", "train"))
    file.write_bytes(whole)

    report = brought(file, store)

    assert (Told.LINE_CUT in {each.what for each in first.findings}) == bool(over)
    assert before.status == "in_progress"
    assert 0 < half < 1200
    assert report.brought.runs == {Outcome.UPDATED: 1}
    assert named(store, "first try").status == "completed"
    rows = offline.told["first try"]["logged"]["train/loss"]
    assert points_of(store, before.id)["loss", "train"] == [tuple(each) for each in rows]


def test_a_run_in_two_folders_is_one_run(file: Path, copied: Path, store: BackendStore) -> None:
    later = copied / "offline-run-20990101_000000-again"
    shutil.copytree(file.parent, later, symlinks=True)

    report = brought(copied, store)

    assert report.brought.runs == {Outcome.NEW: 2}
    assert {each.what for each in report.findings} >= {Told.STEPS_REPEATED}
    assert brought(copied, store).brought.runs == {Outcome.UNCHANGED: 2}


@pytest.mark.parametrize("size", [0, 3, 7, 10, 90])
def test_a_file_cut_off_at_its_beginning_is_told(size: int, file: Path, copied: Path, store: BackendStore) -> None:
    os.truncate(file, size)

    if size < 4:
        with pytest.raises(SourceError, match="no format that is known"):
            source_at(str(file))
    report = brought(copied, store)

    assert [(each.what, str(file) in each.text) for each in report.findings if each.run == file.stem][-1] == (
        Told.UNREADABLE, True,
    )  # fmt: skip
    assert {run.name for run in store.search_runs()} == {"failed"}


@pytest.mark.parametrize("offset", [4, 8, 13, 60, 40_000, 200_000])
def test_a_changed_byte_is_told_with_its_place_and_nothing_is_written(
    offset: int, file: Path, copied: Path, store: BackendStore
) -> None:
    # In the middle of a record: the length of one in the last block, changed, may say that the file is cut off.
    if offset > 100:
        offset = next(each for each in offsets_in(file) if each >= offset) + 9
    data = bytearray(file.read_bytes())
    data[offset] ^= 0x55
    file.write_bytes(data)

    report = brought(copied, store)

    (text,) = [each.text for each in report.findings if each.what is Told.UNREADABLE]
    assert text.startswith(f"{file}: ")
    assert not report.is_whole
    assert {run.name for run in store.search_runs()} == {"failed"}


def written(*records: bytes) -> bytes:
    """A file of W&B with such records, each of which fits into its block."""
    data = bytearray(struct.pack("<4sHB", b":W&B", 0xBEE1, 0))
    for record in records:
        kind = b"\1"
        data += struct.pack("<IHB", crc32(kind + record), len(record), 1) + record
    return bytes(data)


def field(number: int, value: bytes) -> bytes:
    size, key = len(value), number << 3 | 2
    head = bytes([key]) if key < 128 else bytes([key & 127 | 128, key >> 7])
    return head + (bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])) + value


def row(**values: bytes) -> bytes:
    items = (field(1, field(2, key.encode()) + field(16, value)) for key, value in values.items())
    return field(2, b"".join(items))


RUN = field(17, field(1, b"r1") + field(3, b"p") + field(8, b"odd"))


@pytest.mark.parametrize(
    "record",
    [
        b"\xff" * 40,  # a number that does not end
        field(2, field(1, b"\x12\x7f")),  # a key longer than its item
        field(5, b"\x0a\x7f"),
        field(17, b"\x0b\x0b"),  # a kind of field that there is not
        row(_step=b"nan", loss=b"1"),
        row(_step=b"-1", loss=b"1"),
        row(_step=b"99999999999999999999", loss=b"1"),
    ],
)
def test_a_record_that_says_what_it_cannot_is_an_error_of_its_run(
    record: bytes, tmp_path: Path, store: BackendStore
) -> None:
    (tmp_path / "a.wandb").write_bytes(written(RUN, row(_step=b"0", loss=b"0.5"), record))

    report = brought(tmp_path / "a.wandb", store)

    assert not report.is_whole
    assert not [run for run in store.search_runs() if run.status == "completed"]


def artifact(name: bytes, digest: bytes, *entries: tuple[bytes, bytes, int]) -> bytes:
    """A record of an artifact: the path, the copy and the size of each file."""
    parts = [field(4, field(1, path) + bytes([32, size]) + field(6, copy)) for path, copy, size in entries]
    return field(8, field(4, b"model") + field(5, name) + field(6, digest) + field(12, b"".join(parts)))


def test_versions_of_an_artifact_stay_apart_and_no_other_file_of_this_machine_is_taken(
    tmp_path: Path, store: BackendStore
) -> None:
    folder, secret = tmp_path / "wandb", tmp_path / "secret"
    folder.mkdir()
    secret.write_bytes(b"mine")
    for name in ("one", "two"):
        (folder / name).write_bytes(name.encode())
    (folder / "link").symlink_to(secret)
    one, two, link = ((path, str(folder / path.decode()).encode(), 3) for path in (b"one", b"two", b"link"))
    records = [
        artifact(b"m", b"d1", one),
        artifact(b"m", b"d1", one),
        artifact(b"m", b"d2", (b"one", two[1], 3), (b"../up", one[1], 3), (b"changed", two[1], 4)),
        artifact(b"s", b"d3", (b"stolen", str(secret).encode(), 4), (link[0], link[1], 4)),
        artifact(b"s", b"d4", (b"odd", b"\0/\xff", 4), (b"none", b"", 0)),
    ]
    (folder / "a.wandb").write_bytes(written(RUN, *records, row(_step=b"0", loss=b"1")))

    report = brought(folder / "a.wandb", store)

    contents = {}
    run = named(store, "odd")
    for each in store.list_artifacts(run.id):
        with store.open_artifact(run.id, each.name) as opened:
            contents[each.name] = opened.read()
    assert contents == {"m/one": b"one", "m-v1/one": b"two"}
    told = [(each.what, each.key, each.count) for each in report.findings]
    assert told == [
        (Told.FILE_LEFT_OUT, "m-v1/../up", 1), (Told.FILES_ELSEWHERE, "m-v1", 1), (Told.FILES_ELSEWHERE, "s", 1),
        (Told.FILES_ELSEWHERE, "s-v1", 1),
    ]  # fmt: skip


def test_odd_values_are_folded_or_told(tmp_path: Path, store: BackendStore) -> None:
    deep = b"[" * 5000 + b"]" * 5000
    rows = [
        row(
            _step=b"0",
            loss=b"0.5",
            **{"a\0b": b"1", "text": b'"x"', "quoted": b'"NaN"', "bad": b"{", "deep": deep[:100]},
        ),
        row(_step=b"1", loss=b"1e999", flag=b"false", _timestamp=b"1e300"),
        row(_step=b"1", loss=b"2"),
    ]
    (tmp_path / "a.wandb").write_bytes(written(RUN, *rows))

    report = brought(tmp_path / "a.wandb", store)

    run = named(store, "odd")
    assert report.is_whole
    assert points_of(store, run.id) == {
        ("a\\x00b", "other"): [(0, "1.0")],
        ("flag", "other"): [(1, "0.0")],
        ("loss", "other"): [(0, "0.5"), (1, "2.0")],
        ("quoted", "other"): [(0, "nan")],
    }
    told = {(each.what, each.key) for each in report.findings}
    assert told >= {(Told.NO_NUMBERS, "text"), (Told.NO_NUMBERS, "bad"), (Told.STEPS_REPEATED, "loss")}


def test_readings_of_the_machine_stand_at_the_second_of_the_run(tmp_path: Path, store: BackendStore) -> None:
    def reading(second: int, half: int, value: bytes) -> bytes:
        time = field(2, bytes([8, second]) + bytes([16]) + half.to_bytes(1, "big"))
        return field(7, time + field(3, field(1, b"cpu") + field(16, value)))

    start = field(17, field(1, b"r1") + field(3, b"p") + field(8, b"odd") + field(17, bytes([8, 100])))
    readings = [reading(100, 0, b"1.5"), reading(102, 0, b"2.5"), reading(102, 9, b"3.5")]
    (tmp_path / "a.wandb").write_bytes(written(start, *readings, row(_step=b"0", loss=b"1")))

    report = brought(tmp_path / "a.wandb", store)

    assert points_of(store, named(store, "odd").id)["system/cpu", "other"] == [(0, "1.5"), (2, "3.5")]
    assert [(each.what, each.key, each.count) for each in report.findings] == [(Told.STEPS_REPEATED, "system/", 1)]
