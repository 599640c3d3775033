"""The operations that change what has begun, and those that remove for good what nothing refers to any more."""

from runstore.backend import ExperimentChange, RunChange, Sweep
from runstore.model import Garbage
from runstore_sql.editing.changes import change_experiment, change_run
from runstore_sql.editing.partitions import drop_expired, expired
from runstore_sql.editing.purging import Purge
from runstore_sql.editing.unnamed import Unnamed
from runstore_sql.reading import SqlReads


class SqlEdits(SqlReads):
    """Changes are one transaction each; what takes long is done in pieces."""

    is_place_named: bool
    """Whether artifacts go to a place that somebody named, where other stores may keep theirs."""

    def change_run(self, run_id: str, change: RunChange) -> None:
        self.database.write(lambda connection: change_run(connection, run_id, change))

    def change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        self.database.write(lambda connection: change_experiment(connection, experiment_id, change))

    def sweep(self, asked: Sweep) -> Garbage:
        purge = Purge(self.database, deleted_before_us=asked.deleted_before_us)
        runs = purge.runs()
        points = purge.count_points(runs)
        if asked.dry_run:
            partitions = len(expired(self.database, deleted_before_us=asked.deleted_before_us))
        else:
            purge.mark(runs)
            partitions = drop_expired(self.database)
            purge.remove(runs)
        unnamed = Unnamed(self.database, self.blobs, asked)
        files, size = unnamed.collect() if asked.collects_files(is_place_named=self.is_place_named) else (0, 0)
        return Garbage(
            runs=len(runs), points=points, files=files, bytes=size, partitions=partitions, is_dry_run=asked.dry_run
        )
