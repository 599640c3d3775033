"""The proxy that breaks connections for the kit's fault tests breaks them where it says."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from runstore.testing.proxy import FaultProxy


@pytest.fixture
def echo() -> Iterator[tuple[int, list[bytes]]]:
    """The port of a server that answers every request with itself, and what it was asked."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(client: socket.socket) -> None:
        with client, suppress(OSError):
            while data := client.recv(100):
                asked.append(data)
                client.sendall(data)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=answer, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1], asked
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def ask(client: socket.socket, text: bytes) -> bytes:
    """The answer, empty when the connection was cut."""
    try:
        client.sendall(text)
        return client.recv(100)
    except ConnectionError:
        return b""


def test_round_trips_are_forwarded_and_counted(echo: tuple[int, list[bytes]]) -> None:
    with FaultProxy("127.0.0.1", echo[0]) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as client:
        with proxy.counted() as trips:
            answers = [ask(client, b"one"), ask(client, b"two")]

        assert (answers, trips()) == ([b"one", b"two"], 2)


def test_an_even_cut_stops_the_request_and_an_odd_one_its_answer(echo: tuple[int, list[bytes]]) -> None:
    port, asked = echo
    for half_trips, reaches_server in ((0, []), (1, [b"one"]), (2, [b"one"]), (3, [b"one", b"two"])):
        asked.clear()
        with FaultProxy("127.0.0.1", port) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as client:
            with proxy.cut_after(half_trips) as was_cut:
                answers = [ask(client, b"one"), ask(client, b"two")]
                assert was_cut()

            assert [each for each in answers if each] == [b"one", b"two"][: half_trips // 2]
            assert asked == reaches_server


def test_what_is_dropped_or_away_comes_back(echo: tuple[int, list[bytes]]) -> None:
    with FaultProxy("127.0.0.1", echo[0]) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            assert ask(client, b"one") == b"one"
            proxy.drop()
            assert ask(client, b"two") == b""
        with proxy.away(), socket.create_connection(("127.0.0.1", proxy.port)) as client:
            assert ask(client, b"three") == b""
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            assert ask(client, b"four") == b"four"
