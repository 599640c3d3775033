"""PgBouncer in front of a test's PostgreSQL."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from support.processes import ServerUnavailableError, end, free_ports, spawn, state_directory, wait_until_ready


@contextmanager
def pooled(url: str, *, mode: str = "transaction", more: str = "") -> Iterator[str]:
    """The URL of the same PostgreSQL database behind a pooler, which has two sessions for all transactions.

    Args:
        url: the database's.
        mode: ``session``, ``transaction`` or ``statement``.
        more: further lines of its settings.

    Raises:
        ServerUnavailableError: this machine has no PgBouncer.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise ServerUnavailableError("no pgbouncer; install pgbouncer")
    parts = urlsplit(url)
    (port,) = free_ports(1)
    folder = state_directory() / f"pgbouncer-{port}"
    folder.mkdir(mode=0o755)
    settings = folder / "settings.ini"
    settings.write_text(
        f"[databases]\n* = host={parts.hostname} port={parts.port} user={parts.username}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = {mode}\ndefault_pool_size = {2 if mode == 'transaction' else 20}\nserver_login_retry = 1\n{more}"
    )
    pid = spawn([program, str(settings)], log=folder / "log", user="nobody" if os.geteuid() == 0 else None)
    through = urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}"))

    def answers() -> bool:
        import psycopg  # noqa: PLC0415 - only who asks for this needs the driver

        psycopg.connect(through, connect_timeout=5, prepare_threshold=None).close()
        return True

    try:
        wait_until_ready(answers, pids=[pid], log=folder / "log")
        yield through
    finally:
        end([pid], signal.SIGTERM)
        shutil.rmtree(folder, ignore_errors=True)
