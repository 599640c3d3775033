"""A TCP proxy that breaks connections on purpose, for harnesses of database servers.

A store that is opened through it meets what a network does: every connection dropped, a server that is away, a
connection that breaks before a request arrives or after it arrived and before the answer is back.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

_CHUNK = 2**16


class FaultProxy:
    """Forwards a port of this machine to a server's, until told otherwise. Threads of its own; closed by ``close``.

    A *round trip* is one or more writes of the client, answered by the server. Traffic for which ``is_noise`` holds
    (a driver's own heartbeat) is neither counted nor cut.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        is_noise: Callable[[bytes], bool] = lambda data: False,  # noqa: ARG005 - named
    ) -> None:
        self._target = (host, port)
        self._is_noise = is_noise
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._is_away = False
        self._half_trips_left: int | None = None
        self._was_cut = False
        self._round_trips = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True, name=f"proxy-{self.port}").start()

    def drop(self) -> None:
        """Closes every connection there is; new ones are let through."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            _close(*pair)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Inside the block nothing gets through, as if the server were down."""
        self._is_away = True
        self.drop()
        try:
            yield
        finally:
            self._is_away = False

    @contextmanager
    def cut_after(self, half_trips: int) -> Iterator[Callable[[], bool]]:
        """Inside the block, lets this many halves of round trips through (a request, its answer, ...) and no more.

        An odd number is a lost answer: the server has done what was asked. Yields a call that says whether anything
        was cut.
        """
        self._was_cut = False
        self._half_trips_left = half_trips
        try:
            yield lambda: self._was_cut
        finally:
            self._half_trips_left = None

    @contextmanager
    def counted(self) -> Iterator[Callable[[], int]]:
        """Yields a call that says how many round trips there were since entry."""
        before = self._round_trips
        yield lambda: self._round_trips - before

    def close(self) -> None:
        """Closes the port and every connection."""
        self._is_away = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def __enter__(self) -> Self:
        """The proxy itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_away or self._half_trips_left == 0:
                self._was_cut = True
                _close(client)
                continue
            try:
                server = socket.create_connection(self._target)
            except OSError:
                _close(client)
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _Conversation(self, client, server).begin()

    def _admit(self, *, begins_half: bool) -> bool:
        """Whether the next piece may pass; counts a half of a round trip when one begins."""
        with self._lock:
            if self._half_trips_left is None or not begins_half:
                return not (self._half_trips_left == 0 and self._was_cut)
            if self._half_trips_left == 0:
                self._was_cut = True
                return False
            self._half_trips_left -= 1
            return True


class _Conversation:
    """One connection: two threads, one for each direction."""

    def __init__(self, proxy: FaultProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._is_asking = False
        self._is_noise = False

    def begin(self) -> None:
        with self._proxy._lock:  # noqa: SLF001 - one module, one thing
            self._proxy._pairs.add((self._client, self._server))  # noqa: SLF001 - as above
        for source, target, of_client in ((self._client, self._server, True), (self._server, self._client, False)):
            threading.Thread(target=self._pump, args=(source, target, of_client), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, of_client: bool) -> None:  # noqa: FBT001 - a thread's
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                begins_half = self._is_asking != of_client
                self._is_asking = of_client
                if of_client and begins_half:
                    self._is_noise = self._proxy._is_noise(data)  # noqa: SLF001 - as above
                if not self._is_noise:
                    if not self._proxy._admit(begins_half=begins_half):  # noqa: SLF001 - as above
                        break
                    if of_client and begins_half:
                        self._proxy._round_trips += 1  # noqa: SLF001 - as above
                target.sendall(data)
        with self._proxy._lock:  # noqa: SLF001 - as above
            self._proxy._pairs.discard((self._client, self._server))  # noqa: SLF001 - as above
        _close(source, target)


def _close(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
