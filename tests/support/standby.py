"""A streaming replica of a test's PostgreSQL."""

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.engines import PostgreSQL, Server
from support.processes import START_TIMEOUT_S, ServerUnavailableError, free_ports, run_tool, state_directory
from support.waiting import wait_until


class Standby(PostgreSQL):
    """It plays what its primary has written, and can be read meanwhile."""

    def __init__(self, root: Path, primary: Server) -> None:
        super().__init__(root, durable=False)
        self._primary = primary

    def install(self) -> None:
        programs = self._find_programs()
        self.ports = free_ports(1)
        if self._user:
            shutil.chown(self.root, self._user)
        command = [str(programs / "pg_basebackup"), "-D", str(self.root / "data"), "--write-recovery-conf", "--no-sync"]
        command += ["--checkpoint=fast", "--dbname", f"{self._primary.url}/postgres"]
        run_tool(command, log=self.log, user=self._user)

    def wait(self) -> None:
        """Returns once it has played all that its primary has written until now."""
        written = self.ask(self._primary, "SELECT pg_current_wal_flush_lsn()")
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.ask(self, f"SELECT pg_last_wal_replay_lsn() >= '{written}'::pg_lsn"):
            if time.monotonic() > deadline:
                raise ServerUnavailableError(f"the replica does not follow its primary: {self.log.read_text()[-800:]}")
            time.sleep(0.02)

    def stop_receiving(self) -> None:
        """Gets nothing any more of what its primary writes."""
        self.ask(self, "ALTER SYSTEM SET primary_conninfo = ''")
        self.ask(self, "SELECT pg_reload_conf()")
        receivers = "SELECT count(*) FROM pg_stat_wal_receiver"
        wait_until(lambda: not self.ask(self, receivers), "the replica to receive nothing any more", pause_s=0.02)

    def promote(self) -> None:
        """Makes a primary of it."""
        self.ask(self, "SELECT pg_promote()")

    @staticmethod
    def ask(server: Server, question: str) -> Any:
        """The one answer of a server to a question."""
        import psycopg  # noqa: PLC0415 - only who asks for this needs the driver

        with psycopg.connect(f"{server.url}/postgres", autocommit=True, connect_timeout=10) as connection:
            cursor = connection.execute(question.encode())
            row = cursor.fetchone() if cursor.description else None
            return row and row[0]


@contextmanager
def standby(primary: Server) -> Iterator[Standby]:
    """A replica that follows a server of the caller's own.

    Raises:
        ServerUnavailableError: this machine has no ``pg_basebackup``; some wheels leave it out.
    """
    root = state_directory() / f"standby-{secrets.token_hex(4)}"
    root.mkdir(mode=0o755)
    replica = Standby(root, primary)
    try:
        replica.install()
        replica.start()
        yield replica
    finally:
        replica.dispose()
