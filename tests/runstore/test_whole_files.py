"""Files that appear whole or not at all, and bytes that are hashed while they are copied."""

import hashlib
import os
from pathlib import Path

import pytest

from runstore.artifacts import hashed, hashed_chunks
from runstore.local.whole_files import replacing, write_whole


@pytest.mark.parametrize("sync", [False, True])
def test_a_file_takes_the_place_of_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path, *, sync: bool) -> None:
    target = tmp_path / "figures.csv"
    target.write_bytes(b"old")

    write_whole(target, b"new", sync=sync)

    assert target.read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["figures.csv"]


def test_a_block_that_raises_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "last.ckpt"
    target.write_bytes(b"old")

    with pytest.raises(KeyboardInterrupt), replacing(target) as path:  # noqa: PT012 - half of it is what is tested
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    assert target.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["last.ckpt"]


def test_while_it_is_written_the_old_file_stands(tmp_path: Path) -> None:
    target = tmp_path / "last.ckpt"
    target.write_bytes(b"old")

    with replacing(target, by=tmp_path / "last.ckpt.partial") as path:
        path.write_bytes(b"new")
        during = target.read_bytes()

    assert path == tmp_path / "last.ckpt.partial"
    assert (during, target.read_bytes()) == (b"old", b"new")


def test_what_a_killed_process_left_under_a_given_name_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "cursor.new").write_bytes(b"much longer than what comes")

    write_whole(tmp_path / "cursor", b"short", by=tmp_path / "cursor.new")

    assert (tmp_path / "cursor").read_bytes() == b"short"
    assert [each.name for each in tmp_path.iterdir()] == ["cursor"]


def test_a_target_with_the_longest_name_there_is_can_be_replaced(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 255)

    write_whole(target, b"content")

    assert target.read_bytes() == b"content"


def test_a_target_that_cannot_be_written_raises_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(OSError, match="taken"):
        write_whole(tmp_path / "taken", b"content")

    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize("chunks", [[], [b"one"], [b"one", b"", b"two"]])
def test_bytes_are_hashed_and_counted_while_they_are_taken(chunks: list[bytes]) -> None:
    taken: list[bytes] = []

    found = hashed_chunks(chunks, taken.append)

    assert found == (hashlib.sha256(b"".join(chunks)).hexdigest(), len(b"".join(chunks)))
    assert taken == chunks


def test_a_file_is_hashed_and_counted_while_it_is_copied(tmp_path: Path) -> None:
    content = os.urandom(3 * 2**20 + 1)
    (tmp_path / "film.png").write_bytes(content)
    copy: list[bytes] = []

    assert hashed(tmp_path / "film.png", copy.append) == (hashlib.sha256(content).hexdigest(), len(content))
    assert b"".join(copy) == content
