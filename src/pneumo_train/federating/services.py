"""A service of Flower's as a process of this one's: it ends when this one does, however that ends."""

import collections
import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pneumo_train.config.data import CACHE_VARIABLE
from pneumo_train.words import shown

_KEPT = frozenset({
    CACHE_VARIABLE,
    "HOME", "LANG", "LANGUAGE", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ", "USER",
    "VIRTUAL_ENV", "XDG_CACHE_HOME",
})  # fmt: skip
_KEPT_OF = (
    "COVERAGE_", "CUBLAS_", "CUDA_", "CUDNN_", "HIP_", "HSA_", "KMP_", "MKL_", "NVIDIA_", "OMP_", "OPENBLAS_", "PYTORCH_", "ROCR_", "TORCH_",
)  # fmt: skip
"""What another process of a federation gets of this one's environment: where things lie, and how it computes."""

_LAST_LINES = 5
_LONGEST_LINE = 200
_END_S = 20.0


def handed_on() -> dict[str, str]:
    """What another process of a federation gets of this one's environment. The store's URL and passwords are not among it."""
    return {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_OF)}


class Service:
    """A process that serves until it is stopped."""

    def __init__(self, process: subprocess.Popen[str], heard: Callable[[str], None]) -> None:
        """Reads what it says."""
        self._process = process
        self._said: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
        self._reader = threading.Thread(target=self._read, args=(heard,), daemon=True)
        self._reader.start()

    def end(self) -> str | None:
        """How it has ended and the last that it said, or ``None`` while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        self._reader.join(_END_S)
        return f"it ended with {status}; {self.words()}"

    def words(self) -> str:
        """The last that it said."""
        return f"it said last: {' / '.join(self._said) or 'nothing'}"

    def stop(self) -> None:
        """Asks it to end, and sees to it that it does."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # by which it knows
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_END_S)

    def _read(self, heard: Callable[[str], None]) -> None:
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        with self._process.stdout as said:
            for line in said:
                if text := line.strip():
                    self._said.append(shown(text, at_most=_LONGEST_LINE))
                    heard(text)


@contextlib.contextmanager
def running(
    role: str,
    arguments: Mapping[str, object],
    *,
    home: Path,
    variables: Mapping[str, str],
    heard: Callable[[str], None] = lambda _line: None,
) -> Iterator[Service]:
    """A service of Flower's, as long as the block lasts.

    Args:
        role: ``superlink`` or ``supernode``.
        arguments: its options, without dashes; one whose value is ``True`` has none.
        home: a folder of its own.
        variables: of its environment, beside the few that it gets of this process's.
        heard: is called with each line that it says.
    """
    options = [
        text
        for name, value in arguments.items()
        for text in ([f"--{name}"] if value is True else [f"--{name}", str(value)])
    ]
    home.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(  # noqa: S603 - a program of ours, with options that were checked
        [sys.executable, "-m", "pneumo_train.federating.flower.starting", role, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C is for the process that has started it
        env={
            **handed_on(),
            **variables,
            "FLWR_HOME": str(home),
            "PYTHONUNBUFFERED": "1",
        },
    )
    service = Service(process, heard)
    try:
        yield service
    finally:
        service.stop()


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of this machine's own that nobody listens on just now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    return port
