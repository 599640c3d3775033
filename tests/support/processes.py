"""Where servers live on this machine: a state directory, free ports, and processes that never outlive their owner.

Every server process carries the state directory in its command line. A small watcher (:mod:`support.reaper`) holds the
other end of a pipe of the owning process; when the owner ends, in whatever way, the pipe closes and the watcher ends
the servers and removes the directory. So there is one way out for a finished, an interrupted and a killed test run.
"""

import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_UN, flock

STATE_VARIABLE = "RUNSTORE_TEST_SERVERS_DIR"
"""Names the state directory to every child process: they all share the servers of one session."""

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 30.0
_LEAST_TMPFS_BYTES = 2 * 1024**3
_FIRST_PORT, _LAST_PORT = 12_000, 21_999  # below the ephemeral range, also with SeaweedFS's second port 10,000 higher

_started: list[subprocess.Popen[bytes]] = []  # a Popen that is collected while its process runs warns


class ServerUnavailableError(Exception):
    """A server of this kind cannot be had on this machine; the message says why."""


class StateDirectory:
    """A directory for servers, kept alive by this process and removed, with the servers in it, when this one ends."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="runstore-test-", dir=fast_directory()))
        self.path.chmod(0o711)  # a server that refuses root runs as another user, who must pass through
        self._watcher = subprocess.Popen(
            [sys.executable, "-m", "support.reaper", str(self.path)],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            start_new_session=True,
        )
        atexit.register(self.close)

    def close(self) -> None:
        """Ends all servers in the directory and removes it; returns when that is done."""
        if self._watcher.stdin is not None and not self._watcher.stdin.closed:
            self._watcher.stdin.close()
            self._watcher.wait(timeout=STOP_TIMEOUT_S)


_own_state: list[StateDirectory] = []


def state_directory() -> Path:
    """The directory that this process's servers live in: its session's, or a new one of its own."""
    inherited = os.environ.get(STATE_VARIABLE)
    if inherited:
        return Path(inherited)
    if not _own_state:
        _own_state.append(StateDirectory())
    return _own_state[0].path


def fast_directory() -> str:
    """A tmpfs with room, where the machine has one; else the usual temporary directory."""
    shm = Path("/dev/shm")
    if shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free >= _LEAST_TMPFS_BYTES:
        return str(shm)
    return tempfile.gettempdir()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on a file against all processes of this machine."""
    if sys.platform == "win32":
        raise ServerUnavailableError("the tests start no servers on Windows")
    with path.open("a") as file:
        flock(file, LOCK_EX)
        try:
            yield
        finally:
            flock(file, LOCK_UN)


def free_ports(count: int, *, also_higher: int = 0) -> list[int]:
    """Loopback ports that nobody listens on now; with ``also_higher`` the port that much higher is free too.

    No port is given twice in a session: a server that is not up yet, or that a test has stopped to start it again, is not
    there to show that its port is taken.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = random.randint(_FIRST_PORT, _LAST_PORT)
        if _is_free(port) and (not also_higher or _is_free(port + also_higher)) and _is_first_to_take(port):
            ports.append(port)
    return ports


def _is_first_to_take(port: int) -> bool:
    given = state_directory() / "ports"
    given.mkdir(exist_ok=True)
    try:
        (given / str(port)).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def spawn(command: Sequence[str], *, log: Path, user: str | None = None, env: Mapping[str, str] | None = None) -> int:
    """Starts a server process in a session of its own, so that Ctrl-C does not reach it; gives its pid."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env={**os.environ, **(env or {})},
            user=user,
            group=user and _group_of(user),
            extra_groups=[] if user else None,
            start_new_session=True,
        )
    _started.append(process)
    return process.pid


def run_tool(command: Sequence[str], *, log: Path, user: str | None = None) -> None:
    """Runs an installer such as ``initdb`` to its end; its failure becomes ServerUnavailableError with its output."""
    result = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=log.parent,
        user=user,
        group=user and _group_of(user),
        extra_groups=[] if user else None,
        check=False,
    )
    with log.open("ab") as output:
        output.write(result.stdout)
    if result.returncode != 0:
        raise ServerUnavailableError(f"{command[0]} ended with {result.returncode}: {_tail(log)}")


def _group_of(user: str) -> int:
    import pwd  # noqa: PLC0415 - POSIX only, and needed as root only

    return pwd.getpwnam(user).pw_gid


def wait_until_ready(is_ready: Callable[[], bool], *, pids: Sequence[int], log: Path) -> None:
    """Returns once ``is_ready`` gives true without raising.

    Raises:
        ServerUnavailableError: a process ended, or the time is over; holds the end of the log.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    reason: BaseException | None = None
    while time.monotonic() < deadline:
        if not all(is_running(pid) for pid in pids):
            raise ServerUnavailableError(f"the server ended while it was starting: {_tail(log)}")
        try:
            if is_ready():
                return
        except Exception as error:  # noqa: BLE001 - any driver's "not yet"; the last one is reported
            reason = error
        time.sleep(0.05)
    raise ServerUnavailableError(f"not ready after {START_TIMEOUT_S:.0f} s: {_tail(log)}") from reason


def _tail(log: Path, length: int = 800) -> str:
    """The ends of the server's logs: some print to a file beside the given one what matters most."""
    texts = [path.read_text(errors="replace") for path in sorted(log.parent.glob("*.log"))]
    return "\n".join(text[-length:].strip() for text in texts) or "(no log)"


def is_running(pid: int) -> bool:
    """Whether the process still holds its files and ports.

    After SIGKILL the first thread of a process is a zombie at once, while its other threads may still be ending. Only
    the last of them gives up the port and the locks, and a server that is started again before then finds them taken.
    """
    try:
        if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            return True
        return len(list(Path(f"/proc/{pid}/task").iterdir())) > 1
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False


def end(pids: Sequence[int], how: signal.Signals) -> None:
    """Signals the processes, waits for them and their children to go, and kills what does not."""
    family: list[psutil.Process] = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            family += [process, *process.children(recursive=True)]
    targets = family if how is signal.SIGKILL else [process for process in family if process.pid in pids]
    for process in targets:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(how)
    if not _all_gone(family):
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _all_gone(family)


def _all_gone(family: Sequence[psutil.Process]) -> bool:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while time.monotonic() < deadline:
        for child in _started:
            child.poll()  # reaps it, where it is ours: a zombie still counts as a process
        if not any(process.is_running() and is_running(process.pid) for process in family):
            return True
        time.sleep(0.02)
    return False
