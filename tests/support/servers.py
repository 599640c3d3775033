"""Real servers for tests, benchmarks and demonstrations, started on free loopback ports.

Kinds: ``postgresql``, ``mariadb``, ``mariadb-galera`` (three nodes), ``mongodb`` (standalone), ``mongodb-replica`` (one node), ``mongodb-replica3``
(three nodes that elect quickly) and ``s3``. A server of one's own, to be stopped and killed at will::

    from support.servers import private_server

    with private_server("postgresql") as server:
        url = server.new_database()   # postgresql://postgres@127.0.0.1:17342/rs_4f0c...
        server.kill()                 # SIGKILL
        server.start()                # the same data on the same port

A plain script finds this module when ``tests`` is on its path (``PYTHONPATH=tests``). No server outlives the process
that asked for it; see :mod:`support.processes`.
"""

import os
import pickle
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.engines import (
    ENGINES,
    S3,
    MariaDB,
    MongoDB,
    MongoDBFailoverSet,
    MongoDBReplicaSet,
    PostgreSQL,
    RunningPostgreSQL,
    Server,
)
from support.galera import Galera
from support.processes import ServerUnavailableError, locked, state_directory

_STARTS = 3

private_kinds: list[str] = []
"""The kind of each private server that this process has started: the summary of a test run counts them."""

__all__ = [
    "ENGINES",
    "S3",
    "Galera",
    "MariaDB",
    "MongoDB",
    "MongoDBFailoverSet",
    "MongoDBReplicaSet",
    "PostgreSQL",
    "Server",
    "ServerUnavailableError",
    "private_kinds",
    "private_server",
    "shared_server",
]


@contextmanager
def private_server(kind: str, *, durable: bool = True, options: Sequence[str] = ()) -> Iterator[Server]:
    """A server of the caller's own, gone with its data at the end of the block.

    Args:
        kind: of server.
        durable: whether it waits for the disk.
        options: words to add to the command that starts it.

    Raises:
        ServerUnavailableError: this machine cannot run one; says why.
    """
    server = _start_new(kind, durable=durable, options=options)
    private_kinds.append(kind)
    try:
        yield server
    finally:
        server.dispose()


def shared_server(kind: str) -> Server:
    """The one server of this kind of the whole session, started by the first process that asks.

    Raises:
        ServerUnavailableError: this machine cannot run one; every further request says the same without trying again.
    """
    state = state_directory()
    record, failure = state / f"{kind}.pickle", state / f"{kind}.unavailable"
    with locked(state / f"{kind}.lock"):
        if failure.exists():
            raise ServerUnavailableError(failure.read_text())
        if record.exists():
            server: Server = pickle.loads(record.read_bytes())
            return server
        try:
            server = _running_elsewhere(kind) or _start_new(kind, durable=False)
        except ServerUnavailableError as error:
            failure.write_text(str(error))
            raise
        record.write_bytes(pickle.dumps(server))
        return server


def _start_new(kind: str, *, durable: bool, options: Sequence[str] = ()) -> Server:
    """Starts a server; another process may take its port in the meantime, so it is tried with others too."""
    for remaining in reversed(range(_STARTS)):
        root = state_directory() / f"{kind}-{secrets.token_hex(4)}"
        root.mkdir(mode=0o755)
        server = ENGINES[kind](root, durable=durable)
        server.options = list(options)
        try:
            server.install()
            server.start()
        except ServerUnavailableError as error:
            server.dispose()
            if not remaining or not server.pids:
                raise ServerUnavailableError(f"{kind}: {error}") from error
        else:
            return server
    raise AssertionError("the loop above returns or raises")


def _running_elsewhere(kind: str) -> Server | None:
    url = os.environ.get("RUNSTORE_TEST_PG_URL")
    if kind != PostgreSQL.kind or not url:
        return None
    server = RunningPostgreSQL(Path(os.devnull), durable=True, url=url)
    server.start()
    return server
