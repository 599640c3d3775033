"""Bytes inside a database that no record names."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from runstore.errors import ArtifactNotFoundError
from runstore.local.clock import now_us
from runstore.local.files import CHUNK
from runstore_sql.blobs import DatabaseBlobs
from runstore_sql.schema.tables import blob, blob_chunk
from runstore_sql.store import SqlStore

_HOUR_US = 3_600_000_000


def _age(store: SqlStore) -> None:
    store.database.write(lambda connection: connection.execute(blob.update().values(created_us=0)))


def _rows(store: SqlStore, table: sa.Table) -> int:
    counted = sa.select(sa.func.count()).select_from(table)
    return int(store.database.read(lambda connection: connection.execute(counted).scalar_one()))


def test_old_bytes_are_removed_row_by_row_and_bytes_put_again_stay(store: SqlStore, tmp_path: Path) -> None:
    blobs = DatabaseBlobs(store.database)
    (tmp_path / "old").write_bytes(b"x" * (2 * CHUNK + 1))
    (tmp_path / "again").write_bytes(b"again")
    old, again = (blobs.put(tmp_path / name) for name in ("old", "again"))
    _age(store)
    blobs.put(tmp_path / "again")
    moment_us = now_us() - _HOUR_US

    assert list(blobs.kept_before(moment_us)) == [(old.sha256, old.size)]
    assert blobs.remove(again.sha256, kept_before_us=moment_us) is False
    assert blobs.remove(old.sha256, kept_before_us=moment_us) is True
    assert blobs.remove(old.sha256, kept_before_us=moment_us) is False

    with pytest.raises(ArtifactNotFoundError):
        blobs.open(old.sha256)
    with blobs.open(again.sha256) as stream:
        assert stream.read() == b"again"
    assert (_rows(store, blob), _rows(store, blob_chunk)) == (1, 1)


def test_bytes_that_were_removed_are_kept_anew_when_they_are_put(store: SqlStore, tmp_path: Path) -> None:
    blobs = DatabaseBlobs(store.database)
    (tmp_path / "a").write_bytes(b"bytes")
    kept = blobs.put(tmp_path / "a")
    _age(store)
    blobs.remove(kept.sha256, kept_before_us=now_us())

    blobs.put(tmp_path / "a")

    with blobs.open(kept.sha256) as stream:
        assert stream.read() == b"bytes"
