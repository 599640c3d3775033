"""The server of a federation over a network waits for its clients, and each says what its films are. Needs Flower."""

import json
import time
from collections.abc import Iterable
from typing import Any

import pytest

pytest.importorskip("flwr", reason="Flower is not installed; it comes with the extra federated of pneumo-train")

from flwr.app import Message
from flwr.supercore.task_identity import TaskIdentity

from pneumo_train.errors import FederationError
from pneumo_train.federating.flower import hosting
from pneumo_train.federating.values import Answer, Request
from support.loopback import Loopback
from support.superlinks import Runs

pytestmark = [pytest.mark.federated, pytest.mark.filterwarnings("default")]

CLIENTS = {1: "anna", 2: "bern", 3: "chur"}
GOOD: dict[str, Any] = {
    "parts": {part: {"images": 10, "patients": 5, "positives": 3} for part in ("train", "validation")},
    "digest": "0" * 64,
}


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_task_id", "_run_id", "_node_id"):
        monkeypatch.setattr(TaskIdentity, name, 1)
    monkeypatch.setattr(hosting, "_POLL_S", 0.01)
    monkeypatch.setattr(hosting, "_AGAIN_S", 0.02, raising=False)


def _never(_request: Request) -> Answer:
    raise AssertionError("nobody is asked to work yet")


class Says(Loopback):
    """One client says something of its own, the others what is good."""

    def __init__(self, *sayings: dict[str, Any]) -> None:
        super().__init__(CLIENTS, _never)
        self._sayings = [*sayings]

    def of_itself(self, client: str) -> dict[str, Any]:
        if client != "bern":
            return {"client": client, "about": json.dumps(GOOD)}
        return self._sayings.pop(0) if len(self._sayings) > 1 else self._sayings[0]


class IsBusy(Says):
    """Two clients are still at the work of a server that is gone, and say nothing."""

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        answers = super().pull_messages(message_ids)
        return [answer for answer in answers if answer.content["config"]["client"] == "anna"]


class LosesTheFirst(Says):
    """What takes the first question to bern goes with it."""

    def __init__(self) -> None:
        super().__init__(_about())
        self._lost: list[str] = []

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        sent = list(messages)
        numbers = super().push_messages(sent)
        if sent[0].metadata.dst_node_id == 2 and not self._lost:
            self._lost = numbers
        return numbers

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        return super().pull_messages(each for each in message_ids if each not in self._lost)


def _about(**parts: dict[str, int]) -> dict[str, Any]:
    return {"client": "bern", "about": json.dumps({**GOOD, "parts": {**GOOD["parts"], **parts}})}


BAD: dict[str, dict[str, Any]] = {
    "one part more": _about(test={"images": 1, "patients": 1, "positives": 1}),
    "more positives than images": _about(train={"images": 10, "patients": 5, "positives": 10_000}),
    "more patients than images": _about(train={"images": 10, "patients": 11, "positives": 3}),
    "more images than there can be": _about(train={"images": 10**30, "patients": 5, "positives": 3}),
    "nothing": {"client": "bern"},
    "no JSON": {"client": "bern", "about": "x" * 5_000},
    "a list": {"client": "bern", "about": "[]"},
}


@pytest.mark.parametrize("kind", BAD)
def test_a_client_whose_word_about_its_films_is_no_good_counts_as_missing_and_the_others_begin(kind: str) -> None:
    said: list[str] = []
    hosted = hosting.Hosted(Says(BAD[kind]), CLIENTS, Runs())

    hosted.gather(at_least=2, wait=0.2, say=said.append)

    assert {name: share.images for name, share in hosted.shares.items()} == {"anna": 20, "bern": 0, "chur": 20}
    (told,) = (line for line in said if "counts as missing" in line)
    assert told.startswith("bern says")
    assert len(told) < 1_100
    assert said[-1] == "begins without bern; who joins later takes part from then on"


def test_a_client_that_is_mended_while_the_server_waits_is_there() -> None:
    said: list[str] = []
    hosted = hosting.Hosted(Says({"client": "bern"}, _about()), CLIENTS, Runs())

    hosted.gather(at_least=3, wait=60, say=said.append)

    assert {name: share.images for name, share in hosted.shares.items()} == {"anna": 20, "bern": 20, "chur": 20}
    assert said[-1] == "bern is here with 20 images"


def test_a_client_that_went_with_the_question_is_asked_again_when_it_is_back() -> None:
    said: list[str] = []
    hosted = hosting.Hosted(LosesTheFirst(), CLIENTS, Runs())

    hosted.gather(at_least=3, wait=60, say=said.append)

    assert sorted(said) == [f"{name} is here with 20 images" for name in ("anna", "bern", "chur")]


def test_with_too_few_good_words_about_films_the_federation_does_not_begin() -> None:
    hosted = hosting.Hosted(Says(BAD["nothing"]), CLIENTS, Runs())

    with pytest.raises(
        FederationError, match=r"2 of 3 clients have joined after 0\.1 s, and 3 are wanted; missing: bern"
    ):
        hosted.gather(at_least=3, wait=0.1, say=lambda _text: None)


def test_clients_that_are_busy_do_not_make_the_server_wait_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = 0.0

    def sleep(seconds: float) -> None:
        nonlocal passed
        passed += max(seconds, 0.1)

    monkeypatch.setattr(time, "monotonic", lambda: passed)
    monkeypatch.setattr(time, "sleep", sleep)
    hosted = hosting.Hosted(IsBusy(_about()), CLIENTS, Runs())

    hosted.gather(at_least=1, wait=5, say=lambda _text: None)

    assert passed == pytest.approx(5, abs=0.3)
    assert {name for name, share in hosted.shares.items() if share.parts} == {"anna"}
