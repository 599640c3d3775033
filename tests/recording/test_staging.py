"""Files that wait in the journal: copied by the rules of a bare store, and refused at the call, by name."""

import os
from pathlib import Path

import pytest

from recording.conftest import OpenRecorder
from runstore import InvalidValueError, open_store
from runstore.errors import StoreFullError
from runstore.memory.store import MemoryStore
from support.walking import paths_below


def _staged(journals: Path) -> list[Path]:
    return [path for path in paths_below(journals) if path.is_file() and "staged" in path.parts]


@pytest.mark.parametrize("is_alone", [False, True], ids=["in a folder", "alone"])
def test_what_is_no_file_is_refused_at_the_call_and_leaves_nothing_staged(
    open_recorder: OpenRecorder, fast_path: Path, tmp_path: Path, *, is_alone: bool
) -> None:
    recorder = open_recorder()
    run_id = recorder.ensure_run(recorder.get_or_create_experiment("x"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_bytes(b"a")
    os.mkfifo(tmp_path / "out" / "pipe")

    with pytest.raises(InvalidValueError, match="out/pipe' is a named pipe"):
        recorder.log_artifact(run_id, tmp_path / "out" / ("pipe" if is_alone else ""))

    assert recorder.list_artifacts(run_id) == ()
    assert _staged(fast_path) == []


def test_a_folder_is_logged_by_whatever_path_leads_to_it(
    open_recorder: OpenRecorder, bare: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = open_recorder()
    run_id = recorder.ensure_run(recorder.get_or_create_experiment("x"))
    (tmp_path / "out" / "sub").mkdir(parents=True)
    (tmp_path / "out" / "a").write_bytes(b"a")
    (tmp_path / "link").symlink_to("out")
    monkeypatch.chdir(tmp_path / "out" / "sub")

    for number, path in enumerate(("..", "../", "../../out", "../../link", "../sub/..")):
        recorder.log_artifact(run_id, path, name=f"{number}")
    recorder.flush()

    assert [record.name for record in bare.list_artifacts(run_id)] == ["0/a", "1/a", "2/a", "3/a", "4/a"]


def test_linked_files_are_staged_as_what_they_lead_to(
    open_recorder: OpenRecorder, bare: MemoryStore, tmp_path: Path
) -> None:
    recorder = open_recorder()
    run_id = recorder.ensure_run(recorder.get_or_create_experiment("x"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "w").write_bytes(b"w")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "latest").symlink_to("../elsewhere")

    recorder.log_artifact(run_id, tmp_path / "out")
    recorder.flush()

    with bare.open_artifact(run_id, "out/latest/w") as stored:
        assert stored.read() == b"w"


def test_a_sparse_file_takes_no_more_room_in_the_journal_than_it_had(
    open_recorder: OpenRecorder, fast_path: Path, tmp_path: Path
) -> None:
    recorder = open_recorder(next_fault=lambda _call: "away")
    run_id = recorder.ensure_run(recorder.get_or_create_experiment("x"))
    path, size = tmp_path / "memmap.bin", 256 * 2**20
    with path.open("wb") as sparse:
        sparse.write(b"first")
        sparse.seek(100 * 2**20)
        sparse.write(b"middle")
        sparse.truncate(size)

    record = recorder.log_artifact(run_id, path)

    (staged,) = _staged(fast_path)
    assert (record.size, staged.stat().st_size) == (size, size)
    assert staged.stat().st_blocks * 512 < 8 * 2**20
    with staged.open("rb") as copy:
        assert copy.read(5) == b"first"
        copy.seek(100 * 2**20)
        assert copy.read(7) == b"middle\0"


def test_a_file_for_which_the_journals_disk_has_no_room_is_refused_at_the_call(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(small_disk))
    (tmp_path / "model.ckpt").write_bytes(b"w" * 8 * 2**20)
    with open_store("memory://") as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))

        with pytest.raises(StoreFullError, match=r"model\.ckpt' aside to .*No space left.*RUNSTORE_STATE_DIR"):
            store.log_artifact(run_id, tmp_path / "model.ckpt")

        assert store.list_artifacts(run_id) == ()
        assert _staged(small_disk) == []


def test_the_journals_in_a_folder_that_is_logged_are_left_out_with_a_warning(
    open_recorder: OpenRecorder, bare: MemoryStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_bytes(b"a")
    recorder = open_recorder(state_dir=tmp_path / "out" / "state")
    run_id = recorder.ensure_run(recorder.get_or_create_experiment("x"))

    for name in ("first", "second"):
        recorder.log_artifact(run_id, tmp_path / "out", name=name)
    recorder.flush()

    assert [record.name for record in bare.list_artifacts(run_id)] == ["first/a", "second/a"]
    assert "out/state/journals is left out of the artifact: it holds the journals" in caplog.text
    with pytest.raises(InvalidValueError, match="journals' holds the journals of this machine's runs"):
        recorder.log_artifact(run_id, tmp_path / "out" / "state" / "journals")
