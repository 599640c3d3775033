"""Artifact bytes in a real object store, named by one setting."""

from pathlib import Path

import fsspec.config
import pytest

from runstore import StoreFailureError, open_store
from runstore.errors import CorruptArtifactError
from support.engines import S3


@pytest.fixture
def bucket(s3_url: str, s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket that fsspec finds, as a user's configuration file or environment would tell it."""
    monkeypatch.setitem(
        fsspec.config.conf,
        "s3",
        {**s3_server.storage_options, "skip_instance_cache": True, "use_listings_cache": False},
    )
    return s3_url


def test_the_bytes_of_a_run_lie_in_the_bucket_and_come_back_checked(
    sqlite_url: str, bucket: str, tmp_path: Path
) -> None:
    (tmp_path / "best.ckpt").write_bytes(b"weights" * 100_000)
    with open_store(sqlite_url, durable=False, artifacts=f"{bucket}/lab") as store:
        run_id = store.ensure_run(store.get_or_create_experiment("s3"))

        artifact = store.log_artifact(run_id, tmp_path / "best.ckpt", artifact_type="model", metadata={"score": 0.9})
        again = store.log_artifact(run_id, tmp_path / "best.ckpt", name="copy.ckpt")

        assert artifact.uri.startswith(f"{bucket}/lab/sha256/")
        assert again.uri == artifact.uri
        with store.open_artifact(run_id, "best.ckpt") as stream:
            assert stream.read() == b"weights" * 100_000


def test_bytes_that_were_changed_in_the_bucket_are_refused(
    sqlite_url: str, bucket: str, s3_server: S3, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"good")
    with open_store(sqlite_url, durable=False, artifacts=bucket) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("s3"))
        artifact = store.log_artifact(run_id, tmp_path / "a")
        files = fsspec.filesystem("s3", **s3_server.storage_options, skip_instance_cache=True)
        files.pipe_file(artifact.uri, b"evil")

        with pytest.raises(CorruptArtifactError):
            store.open_artifact(run_id, "a")


def test_credentials_that_are_refused_are_an_error_and_nothing_is_recorded(
    sqlite_url: str, bucket: str, s3_server: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"x")
    wrong = {**s3_server.storage_options, "secret": "not the secret", "skip_instance_cache": True}
    monkeypatch.setitem(fsspec.config.conf, "s3", wrong)
    with open_store(sqlite_url, durable=False, artifacts=bucket) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("s3"))

        with pytest.raises(StoreFailureError, match="could not keep") as caught:
            store.log_artifact(run_id, tmp_path / "a")

        assert "not the secret" not in str(caught.value)
        assert store.list_artifacts(run_id) == ()


@pytest.mark.parametrize("prefix", ["[a-z]", "st*r", "with blank/[0]", "ä"])
def test_a_prefix_in_the_bucket_is_no_pattern(sqlite_url: str, bucket: str, tmp_path: Path, prefix: str) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with open_store(sqlite_url, durable=False, artifacts=f"{bucket}/{prefix}") as store:
        run_id = store.ensure_run(store.get_or_create_experiment("s3"))

        first, again = store.log_artifact(run_id, tmp_path / "a"), store.log_artifact(run_id, tmp_path / "a")

        assert first.uri == again.uri
        assert first.uri.startswith(f"{bucket}/{prefix}/sha256/")
        with store.open_artifact(run_id, "a") as stream:
            assert stream.read() == b"x"
