"""One request to an ASGI app, without a server."""

import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import unquote

import anyio


class Answer(NamedTuple):
    """What came back. ``headers`` have names in lower case; of several of one name the last."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(  # noqa: PLR0913 - of a request, and what is expected of it
    app: Any,
    address: str = "/",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    raises: type[Exception] | None = None,
) -> Answer:
    """What an app answers at an address such as ``/?experiment=a``; by default it is asked as ``localhost``.

    Args:
        app: what is asked.
        address: path and query.
        method: the request's.
        headers: besides the host.
        body: what is sent.
        raises: what the app raises once it has answered, for its server to log.
    """
    path, _, query = address.partition("?")
    given = {"host": "localhost:8420", **{name.lower(): value for name, value in (headers or {}).items()}}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8420),
    }
    start: dict[str, Any] = {}
    chunks: list[bytes] = []

    requests = iter([None])

    async def receive() -> dict[str, Any]:
        if next(requests, body) is not None:  # the client stays until it is answered
            await anyio.sleep_forever()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            chunks.append(message.get("body", b""))

    with ThreadPoolExecutor(1) as thread:  # where Playwright is at work, this thread has an event loop already
        ended = thread.submit(anyio.run, app, scope, receive, send)
        with contextlib.suppress(raises) if raises else contextlib.nullcontext():
            ended.result()
    found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(chunks))
