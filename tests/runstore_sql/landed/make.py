"""Makes the dumps of this folder: stores that the landed release before a migration wrote, on every database.

They are made once, with the code of that release, and never again: a later one would dump what it writes itself.

    git archive 2f11660 src | tar x -C /tmp/landed
    PYTHONPATH=/tmp/landed/src:tests python tests/runstore_sql/landed/make.py

Takes real servers, as the tests do, and the programs ``pg_dump`` and ``mariadb-dump``.
"""

import gzip
import json
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from runstore.opening.stores import open_store
from runstore_sql.schema.tables import SCHEMA_VERSION
from support.landed import FOLDER, fill, told
from support.servers import private_server


def main() -> None:
    written: int = SCHEMA_VERSION
    if written != 1:
        raise SystemExit(f"this is no checkout of the landed release: it writes schema {written}")
    seen = [_sqlite()]
    with private_server("postgresql", durable=False) as server:
        for name, setting in (("postgresql", ""), ("postgresql-partitions", "?partition_series=4")):
            url = server.new_database()
            seen.append(_filled(url + setting))
            dumped = _output("pg_dump", "--inserts", "--no-owner", "--no-privileges", url)
            # As a number in a statement it would lose its sign.
            lines = [line.replace(", -0, ", ", '-0', ") for line in dumped if not line.startswith(("--", "\\"))]
            _write(name, lines)
    with private_server("mariadb", durable=False) as server:
        url = server.new_database()
        seen.append(_filled(url))
        parts = urlsplit(url)
        where = ["-h", str(parts.hostname), "-P", str(parts.port), "-u", str(parts.username), parts.path[1:]]
        dumped = _output("mariadb-dump", "--compact", "--skip-extended-insert", "--hex-blob", *where)
        _write("mariadb", [line for line in dumped if not line.startswith("/*M!")])
    assert all(each == seen[0] for each in seen)
    (FOLDER / "told.json").write_text(json.dumps(seen[0], indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def _sqlite() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        seen = _filled(f"sqlite:///{path}")
        # The file itself: as statements, infinities could not be read back.
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("VACUUM")
        (FOLDER / "sqlite.db.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    return seen


def _filled(url: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, open_store(url, durable=False) as store:
        fill(store, Path(folder))
        return told(store)


def _output(*command: str) -> list[str]:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def _write(name: str, lines: list[str]) -> None:
    (FOLDER / f"{name}.sql").write_text("\n".join(line for line in lines if line.strip()) + "\n")


if __name__ == "__main__":
    main()
