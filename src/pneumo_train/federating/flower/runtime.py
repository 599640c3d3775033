"""The interface by which a service of Flower's gives work away: to this process, which stands for Flower's own programs.

Those would run whatever program came with the federation. This one runs what is installed here.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flwr.proto.runtime_pb2 import AcquireTaskRequest, SendTaskHeartbeatRequest
from flwr.supercore.interceptors import (
    RuntimeTokenHttpInterceptor,
    RuntimeVersionHttpInterceptor,
    SuperExecAuthHttpInterceptor,
)
from flwr.supercore.runtime import RuntimeHttpClient

_BEAT_S = 10.0
_PROTECTED = ("/flwr.proto.Runtime/AcquireTask",)


Take = Callable[[str], str | None]
"""Takes the oldest piece of work of a kind, as Flower calls the program for it: the token for it, or ``None`` if there is none."""


@contextlib.contextmanager
def taking(address: str, authority: Path | None, secret: bytes) -> Iterator[Take]:
    """A service that gives work away, as long as the block lasts.

    Args:
        address: of the service.
        authority: what has signed its certificate; without one the connection is not encrypted, and of this machine.
        secret: that the service knows, too.
    """
    guard = SuperExecAuthHttpInterceptor(master_secret=secret, protected_methods=_PROTECTED)
    with _client(address, authority, guard) as client:

        def take(kind: str) -> str | None:
            return client.AcquireTask(AcquireTaskRequest(supported_task_types=[kind])).token or None

        yield take


@contextlib.contextmanager
def beating(client: Any) -> Iterator[None]:
    """Tells the service that somebody works, as long as the block lasts."""
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(_BEAT_S):
            with contextlib.suppress(Exception):  # whoever works will meet it, too
                client.SendTaskHeartbeat(SendTaskHeartbeatRequest())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextlib.contextmanager
def at_work(address: str, authority: Path | None, token: str) -> Iterator[RuntimeHttpClient]:
    """The service as whoever has a token for a piece of work sees it."""
    with _client(address, authority, RuntimeTokenHttpInterceptor(token)) as client, beating(client):
        yield client


@contextlib.contextmanager
def _client(address: str, authority: Path | None, guard: Any) -> Iterator[RuntimeHttpClient]:
    client = RuntimeHttpClient.from_server_address(
        server_address=address,
        insecure=authority is None,
        root_certificates=None if authority is None else authority.read_bytes(),
        interceptors=[RuntimeVersionHttpInterceptor(component_name="SuperExec"), guard],
    )
    try:
        yield client
    finally:
        client.close()
