"""A journal keeps what it acknowledged, in order, whatever the disk and the process do."""

import errno
import logging
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runstore.errors import SettingsError, StoreClosedError, StoreFailureError
from runstore.local.system import write_at
from runstore.recording.frames import PREAMBLE_SIZE, frame, scan
from runstore.recording.journal import Journal, JournalFullError
from runstore.recording.writers import leftovers
from support.walking import found_below


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal.create(tmp_path)
    yield journal
    journal.close(remove=True)


def read_all(journal: Journal, position: int = 0, size: int = 1 << 20) -> list[bytes]:
    found = []
    while (chunk := journal.read(position, size)).data:
        scanned = scan(chunk.data, is_complete=chunk.is_complete)
        found += [bytes(payload) for payload in scanned.payloads]
        size = max(size, scanned.needed)
        position = chunk.position + scanned.consumed
    return found


def segments(journal: Journal) -> list[Path]:
    return found_below(journal.folder, "*.segment")


def count_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def break_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    for module in ("journal", "segments"):
        monkeypatch.setattr(f"runstore.recording.{module}.write_at", refuse)


def test_records_read_back_in_order_over_many_segments(journal: Journal) -> None:
    journal.segment_bytes = 100
    records = [f"record {number}".encode() for number in range(50)]

    positions = [journal.append(record) for record in records]

    assert read_all(journal) == records
    assert len(segments(journal)) > 10
    assert read_all(journal, positions[20]) == records[20:]


def test_a_record_larger_than_a_read_is_read_whole(journal: Journal) -> None:
    records = [b"small", b"x" * 10_000, b"small again"]
    for record in records:
        journal.append(record)

    assert read_all(journal, size=100) == records


def test_what_is_released_is_removed_from_the_disk_and_positions_stay(journal: Journal) -> None:
    journal.segment_bytes = 100
    positions = [journal.append(b"y" * 40) for _ in range(20)]
    before = len(segments(journal))

    journal.release(positions[10])

    assert len(segments(journal)) < before
    assert read_all(journal, positions[10]) == [b"y" * 40] * 10


def test_an_append_is_in_the_file_when_the_call_returns(journal: Journal) -> None:
    journal.append(b"acknowledged")

    (segment,) = segments(journal)
    assert segment.read_bytes()[PREAMBLE_SIZE:] == frame(b"acknowledged")


def test_eight_threads_append_whole_records(journal: Journal) -> None:
    journal.segment_bytes = 2000

    def work(writer: int) -> None:
        for number in range(200):
            journal.append(f"{writer}:{number}".encode())

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = read_all(journal)
    assert sorted(found) == sorted(f"{writer}:{number}".encode() for writer in range(8) for number in range(200))
    assert [each for each in found if each.startswith(b"3:")] == [f"3:{number}".encode() for number in range(200)]


def test_a_dead_writers_journal_is_adopted_once_and_a_living_ones_never(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path)
    journal.append(b"left behind")

    while_alive = Journal.adopt(journal.folder)
    journal.close(remove=False)
    first = Journal.adopt(journal.folder)
    second = Journal.adopt(journal.folder)

    assert (while_alive, second) == (None, None)
    assert first is not None
    assert read_all(first) == [b"left behind"]
    first.close(remove=True)
    assert leftovers(tmp_path) == []


def test_a_removed_journal_cannot_be_adopted(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path)
    journal.close(remove=True)

    assert Journal.adopt(journal.folder) is None


def test_leftovers_are_listed_the_oldest_first(tmp_path: Path) -> None:
    journals = [Journal.create(tmp_path) for _ in range(5)]

    assert leftovers(tmp_path) == [journal.folder for journal in journals]

    for journal in journals:
        journal.close(remove=True)


def test_a_missing_segment_costs_what_it_held_and_no_more(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path)
    journal.segment_bytes = 60
    for number in range(6):
        journal.append(f"record {number}".encode() * 3)
    journal.close(remove=False)
    segments(journal)[1].unlink()

    adopted = Journal.adopt(journal.folder)

    assert adopted is not None
    found = read_all(adopted)
    assert found[0] == b"record 0" * 3
    assert found[-1] == b"record 5" * 3
    assert 0 < len(found) < 6
    adopted.close(remove=True)


def test_a_journal_of_a_newer_format_is_left_alone(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path)
    journal.close(remove=False)
    (segment,) = segments(journal)
    segment.write_bytes(b"RUNSTORE JRNL\0\x03\x00" + b"what only a newer release understands")

    with pytest.raises(StoreFailureError, match="format 3"):
        Journal.adopt(journal.folder)

    assert segment.exists()


def test_bytes_that_an_interrupted_call_left_behind_are_written_over(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_be_interrupted(fd: int, data: bytes, offset: int) -> int:
        real_pwrite(fd, data, offset)
        raise KeyboardInterrupt

    real_pwrite = write_at
    journal.append(b"before")
    monkeypatch.setattr("runstore.recording.journal.write_at", write_and_be_interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.append(b"interrupted, and longer than the next one")
    monkeypatch.undo()

    journal.append(b"after")

    assert read_all(journal) == [b"before", b"after"]


def test_a_signal_handler_may_append_while_it_interrupts_an_append(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_while_a_signal_comes(fd: int, data: bytes, offset: int) -> int:
        monkeypatch.undo()
        os.kill(os.getpid(), signal.SIGUSR1)
        return write_at(fd, data, offset)

    previous = signal.signal(signal.SIGUSR1, lambda *_: journal.append(b"from the handler"))
    monkeypatch.setattr("runstore.recording.journal.write_at", write_while_a_signal_comes)
    try:
        journal.append(b"interrupted")
        journal.append(b"next")
    finally:
        signal.signal(signal.SIGUSR1, previous)

    assert read_all(journal) == [b"interrupted", b"from the handler", b"next"]


def test_a_full_disk_is_one_warning_and_records_go_to_memory(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal.append(b"on disk")
    break_disk(monkeypatch)

    with caplog.at_level(logging.WARNING):
        for number in range(10):
            journal.append(f"in memory {number}".encode())

    assert read_all(journal) == [b"on disk", *(f"in memory {number}".encode() for number in range(10))]
    assert journal.is_in_memory
    assert len(caplog.records) == 1
    assert "No space left" in caplog.text


def test_a_write_that_the_full_disk_cut_short_is_taken_back(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_half(fd: int, data: bytes, offset: int) -> int:
        return real_pwrite(fd, data[: len(data) // 2], offset)

    real_pwrite = write_at
    journal.append(b"whole")
    monkeypatch.setattr("runstore.recording.journal.write_at", write_half)

    journal.append(b"half of this reaches the disk")

    (segment,) = segments(journal)
    assert segment.read_bytes()[PREAMBLE_SIZE:] == frame(b"whole")
    assert read_all(journal) == [b"whole", b"half of this reaches the disk"]


def test_a_disk_that_recovers_is_used_again_and_the_order_is_kept(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append(b"1 on disk")
    break_disk(monkeypatch)
    journal.append(b"2 in memory")
    still_broken = journal.go_back_to_disk()
    monkeypatch.undo()

    recovered = journal.go_back_to_disk()
    journal.append(b"3 on disk")

    assert (still_broken, recovered, journal.is_in_memory) == (False, True, False)
    assert read_all(journal) == [b"1 on disk", b"2 in memory", b"3 on disk"]


def test_memory_is_bounded_and_what_was_released_makes_room(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.memory_bytes = 500
    break_disk(monkeypatch)
    positions = []

    with pytest.raises(JournalFullError, match="No space left"):  # noqa: PT012 - which of them fails is the disk's choice
        while True:
            positions.append(journal.append(b"z" * 50))
    journal.release(positions[-1])
    journal.append(b"there is room again")

    assert read_all(journal, positions[-1]) == [b"z" * 50, b"there is room again"]


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")

    with pytest.raises(SettingsError, match=r"RUNSTORE_STATE_DIR.*durable=False"):
        Journal.create(in_the_way / "journals")


def test_no_record_is_taken_after_the_end(journal: Journal) -> None:
    journal.end_appends()

    with pytest.raises(StoreClosedError):
        journal.append(b"too late")


@pytest.mark.parametrize("fsync", ["interval", "always", "never"])
def test_every_way_to_sync_keeps_the_records(tmp_path: Path, fsync: str) -> None:
    journal = Journal.create(tmp_path, fsync=fsync)  # type: ignore[arg-type]
    journal.segment_bytes = 50
    for number in range(10):
        journal.append(f"record {number}".encode())
    journal.sync()

    assert len(read_all(journal)) == 10
    journal.close(remove=True)


def test_files_of_rotated_segments_are_closed_by_the_sync(journal: Journal) -> None:
    journal.segment_bytes = 20
    before = count_open_files()
    for _ in range(30):
        journal.append(b"fills a segment each")

    journal.sync()

    assert count_open_files() <= before + 1
