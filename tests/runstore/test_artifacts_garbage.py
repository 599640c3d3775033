"""Bytes that no record names are removed, and never those of a call that is under way."""

import os
import threading
from pathlib import Path

import pytest

from runstore.artifacts import Blobs, blobs_at
from runstore.errors import ArtifactNotFoundError
from runstore.local.clock import now_us

_HOUR_US = 3_600_000_000


@pytest.fixture(params=["folder", "fsspec"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return blobs_at(str(tmp_path / "kept") if request.param == "folder" else f"local://{tmp_path / 'kept'}")


def _age(root: Path) -> None:
    for path in root.rglob("*"):
        os.utime(path, (0, 0))


def test_only_what_was_put_before_the_moment_is_listed_and_removed(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "new").write_bytes(b"newer")
    old = blobs.put(tmp_path / "old")
    _age(tmp_path / "kept")
    new = blobs.put(tmp_path / "new")
    moment_us = now_us() - _HOUR_US

    assert list(blobs.kept_before(moment_us)) == [(old.sha256, 3)]
    assert blobs.remove(new.sha256, kept_before_us=moment_us) is False
    assert blobs.remove(old.sha256, kept_before_us=moment_us) is True
    assert blobs.remove(old.sha256, kept_before_us=moment_us) is False

    with pytest.raises(ArtifactNotFoundError):
        blobs.open(old.sha256)
    with blobs.open(new.sha256) as stream:
        assert stream.read() == b"newer"


def test_bytes_that_are_put_again_are_as_young_as_new_ones(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"same")
    kept = blobs.put(tmp_path / "a")
    _age(tmp_path / "kept")

    blobs.put(tmp_path / "a")

    moment_us = now_us() - _HOUR_US
    assert list(blobs.kept_before(moment_us)) == []
    assert blobs.remove(kept.sha256, kept_before_us=moment_us) is False


def test_a_place_that_was_never_written_to_holds_nothing(blobs: Blobs) -> None:
    assert list(blobs.kept_before(now_us())) == []
    assert blobs.remove("0" * 64, kept_before_us=now_us()) is False


def test_what_others_keep_in_the_folder_is_none_of_ours(blobs: Blobs, tmp_path: Path) -> None:
    folder = tmp_path / "kept" / "sha256" / "ab"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_bytes(b"mine")

    assert list(blobs.kept_before(now_us() + _HOUR_US)) == []


def test_bytes_that_are_put_while_they_are_removed_are_there_once_the_put_has_returned(tmp_path: Path) -> None:
    blobs = blobs_at(str(tmp_path / "kept"))
    (tmp_path / "a").write_bytes(b"raced")
    moment_us = now_us() - _HOUR_US
    lost = []

    for _ in range(300):
        kept = blobs.put(tmp_path / "a")
        _age(tmp_path / "kept")
        together = threading.Barrier(2)

        def put(together: threading.Barrier = together) -> None:
            together.wait()
            blobs.put(tmp_path / "a")

        writer = threading.Thread(target=put)
        writer.start()
        together.wait()
        blobs.remove(kept.sha256, kept_before_us=moment_us)
        writer.join()
        try:
            blobs.open(kept.sha256).close()
        except ArtifactNotFoundError:
            lost.append(kept.sha256)

    assert lost == []
