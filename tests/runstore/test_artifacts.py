"""Bytes: whole before they are recorded, kept once, checked when read."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from runstore import ArtifactNotFoundError, InvalidValueError, StoreFailureError
from runstore.artifacts import Blobs, LocalBlobs, blobs_at
from runstore.artifacts.remote import RemoteBlobs
from runstore.artifacts.requests import check_artifact
from runstore.artifacts.verifying import open_verified
from runstore.errors import CorruptArtifactError
from runstore.model import Artifact

_NOW = datetime(2026, 11, 21, tzinfo=UTC)


def _logged(blobs: Blobs, path: Path, name: str | None = None) -> Artifact:
    request = check_artifact(path, name=name, artifact_type="file", copy=True, metadata=None)
    return request.record("r", blobs, created_at=_NOW)


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_the_bytes_read_back_are_the_bytes_given_whatever_became_of_the_file(tmp_path: Path) -> None:
    source, blobs = tmp_path / "a.bin", LocalBlobs(tmp_path / "store")
    source.write_bytes(b"\x00\xff" * 1000)

    artifact = _logged(blobs, source)
    source.unlink()

    with open_verified(artifact, blobs) as stream:
        assert stream.read() == b"\x00\xff" * 1000
    assert (artifact.size, Path(artifact.uri).read_bytes()) == (2000, b"\x00\xff" * 1000)


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "store")
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"same")
        _logged(blobs, tmp_path / name)

    assert len(_files(tmp_path / "store")) == 1


def test_changed_bytes_are_refused_when_read(tmp_path: Path) -> None:
    source, blobs = tmp_path / "a.bin", LocalBlobs(tmp_path / "store")
    source.write_bytes(b"good")
    artifact = _logged(blobs, source)
    _files(tmp_path / "store")[0].write_bytes(b"evil")

    with pytest.raises(CorruptArtifactError, match="should be 4 bytes of SHA-256"):
        open_verified(artifact, blobs)


def test_bytes_that_are_gone_are_told_where_they_should_be(tmp_path: Path) -> None:
    source, blobs = tmp_path / "a.bin", LocalBlobs(tmp_path / "store")
    source.write_bytes(b"good")
    artifact = _logged(blobs, source)
    _files(tmp_path / "store")[0].unlink()

    with pytest.raises(ArtifactNotFoundError, match="store"):
        open_verified(artifact, blobs)


def test_a_failed_copy_leaves_nothing_behind(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "store")

    with pytest.raises(InvalidValueError, match=r"'.*missing' cannot be read: No such file"):
        blobs.put(tmp_path / "missing")

    assert _files(tmp_path / "store") == []


def test_a_place_that_cannot_be_written_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")

    with pytest.raises(StoreFailureError, match="permissions, space"):
        LocalBlobs(tmp_path / "file").put(tmp_path / "file")


def test_a_folder_is_taken_file_by_file_in_the_order_of_its_names(tmp_path: Path) -> None:
    folder = tmp_path / "plots"
    for name in ("b.png", "a/x.png", "a/é.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)

    artifact = _logged(LocalBlobs(tmp_path / "store"), folder, "figures")

    assert [part.name for part in artifact.parts] == ["figures/b.png", "figures/a/x.png", "figures/a/é.png"]
    assert artifact.size == sum(part.size or 0 for part in artifact.parts)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda _path: None, "does not exist"),
        (lambda path: path.mkdir(), "without files"),
        (lambda path: (path.mkdir(), (path / "x").symlink_to("nowhere")), "a broken link"),
        (lambda path: path.symlink_to("nowhere"), "a broken link"),
    ],
)
def test_a_path_with_nothing_to_log_is_refused_by_name(tmp_path: Path, make: object, told: str) -> None:
    make(tmp_path / "p")  # type: ignore[operator]

    with pytest.raises(InvalidValueError, match=told):
        check_artifact(tmp_path / "p", name=None, artifact_type="file", copy=True, metadata=None)


def test_a_recorded_path_has_no_bytes_to_read(tmp_path: Path) -> None:
    request = check_artifact("s3://b/model.ckpt", name=None, artifact_type="model", copy=False, metadata={"score": 1})
    artifact = request.record("r", LocalBlobs(tmp_path), created_at=_NOW)

    assert (artifact.name, artifact.uri, artifact.is_stored) == ("model.ckpt", "s3://b/model.ckpt", False)
    with pytest.raises(ArtifactNotFoundError, match="copy=False"):
        open_verified(artifact, LocalBlobs(tmp_path))


def test_any_fsspec_url_will_do(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    blobs = RemoteBlobs("memory://bucket/prefix")

    artifact = _logged(blobs, tmp_path / "a")

    assert artifact.uri.startswith("memory://")
    with open_verified(artifact, blobs) as stream:
        assert stream.read() == b"x" * 10


@pytest.mark.parametrize("folder", ["[a-z]", "st*re", "run?1", "a::b", "simplecache::x", "100%", "~x", "#1"])
def test_a_folder_for_artifacts_is_taken_letter_by_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"x")
    blobs = blobs_at(f"./{folder}")

    artifact = _logged(blobs, tmp_path / "file")

    with open_verified(artifact, blobs) as stream:
        assert stream.read() == b"x"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["file", folder])


@pytest.mark.parametrize("root", ["memory://bucket/[a-z]*?/x", "simplecache::memory://bucket/cached"])
def test_a_place_in_an_object_store_is_no_pattern(tmp_path: Path, root: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    blobs = blobs_at(root)

    artifact = _logged(blobs, tmp_path / "file")
    again = _logged(blobs, tmp_path / "file")

    assert again.uri == artifact.uri
    with open_verified(artifact, blobs) as stream:
        assert stream.read() == b"x"


class _Failing(LocalBlobs):
    """Bytes that break off while they are read, as an object store's do when the network goes."""

    def open(self, sha256: str) -> BinaryIO:
        super().open(sha256).close()
        return cast("BinaryIO", _Torn())


class _Torn(BytesIO):
    def read(self, _size: int | None = -1, /) -> bytes:
        raise OSError(5, "the line went dead")


def test_bytes_that_break_off_are_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    blobs = _Failing(tmp_path / "store")
    artifact = _logged(blobs, tmp_path / "file")

    with pytest.raises(StoreFailureError, match=r"could not read artifact 'file'.*the line went dead"):
        open_verified(artifact, blobs)


def test_a_folder_that_holds_the_artifacts_is_logged_but_for_what_is_being_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a").write_bytes(b"a")
    blobs = LocalBlobs(tmp_path / "runs.db.artifacts")
    first = _logged(blobs, tmp_path / "a")
    (tmp_path / "runs.db.artifacts" / "unfinished" / "half").write_bytes(b"h")

    whole = _logged(blobs, tmp_path, "out")
    again = _logged(blobs, tmp_path, "out")

    stored = Path(first.uri).relative_to(tmp_path).as_posix()
    assert [part.name for part in whole.parts] == ["out/a", f"out/{stored}"]
    assert [part.uri for part in whole.parts] == [first.uri, first.uri]
    assert [part.name for part in again.parts] == [part.name for part in whole.parts]
    assert "unfinished is left out" in caplog.text
