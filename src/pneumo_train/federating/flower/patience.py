"""A SuperLink on a busy machine answers now and then that it cannot, and can a moment later: it is asked again."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from flwr.app import Error, Message
from flwr.serverapp import Grid

from pneumo_train.errors import FederationError
from pneumo_train.federating.services import Service

_PATIENCE_S = 600.0
"""With a SuperLink that runs and does not answer: on a machine without a free processor that passes."""
_POLL_S = 0.5


def patiently(call: Callable[[], Any], service: Service) -> Any:
    """What a call gives that may be made twice, and may fail now and then.

    Raises:
        FederationError: it has failed for ten minutes, or the service has ended.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return call()
        except Exception as error:
            end = service.end()
            if end is not None or time.monotonic() > deadline:
                raise FederationError(f"the SuperLink does not answer ({error!r}): {end or service.words()}") from error
            time.sleep(_POLL_S)


class Patient(Grid):  # type: ignore[misc]  # Flower is not installed where types are looked at
    """A grid that asks again."""

    def __init__(self, grid: Grid, service: Service) -> None:
        """Asks another one.

        Args:
            grid: speaks with the SuperLink.
            service: the SuperLink.
        """
        self._grid = grid
        self._service = service

    def set_run(self, run: Any) -> None:
        """As the other."""
        self._grid.set_run(run)

    @property
    def run(self) -> Any:
        """As the other."""
        return self._grid.run

    def create_message(self, *arguments: Any, **keywords: Any) -> Message:
        """As the other."""
        return self._grid.create_message(*arguments, **keywords)

    def get_node_ids(self) -> list[int]:
        """The clients that are connected."""
        return self._asked(lambda: list(self._grid.get_node_ids()))

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        """Sends messages. The id of one goes by what it holds, so one that is sent again is the same, and the SuperLink keeps it once."""
        return self._asked(lambda: list(self._grid.push_messages(messages)))

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        """The answers that are there, each asked for by itself: what becomes of one on its way costs no other."""
        return [message for each in message_ids for message in self._pulled(each)]

    def send_and_receive(self, *arguments: Any, **keywords: Any) -> Any:
        """As the other; it does not ask again."""
        return self._grid.send_and_receive(*arguments, **keywords)

    def _pulled(self, message_id: str) -> list[Message]:
        """One answer. Asking for it takes it out of the SuperLink: if it is lost on its way, what comes next is an error, and says so."""
        lost: list[Exception] = []

        def pull() -> list[Message]:
            try:
                return list(self._grid.pull_messages([message_id]))
            except Exception as error:
                lost.append(error)
                raise

        messages = self._asked(pull)
        for message in messages:
            if lost and message.has_error():
                reason = f"{message.error.reason} (asking for it has failed before: {lost[-1]!r})"
                message.error = Error(message.error.code, reason)
        return messages

    def _asked(self, call: Callable[[], list[Any]]) -> list[Any]:
        made: list[Any] = patiently(call, self._service)
        return made
