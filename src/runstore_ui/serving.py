"""A server of the page on this machine."""

import asyncio
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Final

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette

from runstore.errors import InvalidValueError
from runstore.opening import Editor, open_editor, open_reader
from runstore.protocol import RunEditor, RunReader
from runstore.secrets import redact
from runstore.settings import load_settings
from runstore_ui.app import make_app
from runstore_ui.security import is_loopback
from runstore_ui.site import Options

DEFAULT_PORT: Final = 8420
_TOKEN_BYTES: Final = 24
_ALL: Final = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
_BACKLOG: Final = 128
_GRACE_S: Final = 1.0
"""So long answers that are on their way may take to end by themselves, when the server is to end."""
_NOTEBOOKS: Final = ("http://localhost:*", "http://127.0.0.1:*", "vscode-webview:")
"""Whose pages may show this one in a frame: notebooks of this machine."""
_LONGEST_S: Final = 5.0
"""So long the end may wait for a database that does not answer. What is asked of it is only read, or is in a transaction."""


class Served(Struct, frozen=True, kw_only=True):
    """Where the page is reached.

    Attributes:
        address: to be opened in a browser, with the token where one is needed.
        may_write: whether who opens it may change runs.
    """

    address: str
    may_write: bool


def serve(  # noqa: PLR0913 - an option each
    url: str | None = None,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    hosts: Sequence[str] = (),
    writes: bool = False,
    when_ready: Callable[[Served], None],
) -> None:
    """Shows a store until the process is stopped.

    Args:
        url: the store's URL, as for :func:`runstore.open_reader`.
        host: the address that is listened at; anything but loopback asks each browser for a token.
        port: ``None`` takes 8420, or where that is taken a free one.
        hosts: names, besides those of loopback, under which the page is reached.
        writes: whether who has the token may change runs.
        when_ready: is told the address once requests are taken.

    Raises:
        InvalidValueError: the port is taken, or the host is none of this machine.
        RunStoreError: the store cannot be opened; as :func:`runstore.open_reader` says.
    """
    if not host:
        raise InvalidValueError(
            "the host is empty; give an address of this machine as --host, or 0.0.0.0 for all of them"
        )
    is_open = not is_loopback(host)
    options = Options(
        shown_url=redact(load_settings(url=url).url or ""),
        hosts=(*hosts, *([_named(host)] if is_open else [])),
        token=secrets.token_urlsafe(_TOKEN_BYTES) if is_open else None,
        write_token=secrets.token_urlsafe(_TOKEN_BYTES) if writes else None,
    )
    editor = _Editor(url)
    with open_reader(url) as reader, closing(editor), _listening(host, port) as listener:
        app = make_app(reader, options, open_editor=editor if writes else None)
        server = _server(app)
        server.longest_s = _LONGEST_S
        when_ready(Served(address=_address(host, listener, options), may_write=writes))
        server.run(sockets=[listener])


class Running(Struct, frozen=True, kw_only=True):
    """A page that is served beside the program that started it.

    Attributes:
        stop: ends it; stopping twice is stopping once.
    """

    address: str
    stop: Callable[[], None]


def start(store: str | RunReader | None = None) -> Running:
    """Serves a store to this machine alone, in a thread, for a frame in a notebook of this machine.

    Args:
        store: its URL, as for :func:`runstore.open_reader`, or an open reader, which stays the caller's.
    """
    ends = ExitStack()
    with ends:
        if store is None or isinstance(store, str):
            shown, reader = redact(load_settings(url=store).url or ""), ends.enter_context(open_reader(store))
        else:
            shown, reader = type(store).__name__, store
        listener = ends.enter_context(_listening("127.0.0.1", 0))
        server = _server(make_app(reader, Options(shown_url=shown, framed_by=_NOTEBOOKS)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="runstore-ui", daemon=True)
        thread.start()
        kept = ends.pop_all()

    def stop() -> None:
        server.should_exit = True
        thread.join()
        kept.close()

    return Running(address=f"http://127.0.0.1:{listener.getsockname()[1]}/", stop=stop)


class _Server(uvicorn.Server):
    """Ends although somebody still downloads: then the connection is cut, and the answer ends as when a browser leaves."""

    longest_s: float | None = None
    """After so long the process is ended; ``None`` for a page that is served beside a program."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes no more requests, and ends those that are being answered."""
        cut = asyncio.get_running_loop().call_later(_GRACE_S, self._cut)
        if self.longest_s is not None:
            end = threading.Timer(self.longest_s, _end)
            end.daemon = True
            end.start()
        try:
            await super().shutdown(sockets)
        finally:
            cut.cancel()

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


def _end() -> None:
    """Ends the process at once: its threads wait for the database, and Python would wait for them."""
    sys.stderr.write("runstore ui: the database does not answer; ended without its answer\n")
    sys.stderr.flush()
    os._exit(1)


def _server(app: Starlette) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            loop="asyncio",
        )
    )


class _Editor:
    """Opens the store at the first change, once: a page in which nobody changes anything holds no second handle."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._editor: Editor | None = None

    def __call__(self) -> RunEditor:
        with self._lock:
            if self._editor is None:
                self._editor = open_editor(self._url)
            return self._editor

    def close(self) -> None:
        with self._lock:
            if self._editor is not None:
                self._editor.close()


def _listening(host: str, port: int | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        try:
            return socket.create_server((host, DEFAULT_PORT if port is None else port), family=family, backlog=_BACKLOG)
        except OSError:
            if port is not None:
                raise
            return socket.create_server((host, 0), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise InvalidValueError(
            f"the page was to be served at {host}, port {DEFAULT_PORT if port is None else port}: {error.strerror or error}; "
            "give another --port, or an address of this machine as --host"
        ) from error


def _named(host: str) -> str:
    """How others reach what listens at an address: where it is all of this machine's, by its name."""
    return socket.gethostname() if host in _ALL else host


def _address(host: str, listener: socket.socket, options: Options) -> str:
    name = _named(host)
    name = f"[{name}]" if ":" in name else name
    token = options.write_token or options.token
    return f"http://{name}:{listener.getsockname()[1]}/{f'?token={token}' if token else ''}"
