"""Three MariaDB nodes in one Galera cluster, from the system's packages ``mariadb-server``, ``galera-4`` and ``rsync``.

Each node can be killed, started again (it then fetches what it missed, by a transfer of changes or of the whole state),
and cut off from the others while it runs on, without their quorum.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from support.engines import ENGINES, MariaDB, database_of, with_database
from support.processes import START_TIMEOUT_S, ServerUnavailableError, end, free_ports, spawn, wait_until_ready

_PROVIDERS: Final = (
    "/usr/lib/galera/libgalera_smm.so",
    "/usr/lib/libgalera_smm.so",
    "/usr/lib64/galera-4/libgalera_smm.so",
)
# The defaults suit a wide network: a node that is gone would be missed after half a minute.
_PROVIDER_OPTIONS: Final = (
    "evs.keepalive_period=PT0.3S;evs.suspect_timeout=PT3S;evs.inactive_timeout=PT8S;evs.install_timeout=PT8S;"
    "gcache.size=16M;gcache.keep_pages_size=0;gcs.fc_limit=64"
)
_PAGE: Final = Path(__file__).parents[2] / "docs" / "clusters.md"
_USER: Final = "mysql"
_A_NODE: Final = 4
"""How many ports each takes: SQL, the group's, and two for the transfers of what a node missed."""


class Galera(MariaDB):
    """One cluster; ``ports`` are first those of the nodes' SQL."""

    kind = "mariadb-galera"
    nodes = 3

    def install(self) -> None:
        """One installation: the nodes that join take the first one's state."""
        if self._provider() is None or shutil.which("rsync") is None:
            raise ServerUnavailableError("no Galera; install galera-4 and rsync")
        if self._as_user():
            shutil.chown(self.root, _USER)
        super().install()
        self.ports = free_ports(self.nodes * _A_NODE)
        (self.root / "data").rename(self.root / "data0")
        for folder in ("data1", "data2", "tmp0", "tmp1", "tmp2"):
            (self.root / folder).mkdir()
            if self._as_user():
                shutil.chown(self.root / folder, _USER)

    @staticmethod
    def _as_user() -> list[str]:
        """No root: the rsync that takes a state becomes nobody then, who may not write it."""
        return [f"--user={_USER}"] if os.geteuid() == 0 else []

    @staticmethod
    def _provider() -> str | None:
        return next((path for path in _PROVIDERS if Path(path).exists()), None)

    def start(self) -> None:
        """Starts all nodes: the first makes the cluster, also of the data of one that was ended before."""
        self.pids = []
        state = self.root / "data0" / "grastate.dat"
        if state.exists():  # all were killed: nobody is left to ask which of them knew the most
            state.write_text(state.read_text().replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))
            (self.root / "data0" / "gvwstate.dat").unlink(missing_ok=True)
        self.pids = [self._spawn(0, makes_cluster=True)]
        self._await(0)
        for node in range(1, self.nodes):
            self.pids.append(self._spawn(node))
        for node in range(1, self.nodes):
            self._await(node)

    def _spawn(self, node: int, *, makes_cluster: bool = False) -> int:
        program, provider = self._program(), self._provider()
        if program is None or provider is None:
            raise ServerUnavailableError("no Galera; install mariadb-server, galera-4 and rsync")
        sql, groups, states, changes = (
            self.ports[at : at + self.nodes] for at in range(0, len(self.ports), self.nodes)
        )
        members = "" if makes_cluster else ",".join(f"127.0.0.1:{port}" for port in groups)
        command = [program, "--no-defaults", f"--datadir={self.root / f'data{node}'}", *self._as_user()]
        command += [
            f"--socket={self.root / f'sock{node}'}",
            f"--pid-file={self.root / f'pid{node}'}",
            f"--tmpdir={self.root / f'tmp{node}'}",
        ]
        command += [f"--port={sql[node]}", "--bind-address=127.0.0.1", "--skip-name-resolve"]
        command += ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"]
        command += ["--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--max-connections=100"]
        command += ["--performance-schema=OFF", "--max-allowed-packet=64M"]
        command += ["--binlog-format=ROW", "--innodb-autoinc-lock-mode=2"]
        command += ["--innodb-flush-log-at-trx-commit=0", "--skip-innodb-doublewrite"]
        command += ["--wsrep-on=ON", f"--wsrep-provider={provider}", "--wsrep-cluster-name=runstore-test"]
        command += [f"--wsrep-cluster-address=gcomm://{members}", f"--wsrep-node-name=n{node}"]
        command += [f"--wsrep-node-address=127.0.0.1:{groups[node]}", "--wsrep-sst-method=rsync"]
        command += [f"--wsrep-sst-receive-address=127.0.0.1:{states[node]}"]
        listens = f"gmcast.listen_addr=tcp://127.0.0.1:{groups[node]};base_port={groups[node]}"
        takes = f"ist.recv_addr=127.0.0.1:{changes[node]}"
        command += [f"--wsrep-provider-options={listens};{takes};{_PROVIDER_OPTIONS}"]
        if makes_cluster:
            command.append("--wsrep-new-cluster")
        return spawn([*command, *self.options], log=self.root / f"server{node}.log")

    def _await(self, node: int) -> None:
        wait_until_ready(lambda: self._is_ready(node), pids=[self.pids[node]], log=self.root / f"server{node}.log")

    def _is_ready(self, node: int) -> bool:
        return self.status(node, "wsrep_ready") == "ON" and self.status(node, "wsrep_local_state_comment") == "Synced"

    @contextmanager
    def haproxy(self) -> Iterator[str]:
        """HAProxy before the nodes, by the configuration that clusters.md shows; gives its address."""
        program = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            raise ServerUnavailableError("no haproxy; install haproxy")
        (port,) = free_ports(1)
        text, script = (
            block.partition("```")[0] for block in _PAGE.read_text(encoding="utf-8").split("```text\n")[1:3]
        )
        check = self.root / "galera-ready"
        check.write_text(script.replace("--user=haproxy", "--user=root"))
        check.chmod(0o755)
        text = text.replace("/usr/local/bin/galera-ready", str(check))
        for node in range(self.nodes):
            text = text.replace(f"db{node + 1}:3306", f"127.0.0.1:{self.ports[node]}")
        config = self.root / "haproxy.cfg"
        config.write_text(text.replace("bind :3306", f"bind 127.0.0.1:{port}"))
        pid = spawn([program, "-db", "-f", str(config)], log=self.root / "haproxy.log")
        try:
            yield f"127.0.0.1:{port}"
        finally:
            end([pid], signal.SIGKILL)

    # --- the nodes

    def on(self, url: str, *nodes: int) -> str:
        """The URL of the same database through these nodes."""
        hosts = ",".join(f"127.0.0.1:{self.ports[node]}" for node in nodes)
        return with_database(f"mysql://root@{hosts}", database_of(url))

    def kill_node(self, node: int) -> None:
        """SIGKILL for one node."""
        end([self.pids[node]], signal.SIGKILL)

    def start_node(self, node: int, *, without_state: bool = False) -> None:
        """Starts one node again; returns when it has what it missed.

        Args:
            node: which.
            without_state: whether it knows nothing any more, and takes the whole state from another one.
        """
        if without_state:
            (self.root / f"data{node}" / "grastate.dat").unlink(missing_ok=True)
            (self.root / f"data{node}" / "gvwstate.dat").unlink(missing_ok=True)
        self.pids[node] = self._spawn(node)
        self._await(node)

    @contextmanager
    def cut_off(self, node: int) -> Iterator[None]:
        """One node runs on and hears nothing of the others, which have the quorum; then it is let in again."""
        self._isolate(node, 1)
        try:
            self.until(lambda: self.status(node, "wsrep_cluster_status") != "Primary")
            self.until(lambda: self.status((node + 1) % self.nodes, "wsrep_cluster_size") == str(self.nodes - 1))
            yield
        finally:
            self._isolate(node, 0)
            self.until(lambda: self._is_ready(node))

    @contextmanager
    def held_up(self, node: int) -> Iterator[None]:
        """One node takes over nothing of what the others write, for the time of the block."""
        with self.connect(node) as connection, connection.cursor() as cursor:
            cursor.execute("FLUSH TABLES WITH READ LOCK")
            yield
            cursor.execute("UNLOCK TABLES")

    def _isolate(self, node: int, switch: int) -> None:
        self.ask(node, f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={switch}'")

    def status(self, node: int, name: str) -> str:
        """What a node says of itself."""
        rows = self.ask(node, f"SHOW GLOBAL STATUS LIKE '{name}'")
        return str(rows[0][1]) if rows else ""

    def ask(self, node: int, statement: str, database: str | None = None) -> Sequence[tuple[Any, ...]]:
        """The rows that a node gives."""
        with self.connect(node, database) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return tuple(cursor.fetchall())

    def connect(self, node: int, database: str | None = None) -> Any:
        """A connection to one node; the caller closes it."""
        import pymysql  # noqa: PLC0415 - only who asks for this server needs its driver

        port = self.ports[node]
        return pymysql.connect(
            host="127.0.0.1", port=port, user="root", database=database, connect_timeout=10, autocommit=True
        )

    def until(self, is_so: Callable[[], object]) -> None:
        """Waits until it is so."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not is_so():
            if time.monotonic() > deadline:
                raise ServerUnavailableError(f"the cluster did not come to that in {START_TIMEOUT_S:.0f} s")
            time.sleep(0.05)

    def new_database(self) -> str:
        """The URL of a new, empty database through the first node; each node has it."""
        url = super().new_database()
        name = database_of(url)
        for node in range(1, self.nodes):
            self.until(partial(self.ask, node, f"SHOW DATABASES LIKE '{name}'"))
        return url

    def drop_database(self, url: str) -> None:
        """Removes a database, also when connections to it are open on any node."""
        name = database_of(url)
        for node in range(1, self.nodes):
            for (thread,) in self.ask(node, f"SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '{name}'"):
                with suppress(Exception):  # it has left by itself
                    self.ask(node, f"KILL SOFT CONNECTION {int(thread)}")
        super().drop_database(url)


ENGINES[Galera.kind] = Galera
