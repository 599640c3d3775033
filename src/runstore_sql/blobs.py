"""Artifact bytes inside the database, in rows of 1 MiB: nothing to set up beside the database itself.

Bytes are found by their SHA-256 only once the last row is in; until then the upload has no SHA-256 in the table. What a
crash leaves unfinished is removed by a later upload.
"""

import io
import itertools
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, cast

import sqlalchemy as sa

from runstore.artifacts import Blob, hashed
from runstore.errors import ArtifactNotFoundError, StoreFailureError
from runstore.local.files import CHUNK
from runstore_sql.connections.database import Database
from runstore_sql.schema.tables import blob, blob_chunk

_ABANDONED_US: Final = 24 * 3600 * 1_000_000


class DatabaseBlobs:
    """Content-addressed bytes in ``runstore_blob`` and ``runstore_blob_chunk``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._now_us = sa.literal_column(database.dialect.now_us, sa.BigInteger)

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file; a transaction a row, so that no large file holds a transaction open."""
        pk, most = self._database.write(self._begin)
        numbers = itertools.count()

        def add(chunk: bytes) -> None:
            for first in range(0, len(chunk), most):
                self._add(pk, next(numbers), chunk[first : first + most])

        sha256, size = hashed(path, add)
        self._finish(pk, sha256, size)
        return Blob(sha256=sha256, size=size, uri=f"database:{sha256}")

    def open(self, sha256: str) -> BinaryIO:
        """The bytes, fetched row by row as they are read."""
        pk = self._database.read(
            lambda connection: connection.execute(sa.select(blob.c.pk).where(blob.c.sha256 == sha256)).scalar()
        )
        if pk is None:
            raise ArtifactNotFoundError(
                f"the bytes {sha256} are not in {self._database.shown_url}; "
                "were they written with another setting of 'artifacts'?"
            )
        return cast("BinaryIO", io.BufferedReader(_Chunks(self._database, pk), CHUNK))

    def kept_before(self, moment_us: int) -> Iterable[tuple[str, int]]:
        """What was put last before a moment."""
        is_old = sa.and_(blob.c.sha256.is_not(None), blob.c.created_us < moment_us)
        found = sa.select(blob.c.sha256, blob.c.size).where(is_old)
        return [(row.sha256, row.size) for row in self._database.read(lambda c: c.execute(found).all())]

    def remove(self, sha256: str, *, kept_before_us: int) -> bool:
        """Removes bytes that were put last before a moment: first their name, then row after row.

        So no large file holds a transaction open, and what a crash leaves is an upload without a name.
        """
        is_old = sa.and_(blob.c.sha256 == sha256, blob.c.created_us < kept_before_us)

        def forget(connection: sa.Connection) -> int | None:
            pk = connection.execute(sa.select(blob.c.pk).where(is_old).with_for_update()).scalar()
            if pk is not None:
                connection.execute(blob.update().where(blob.c.pk == pk).values(sha256=None))
            return pk

        pk = self._database.write(forget)
        if pk is None:
            return False
        numbers = sa.select(blob_chunk.c.number).where(blob_chunk.c.blob_pk == pk).order_by(blob_chunk.c.number)
        for number in self._database.read(lambda connection: connection.execute(numbers).scalars().all()):
            of_number = sa.and_(blob_chunk.c.blob_pk == pk, blob_chunk.c.number == number)
            self._database.write(partial(sa.Connection.execute, statement=blob_chunk.delete().where(of_number)))
        self._database.write(lambda connection: connection.execute(blob.delete().where(blob.c.pk == pk)))
        return True

    def _begin(self, connection: sa.Connection) -> tuple[int, int]:
        """The key of a new upload, and how many bytes each of its rows may hold."""
        abandoned = sa.and_(blob.c.sha256.is_(None), blob.c.created_us < self._now_us - _ABANDONED_US)
        connection.execute(blob.delete().where(abandoned))
        inserted = connection.execute(blob.insert().values(sha256=None, size=0, created_us=self._now_us))
        (pk,) = cast("tuple[int]", inserted.inserted_primary_key)
        return pk, self._database.dialect.largest_chunk(connection)

    def _add(self, pk: int, number: int, chunk: bytes) -> None:
        def add(connection: sa.Connection) -> None:
            # Deleted first, for the try before may have been committed although its reply was lost.
            connection.execute(blob_chunk.delete().where(blob_chunk.c.blob_pk == pk, blob_chunk.c.number == number))
            connection.execute(blob_chunk.insert().values(blob_pk=pk, number=number, data=chunk))

        self._database.write(add)

    def _finish(self, pk: int, sha256: str, size: int) -> None:
        """Gives the upload its name, or drops it when the same bytes are there already."""

        def finish(connection: sa.Connection) -> None:
            # Locked, so that they are not removed while a record is about to name them.
            known = connection.execute(sa.select(blob.c.pk).where(blob.c.sha256 == sha256).with_for_update()).scalar()
            if known is None:
                connection.execute(blob.update().where(blob.c.pk == pk).values(sha256=sha256, size=size))
            elif known != pk:
                connection.execute(blob.update().where(blob.c.pk == known).values(created_us=self._now_us))
                connection.execute(blob.delete().where(blob.c.pk == pk))

        try:
            self._database.write(finish)
        except StoreFailureError as error:
            if not self._database.dialect.failures.is_taken(error.__cause__):
                raise
            self._database.write(finish)  # another upload of the same bytes was quicker, and can be seen now


class _Chunks(io.RawIOBase):
    """The rows of one upload as a raw stream."""

    def __init__(self, database: Database, pk: int) -> None:
        self._database = database
        self._pk = pk
        self._number = 0
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # the buffer io hands over
        if not self._rest:
            self._rest = self._next()
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)

    def _next(self) -> bytes:
        query = sa.select(blob_chunk.c.data).where(
            blob_chunk.c.blob_pk == self._pk, blob_chunk.c.number == self._number
        )
        data = self._database.read(lambda connection: connection.execute(query).scalar())
        self._number += 1
        return b"" if data is None else bytes(data)
