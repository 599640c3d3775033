"""The process that forks one for each piece of a client's work: ``python -m pneumo_train.federating.forking``.

Of itself it imports and does nothing but that. It ends when its standard input does: when the server has ended, however.
"""

import contextlib
import os
import pickle
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe, wait
from typing import IO, NoReturn

from pneumo_train.errors import PneumoTrainError
from pneumo_train.federating.values import Answer, Request, Work

assert sys.platform != "win32"  # noqa: S101 - who starts this has looked

_BACKLOG = 1024
_LAST_WORDS = 300


def main() -> None:
    """Listens, imports what the work needs, and forks for whoever connects."""
    sys.path[:], address, pickled = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(_BACKLOG)
        print("listening", flush=True)  # noqa: T201 - for the process that started this one
        work = pickle.loads(pickled)  # noqa: S301 - as above; what it needs is imported here, once for all
        while True:
            ready, _, _ = select.select([listening, sys.stdin], [], [])
            if sys.stdin in ready:
                _end()
            _reap()
            connected, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _in_child(_attend, Connection(connected.detach()), work)
            connected.close()


def _end() -> NoReturn:
    """Ends this process, and all that it has forked."""
    os.killpg(0, signal.SIGKILL)
    raise AssertionError("a killed process goes on")


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _in_child(do: Callable[..., None], *arguments: object) -> NoReturn:
    """What a forked process does; nothing of its parent's is tidied up in it."""
    status = 1
    try:
        do(*arguments)
        status = 0
    finally:
        os._exit(status)


def _attend(connection: Connection, work: Work) -> None:
    """Has one request done by a process of its own, and tells its answer, or why there is none."""
    request = connection.recv()
    if request is None:
        _end()
    reading, writing = Pipe(duplex=False)
    with tempfile.TemporaryFile() as said:
        worker = os.fork()
        if not worker:
            reading.close()
            connection.close()
            _in_child(_work, work, request, writing, said)
        writing.close()
        # What comes on the connection is its end: whoever has asked has gone.
        ready = wait([reading, connection], timeout=request.timeout)
        told: Answer | str | None = None
        if reading in ready:
            with contextlib.suppress(EOFError, OSError):  # it died, perhaps in the middle of its answer
                told = reading.recv()
        if told is None and reading not in ready:
            told = f"no answer within {request.timeout:g} s; its process was stopped"
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        _, status = os.waitpid(worker, 0)
        with contextlib.suppress(OSError):
            connection.send(_end_of(status, said) if told is None else told)


def _work(work: Work, request: Request, writing: Connection, said: IO[bytes]) -> None:
    for output in (1, 2):
        os.dup2(said.fileno(), output)
    answer: Answer | str
    try:
        answer = work(request)
    except PneumoTrainError as error:
        answer = str(error)
    except BaseException as error:  # noqa: BLE001 - whatever a client raises is its own failure
        answer = f"{type(error).__name__}: {error}"
    writing.send(answer)


def _end_of(status: int, said: IO[bytes]) -> str:
    """How a process has ended that has not answered, and the last that it said."""
    code = os.waitstatus_to_exitcode(status)
    end = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended by itself, with exit status {code}"
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _LAST_WORDS))
    words = " ".join(said.read().decode(errors="replace").split())
    return f"its process {end}, without an answer" + (f"; it said last: {words}" if words else "")


if __name__ == "__main__":
    main()
