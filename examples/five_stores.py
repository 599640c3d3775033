"""The same training into SQLite, PostgreSQL, MariaDB and MongoDB (standalone and replica set): only the URL changes.

Runs ``pneumo-train fit`` once for each store with the same seed, and then asks each database by its own plain client
(sqlite3, psycopg, PyMySQL, pymongo: no line of runstore) for the run's rows. All must hold equal metrics, bit for bit.

    PYTHONPATH=tests python examples/five_stores.py --source films            # starts private servers for the others
    python examples/five_stores.py --source films sqlite:////tmp/a.db postgresql://me@host/runs   # your own

Options after ``--`` go to ``pneumo-train fit`` as they are, for example ``-- --data.image_size 64``.
"""

import argparse
import os
import shlex
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

KINDS = ("postgresql", "mariadb", "mongodb", "mongodb-replica")

METRICS = "SELECT metric_name, dataset_type, step, metric_value FROM run_metrics WHERE run_id = "
COUNTS = {
    "runs": "SELECT count(*) FROM runs WHERE id = ",
    "run_configurations": "SELECT count(*) FROM run_configurations WHERE run_id = ",
    "run_metrics": "SELECT count(*) FROM run_metrics WHERE run_id = ",
    "run_artifacts": "SELECT count(*) FROM run_artifacts WHERE run_id = ",
}

Metrics = dict[tuple[str, str, int], bytes]
Answer = tuple[str, dict[str, int], Metrics]


def main() -> int:
    """Trains once for each store and compares; 0 when all hold equal metrics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, help="a directory or zip of chest X-rays")
    parser.add_argument("urls", nargs="*", help="stores; without any, a SQLite file and four private servers")
    own, _, rest = " ".join(map(shlex.quote, sys.argv[1:])).partition(" -- ")
    arguments, options = parser.parse_args(shlex.split(own)), shlex.split(rest)

    answers: dict[str, Answer] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="five-stores-")))
        for name, url in stores(arguments.urls, folder, stack).items():
            run_id = f"five-{uuid.uuid4().hex[:8]}"
            start = time.monotonic()
            fit(arguments.source, url, run_id, options, folder)
            seconds = time.monotonic() - start
            status, counts, metrics = ask(url, run_id)
            answers[name] = status, counts, metrics
            best = max(value(metrics, key) for key in metrics if key[:2] == ("auroc", "validation"))
            print(f"{name:16} {status:10} best validation AUROC {best:.6f}  rows {counts}  {seconds:.0f} s", flush=True)
    first = next(iter(answers.values()))
    is_equal = all(answer == first for answer in answers.values())
    print(f"{len(answers)} stores hold {'equal' if is_equal else 'DIFFERENT'} metrics: {len(first[2])} points each")
    return 0 if is_equal and first[0] == "completed" else 1


def stores(urls: list[str], folder: Path, stack: ExitStack) -> dict[str, str]:
    """Names and URLs; servers of our own live as long as the stack."""
    if urls:
        return {f"{number} {urlsplit(url).scheme}": url for number, url in enumerate(urls, start=1)}
    from support.servers import private_server  # noqa: PLC0415 - only needed without URLs, and only with tests on the path

    servers = {kind: stack.enter_context(private_server(kind)) for kind in KINDS}
    return {"sqlite": f"sqlite:///{folder}/runs.db"} | {kind: server.new_database() for kind, server in servers.items()}


def fit(source: str, url: str, run_id: str, options: list[str], folder: Path) -> None:
    """``pneumo-train fit`` as a person would type it."""
    command = [
        sys.executable, "-m", "pneumo_train.cli", "fit", "--source", source, "--store", url, "--run_id", run_id,
        "--experiment", "five-stores", "--checkpoint_dir", f"{folder}/checkpoints", "--logs_dir", f"{folder}/logs",
        "--progress", "false", *options,
    ]  # fmt: skip
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "RUNSTORE_STATE_DIR": f"{folder}/state"},
    )
    if done.returncode:
        raise SystemExit(f"pneumo-train ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")


def ask(url: str, run_id: str) -> Answer:
    """The run's status, its rows by table, and its metrics with their 64 bits, by the database's own client."""
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return _ask_sql(connection, run_id, "?")
    if scheme in {"postgresql", "postgres"}:
        import psycopg  # noqa: PLC0415 - one store's client

        with psycopg.connect(url) as connection:
            return _ask_sql(connection, run_id, "%s")
    if scheme in {"mysql", "mariadb"}:
        import pymysql  # noqa: PLC0415 - one store's client

        place = urlsplit(url)
        with closing(
            pymysql.connect(
                host=place.hostname,
                port=place.port or 3306,
                user=unquote(place.username or ""),
                password=unquote(place.password or ""),
                database=place.path.strip("/"),
            )
        ) as connection:
            return _ask_sql(connection, run_id, "%s")
    return _ask_mongo(url, run_id)


def _ask_sql(connection, run_id: str, mark: str) -> Answer:  # noqa: ANN001 - any DB-API connection
    def rows(query: str) -> list[tuple]:
        cursor = connection.cursor()
        cursor.execute(query + mark, (run_id,))
        return list(cursor.fetchall())

    ((status,),) = rows("SELECT status FROM runs WHERE id = ")
    counts = {table: rows(query)[0][0] for table, query in COUNTS.items()}
    return status, counts, {tuple(key): _bits(number) for *key, number in rows(METRICS)}


def _ask_mongo(url: str, run_id: str) -> Answer:
    import pymongo  # noqa: PLC0415 - one store's client

    with pymongo.MongoClient(url) as client:
        database = client.get_default_database()
        run = database["runs"].find_one({"_id": run_id})
        metrics = {
            (row["metric_name"], row["dataset_type"], row["step"]): _bits(row["metric_value"])
            for row in database["run_metrics"].find({"run_id": run_id})
        }
        counts = {
            "runs": database["runs"].count_documents({"_id": run_id}),
            "run_configurations": len(list(database["run_configurations"].find({"run_id": run_id}))),
            "run_metrics": len(metrics),
            "run_artifacts": database["run_artifacts"].count_documents({"run_id": run_id}),
        }
    return run["status"], counts, metrics


def _bits(number: float) -> bytes:
    return struct.pack("<d", number)


def value(metrics: Metrics, key: tuple[str, str, int]) -> float:
    """The number of a point."""
    return struct.unpack("<d", metrics[key])[0]


if __name__ == "__main__":
    sys.exit(main())
