"""Bytes of artifacts that no record names: those of purged runs, of records that were replaced, of calls that failed."""

import sqlalchemy as sa

from runstore.artifacts import Blobs
from runstore.backend import Sweep
from runstore_sql.connections.database import Database
from runstore_sql.schema.tables import artifact, run


class Unnamed:
    """The files of one place that a sweep collects."""

    def __init__(self, database: Database, blobs: Blobs, asked: Sweep) -> None:
        self._database = database
        self._blobs = blobs
        self._asked = asked

    def collect(self) -> tuple[int, int]:
        """Removes them, unless only counting is asked for; their number and their bytes together."""
        before_us = self._asked.kept_before_us
        files = size = 0
        old = list(self._blobs.kept_before(before_us))
        named = self._named() if old else set()
        for sha256, length in old:
            if sha256 in named:
                continue
            if self._asked.dry_run or self._blobs.remove(sha256, kept_before_us=before_us):
                files += 1
                size += length
        return files, size

    def _named(self) -> set[str]:
        """What records name: of all runs, for those of purged ones are gone; to be counted, without what would be gone."""
        query = sa.select(artifact.c.sha256).where(artifact.c.sha256.is_not(None)).distinct()
        if self._asked.dry_run:
            is_kept = sa.or_(run.c.deleted_us.is_(None), run.c.deleted_us >= self._asked.deleted_before_us)
            query = query.join(run, run.c.pk == artifact.c.run_pk).where(run.c.purged_us.is_(None), is_kept)
        return set(self._database.read(lambda connection: connection.execute(query).scalars().all()))
