"""What the kit needs to know of DuckDB: how to open a database, and what can be seen and broken from outside."""

import fcntl
import shutil
import threading
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from uuid import uuid4

import duckdb

from runstore.backend import BackendStore
from runstore.testing import Harness, age_files, open_url


class DuckHarness(Harness):
    """Files in a folder: ``open`` and ``fresh`` are all that is required, the rest proves more clauses."""

    effort = 0.2  # to attach a DuckDB file takes 5 ms, and this backend does so in every call

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f"runs-{uuid4().hex}.duckdb"  # never a name that was used before
        self.url = f"duckdb:///{self._path}"

    def open(self) -> BackendStore:
        return open_url(self.url)

    def fresh(self) -> "DuckHarness":
        return DuckHarness(self._folder)

    def fingerprint(self) -> Hashable:
        with duckdb.connect(str(self._path)) as connection:
            tables = connection.execute("SELECT table_name, sql FROM duckdb_tables() ORDER BY ALL").fetchall()
            rows = {
                name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"').fetchall())) for name, _ in tables
            }
        return repr((tables, rows))

    def mark_newer(self, *, readable: bool) -> None:
        with duckdb.connect(str(self._path)) as connection:
            connection.execute("CREATE TABLE of_the_future (colour INTEGER)")
            connection.execute("UPDATE runstore_schema SET version = 99, min_client = ?", [1 if readable else 98])

    def plant_foreign_schema(self) -> None:
        with duckdb.connect(str(self._path)) as connection:
            connection.execute("CREATE TABLE runs (colour INTEGER); INSERT INTO runs VALUES (7)")

    def damage_artifact(self, run_id: str, name: str) -> None:
        with self.open() as store:
            path = next(Path(each.uri) for each in store.list_artifacts(run_id) if each.name == name)
        data = bytearray(path.read_bytes())
        data[0] ^= 1
        path.write_bytes(data)

    def age_artifacts(self, days: float) -> None:
        age_files(Path(f"{self._path}.artifacts"), days)

    def back_up(self) -> Callable[[], None]:
        kept = self._path.with_name(f"{self._path.name}.copy")
        self._copy(self._path, kept)
        return lambda: self._copy(kept, self._path)

    def _copy(self, source: Path, target: Path) -> None:
        with self._path.with_name(f"{self._path.name}.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            shutil.copyfile(source, target)

    def hold_lock(self, run_id: str, seconds: float) -> None:  # noqa: ARG002 - the lock is the whole file's
        holds = threading.Event()

        def hold() -> None:
            with self._path.with_name(f"{self._path.name}.lock").open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                holds.set()
                time.sleep(seconds)

        threading.Thread(target=hold, daemon=True).start()
        assert holds.wait(30), "the rival never got its lock"
