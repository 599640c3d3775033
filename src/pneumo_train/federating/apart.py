"""A client's work in a process of its own: what comes to harm there harms no other client, and its end is known.

A process is forked for each request from one that has imported torch already and has no other thread, so it begins at
once and shares what was imported.
"""

import contextlib
import dataclasses
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import connection

from pneumo_train.errors import FederationError
from pneumo_train.federating.services import handed_on
from pneumo_train.federating.values import Answer, Request, Work
from pneumo_train.processors import processors
from pneumo_train.temporary import own_folder

_GRACE_S = 10.0
_LOOK_S = 0.5
_END_S = 10.0


@contextlib.contextmanager
def workplace(work: Work, *, side_by_side: int, threads: int | None = None) -> Iterator["Apart"]:
    """The same work, each piece of it done in a process of its own on this machine, as long as the block lasts.

    Args:
        work: what clients do; it can be pickled.
        side_by_side: how many will work at once.
        threads: CPU threads that those share; ``OMP_NUM_THREADS``, or as many as there are processors, when not given.

    Raises:
        FederationError: this system cannot fork.
    """
    if sys.platform == "win32":
        raise FederationError("clients are simulated in forked processes, which this system has none of; use Linux")
    with own_folder(for_sockets=True) as folder:
        address = str(folder / "clients")
        process = subprocess.Popen(
            [sys.executable, "-m", "pneumo_train.federating.forking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is the server's; it ends these when it ends
            env={**handed_on(), "OMP_NUM_THREADS": str(max(1, (threads or _threads()) // side_by_side))},
        )
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(pickle.dumps((sys.path, address, pickle.dumps(work))))
            process.stdin.flush()
            if not process.stdout.readline():
                raise FederationError(
                    f"the process that starts the clients' ended with {process.wait()}; see its words above"
                )
            yield Apart(address)
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()  # by which it knows that it is over
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


@dataclasses.dataclass(frozen=True, slots=True)
class Apart:
    """Work that is done in another process.

    Attributes:
        address: of the socket where such processes are asked for.
    """

    address: str

    def stop(self) -> None:
        """Ends all processes that work; nothing can be done any more."""
        with contextlib.suppress(OSError), connection.Client(self.address, "AF_UNIX") as asked:
            asked.send(None)

    def __call__(self, request: Request, is_over: Callable[[], bool] = lambda: False) -> Answer:
        """Has a request done.

        Args:
            request: what is asked.
            is_over: whether nobody wants the answer any more; its process is stopped then.

        Raises:
            FederationError: there is no answer, and why: what the work raised, which signal ended its process, that it took
                longer than the request allows, or that nobody wants it.
        """
        try:
            with connection.Client(self.address, "AF_UNIX") as asked:
                asked.send(request)
                end = time.monotonic() + request.timeout + _GRACE_S
                while not asked.poll(min(_LOOK_S, max(0.0, end - time.monotonic()))):
                    if is_over():
                        raise FederationError("the server has given up what it had asked; the process was stopped")
                    if time.monotonic() >= end:
                        raise FederationError(f"no answer within {request.timeout:g} s")
                answer = asked.recv()
        except (EOFError, OSError) as error:
            raise FederationError(f"the process that starts the clients' is gone ({error!r})") from error
        if isinstance(answer, Answer):
            return answer
        raise FederationError(str(answer))


def _threads() -> int:
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) else processors()
