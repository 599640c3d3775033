"""An app whose answers are held back, so that a test can do something while one is under way."""

import threading
from typing import Any

import anyio.to_thread

from support.waiting import wait_until


class Held:
    """Stands in front of an ASGI app. What is asked of it while it holds is answered when it lets go."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._is_open = threading.Event()
        self._is_open.set()
        self.waiting: list[str] = []
        """Method and path of each request that was held back."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not self._is_open.is_set():
            self.waiting.append(f"{scope['method']} {scope['path']}")
            await anyio.to_thread.run_sync(self._is_open.wait, 60.0)
        await self._app(scope, receive, send)

    def hold(self) -> None:
        """From now on nothing is answered."""
        self.waiting.clear()
        self._is_open.clear()

    def let_go(self) -> None:
        """Answers what waits, and what comes."""
        self._is_open.set()

    def wait_for_a_request(self) -> None:
        """Returns once a request waits."""
        wait_until(lambda: self.waiting, "a request of the page", pause_s=0.01)
