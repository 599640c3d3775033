"""Starts a service of Flower's behind a fence: ``python -m pneumo_train.federating.flower.starting superlink OPTIONS``.

It ends when its standard input does: when whoever has started it has ended, however.
"""

import os
import signal
import sys
import threading
import time
from typing import Any

_END_S = 15.0
_LONGEST_PAUSE_S = 4.0
"""From one try of a SuperNode to reach its server to the next, at most. With Flower's own 20 seconds, in which its threads
wait one after the other, it may come too late to a server that was started again.
"""

_OPEN = ("/v1/fleet/", "/health")
"""What clients need of a SuperLink."""


class Fence:
    """Keeps all of a SuperLink but its clients' part for this machine.

    Flower serves three interfaces on one port, and asks for a key at the clients' alone. By the one that controls it, whoever
    reaches the port could register a key, or start a program at every client.
    """

    def __init__(self, app: Any) -> None:
        """Stands before an ASGI application."""
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Lets a request through, or answers 403."""
        if scope["type"] == "lifespan" or _is_open(scope.get("path", "")) or _is_of_this_machine(scope):
            await self._app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"for this machine alone"})


def _is_open(path: str) -> bool:
    return path.startswith(_OPEN[0]) or path == _OPEN[1]


def _is_of_this_machine(scope: Any) -> bool:
    """Whether the request comes from the address that it goes to."""
    client, server = scope.get("client"), scope.get("server")
    return bool(client and server and client[0] == server[0])


def main() -> None:
    """Runs the service until it is asked to end."""
    role, *arguments = sys.argv[1:]
    threading.Thread(target=_end_with_who_started_it, daemon=True).start()
    sys.argv = [f"flower-{role}", *arguments]
    if role == "superlink":
        from flwr.superlink import main as application  # noqa: PLC0415 - slow to import
        from flwr.superlink.cli import flower_superlink  # noqa: PLC0415 - as above

        made = application.create_app

        def fenced(*args: Any, **keywords: Any) -> Any:
            app = made(*args, **keywords)
            app.add_middleware(Fence)
            return app

        application.create_app = fenced
        flower_superlink()
    else:
        from flwr.supernode.cli import flower_supernode  # noqa: PLC0415 - as above

        try_often()
        flower_supernode()


def try_often() -> None:
    """Has what this process tries over and over tried again within seconds."""
    from flwr.supercore.retry import http_retry  # noqa: PLC0415 - slow to import

    http_retry.MAX_RETRY_DELAY = _LONGEST_PAUSE_S


def _end_with_who_started_it() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_END_S)
    os._exit(1)


if __name__ == "__main__":
    main()
