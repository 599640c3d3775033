"""A message of Flower's that is lost on its way costs one client its round, with the reason, and no other. Needs Flower."""

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import pytest

pytest.importorskip("flwr", reason="Flower is not installed; it comes with the extra federated of pneumo-train")

from flwr.app import Error, Message
from flwr.common.constant import ErrorCode
from flwr.supercore.task_identity import TaskIdentity

from pneumo_train.config.federation import federation_of
from pneumo_train.federating.flower import patience
from pneumo_train.federating.flower.engine import FlowerEngine
from pneumo_train.federating.flower.patience import Patient
from pneumo_train.federating.values import Answer, Reply, Request
from support.loopback import Loopback
from support.superlinks import Runs

pytestmark = [pytest.mark.federated, pytest.mark.filterwarnings("default")]

CLIENTS = {1: "anna", 2: "bern", 3: "chur"}
TIMEOUT = 5.0


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_task_id", "_run_id", "_node_id"):
        monkeypatch.setattr(TaskIdentity, name, 1)
    monkeypatch.setattr(patience, "_POLL_S", 0.01)


def work(request: Request) -> Answer:
    return Answer(client=request.client, num_examples=10, metrics={}, arrays=request.arrays)


class Loses(Loopback):
    """As Flower's over HTTP: answers are taken out of the SuperLink by asking, and the way of one of them fails once."""

    def __init__(self, lost: str) -> None:
        super().__init__(CLIENTS, work)
        self._lost = lost
        self._asked: dict[str, Message] = {}
        self._gone: set[str] = set()

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        sent = list(messages)
        numbers = super().push_messages(sent)
        self._asked |= dict(zip(numbers, sent, strict=True))
        return numbers

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        asked = list(message_ids)
        unavailable = [self._unavailable(each) for each in asked if each in self._gone]
        answers = super().pull_messages(asked)
        self._gone |= {answer.metadata.reply_to_message_id for answer in answers}
        for answer in answers:
            if answer.has_content() and answer.content["config"]["client"] == self._lost and "arrays" in answer.content:
                self._lost = ""
                raise OSError("503 for the second part of an answer")
        return unavailable + answers

    def _unavailable(self, number: str) -> Message:
        error = Error(ErrorCode.MESSAGE_UNAVAILABLE, "Requested Message not found")
        return Message(error, reply_to=self._asked[number])


class DoesNotTake(Loopback):
    """Does not take what is sent to one client, and says that in one of Flower's ways."""

    def __init__(self, told: list[Any]) -> None:
        super().__init__(CLIENTS, work)
        self._told = told

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        sent = list(messages)
        if sent[0].metadata.dst_node_id == 2 and sent[0].metadata.message_type == "train":
            return cast("list[str]", self._told)
        return super().push_messages(sent)


def ask(grid: Loopback) -> dict[str, Reply]:
    engine = FlowerEngine(Patient(grid, Runs()), [*CLIENTS.values()], federation_of({}), frozenset({"weight"}))
    request = Request(
        task="train", round=1, client="", arrays={"weight": np.zeros(3, np.float32)}, learning_rate=0.1, timeout=TIMEOUT
    )
    return engine.ask(dict.fromkeys(CLIENTS.values(), request))


def test_an_answer_that_is_lost_on_its_way_has_failed_for_that_reason_and_those_beside_it_are_taken() -> None:
    replies = ask(Loses("bern"))

    assert {name: reply.status for name, reply in replies.items()} == {
        "anna": "completed",
        "bern": "failed",
        "chur": "completed",
    }
    assert "Requested Message not found" in replies["bern"].reason
    assert "OSError('503 for the second part of an answer')" in replies["bern"].reason


@pytest.mark.parametrize("told", [[], [None], [""]], ids=repr)
def test_a_request_that_flower_does_not_take_has_failed_at_once_and_the_others_are_asked(told: list[Any]) -> None:
    replies = ask(DoesNotTake(told))

    assert {name: reply.status for name, reply in replies.items()} == {
        "anna": "completed",
        "bern": "failed",
        "chur": "completed",
    }
    assert "Flower has not taken the request to it" in replies["bern"].reason
