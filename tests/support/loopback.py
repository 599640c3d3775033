"""A grid of Flower's without a network: each message is answered in this process as it is sent. Needs Flower."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flwr.app import ConfigRecord, Message, MessageType, RecordDict
from flwr.serverapp import Grid

from pneumo_train.federating.flower.engine import answer_to
from pneumo_train.federating.values import Work

Spoil = Callable[[Message, Message], Message]
"""Makes another answer of one: it gets the question, too."""


class Loopback(Grid):  # type: ignore[misc]  # Flower is not installed where types are looked at
    """Has the work done when it is sent, and gives its answer when it is asked for it."""

    def __init__(self, clients: Mapping[int, str], work: Work, spoil: Spoil = lambda _asked, answer: answer) -> None:
        """Has asked nobody yet.

        Args:
            clients: the name of each, by its node.
            work: what each does.
            spoil: makes of an answer what is sent.
        """
        self._clients = clients
        self._work = work
        self._spoil = spoil
        self._ids = itertools.count(1)
        self._answers: dict[str, Message] = {}

    def get_node_ids(self) -> list[int]:
        return list(self._clients)

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        return [self._push(message) for message in messages]

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        return [self._answers.pop(each) for each in message_ids if each in self._answers]

    def of_itself(self, client: str) -> dict[str, Any]:
        """What a client says when it is asked who it is."""
        return {"client": client}

    def _push(self, message: Message) -> str:
        number = f"message {next(self._ids)}"
        vars(message.metadata)["_message_id"] = number
        client = self._clients[message.metadata.dst_node_id]
        if message.metadata.message_type == MessageType.QUERY:
            answer = Message(RecordDict({"config": ConfigRecord(self.of_itself(client))}), reply_to=message)
        else:
            answer = self._spoil(message, answer_to(message, client, self._work, 60.0))
        self._answers[number] = answer
        return number

    def set_run(self, run: Any) -> None:
        raise NotImplementedError

    @property
    def run(self) -> Any:
        raise NotImplementedError

    def create_message(self, *arguments: Any, **keywords: Any) -> Message:
        raise NotImplementedError

    def send_and_receive(self, *arguments: Any, **keywords: Any) -> Any:
        raise NotImplementedError
