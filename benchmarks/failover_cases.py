"""What is done to a database under a training: each case gives the training's figures."""

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from failover_training import Training, missing_of
from recorder_support import folder  # noqa: F401 - puts tests/ on the path

from runstore import MetricPoint, RunStoreError, open_reader, open_store
from support import going_back
from support.engines import MongoDBFailoverSet, PostgreSQL, database_of, with_database
from support.galera import Galera
from support.servers import private_server
from support.standby import standby

Figures = dict[str, Any]

_FOLLOWED = ["-c", "wal_keep_size=256MB"]
_SOME, _MANY = 300, 600


def _strike(  # noqa: PLR0913 - keyword-only
    url: str,
    read_url: str,
    place: Path,
    *,
    is_recorded: bool,
    strike: Callable[[], None],
    prepare: Callable[[Training], None] = lambda _: None,
) -> Figures:
    """A training to which something is done, once what could be forgotten has been made."""
    with Training(url, place, is_recorded=is_recorded) as training:
        training.wait_for(_SOME)
        prepare(training)
        training.make_another()
        training.wait_for(_MANY)
        training.settle()
        strike()
        training.wait_for(_SOME)
    return missing_of(training, read_url)


def postgresql_failover(place: Path, *, is_recorded: bool, is_synchronous: bool) -> Figures:
    with private_server("postgresql", options=_FOLLOWED) as primary, standby(primary) as replica:
        written = primary.new_database()
        open_store(written, durable=False).close()
        replica.wait()
        if is_synchronous:
            for statement in ("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"):
                replica.ask(primary, statement)
        hosts = ",".join(f"127.0.0.1:{each.ports[0]}" for each in (primary, replica))
        url = f"postgresql://postgres@{hosts}/{database_of(written)}?target_session_attrs=read-write"

        def strike() -> None:
            primary.kill()
            replica.promote()

        def prepare(_: Training) -> None:
            if not is_synchronous:
                replica.stop_receiving()

        read = with_database(replica.url, database_of(written))
        return _strike(url, read, place, is_recorded=is_recorded, strike=strike, prepare=prepare)


def galera_node_killed(place: Path, *, is_recorded: bool) -> Figures:
    with private_server("mariadb-galera") as galera:
        assert isinstance(galera, Galera)
        url = galera.new_database()
        return _strike(
            galera.on(url, 0, 1, 2),
            galera.on(url, 1),
            place,
            is_recorded=is_recorded,
            strike=lambda: galera.kill_node(0),
        )


def mongodb_election(place: Path, *, is_recorded: bool) -> Figures:
    with private_server("mongodb-replica3") as nodes:
        assert isinstance(nodes, MongoDBFailoverSet)
        url = nodes.new_database()
        return _strike(url, url, place, is_recorded=is_recorded, strike=lambda: nodes.kill_node(nodes.primary))


def backup_restored(place: Path, *, is_recorded: bool) -> Figures:
    with private_server("postgresql") as server:
        assert isinstance(server, PostgreSQL)
        url = server.new_database()
        copies: list[Callable[[], None]] = []
        trainings: list[Training] = []

        def prepare(training: Training) -> None:
            trainings.append(training)
            with training.pausing:
                training.settle()
                copies.append(going_back.of_postgresql(server, url))

        def strike() -> None:
            with trainings[0].pausing:
                trainings[0].settle()
                copies[0]()

        return _strike(url, url, place, is_recorded=is_recorded, strike=strike, prepare=prepare)


def backup_restored_after_end(place: Path, *, is_recorded: bool) -> Figures:
    """Whoever restores it says ``runstore sync --verify`` afterwards; without journals it would find nothing."""
    with private_server("postgresql") as server:
        assert isinstance(server, PostgreSQL)
        url = server.new_database()
        with Training(url, place, is_recorded=is_recorded) as training:
            training.wait_for(_SOME)
            with training.pausing:
                training.settle()
                go_back = going_back.of_postgresql(server, url)
            training.make_another()
            training.wait_for(_MANY)
        go_back()
        subprocess.run([sys.executable, "-m", "runstore", "sync", "--verify", "--store", url], check=True)
        return missing_of(training, url)


def disk_lost(place: Path, *, is_recorded: bool) -> Figures:
    """The server is there again, with a new, empty database of the same name."""
    with private_server("postgresql") as server:
        assert isinstance(server, PostgreSQL)
        url = server.new_database()

        def strike() -> None:
            server.kill()
            server.start()
            server.drop_database(url)
            server.make_database(database_of(url))

        return _strike(url, url, place, is_recorded=is_recorded, strike=strike)


def _open_and_log(number: int, url: str, is_recorded: bool, barrier: Any, told: Any) -> None:  # noqa: FBT001
    barrier.wait()
    begun = time.monotonic()
    try:
        with open_store(url, durable=is_recorded) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("first"), name=str(number))
            for step in range(100):
                store.log_metrics(run_id, [MetricPoint("loss", float(step), step, "train")])
            store.finalize(run_id, "completed")
        told.put((run_id, "", time.monotonic() - begun))
    except RunStoreError as error:
        told.put(("", type(error).__name__, time.monotonic() - begun))


def galera_first_opening(_: Path, *, is_recorded: bool) -> Figures:
    """Six processes open a new database at once, through three nodes in turn, and log 100 points each."""
    spawning = multiprocessing.get_context("spawn")
    with private_server("mariadb-galera") as galera:
        assert isinstance(galera, Galera)
        url = galera.new_database()
        barrier, told = spawning.Barrier(6), spawning.Queue()
        given = [(number, galera.on(url, number % 3), is_recorded, barrier, told) for number in range(6)]
        processes = [spawning.Process(target=_open_and_log, args=each) for each in given]
        for process in processes:
            process.start()
        found = [told.get(timeout=180) for _ in processes]
        for process in processes:
            process.join()
        run_ids = [run_id for run_id, _, _ in found if run_id]
        with open_reader(galera.on(url, 2)) as reader:
            stored = {run_id: list(reader.get_history(run_id, "loss", "train").steps) for run_id in run_ids}
            ended = sum(reader.get_run(run_id).status == "completed" for run_id in run_ids)
            counted = {run_id: reader.get_summaries(run_id)[0].count for run_id in run_ids}
    return {
        "acknowledged": 100 * len(run_ids),
        "lost": sum(100 - len(set(steps)) for steps in stored.values()),
        "twice": sum(abs(counted[run_id] - len(set(steps))) for run_id, steps in stored.items()),
        "runs": 6 - len(run_ids),
        "configs": 0,
        "artifacts": 0,
        "ends": len(run_ids) - ended,
        "longest_ms": round(max(seconds for *_, seconds in found) * 1000, 1),
        "raised": sorted({error for _, error, _ in found if error}),
    }
