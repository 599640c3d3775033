"""A federation in Flower's own simulation engine: real processes, messages and strategies. Needs Flower."""

import dataclasses
import os
import time
from collections.abc import Iterator, Mapping

import numpy as np
import pytest

pytest.importorskip("flwr", reason="Flower is not installed; it comes with the extra federated of pneumo-train")

from pneumo_train.config.federation import federation_of
from pneumo_train.errors import FederationError
from pneumo_train.federating.apart import workplace
from pneumo_train.federating.flower import QUIET
from pneumo_train.federating.flower.engine import FlowerEngine
from pneumo_train.federating.flower.simulation import simulated
from pneumo_train.federating.values import Answer, Arrays, Reply, Request

pytestmark = [pytest.mark.training, pytest.mark.federated, pytest.mark.filterwarnings("default")]

NAMES = ["client-0", "client-1"]
START: Arrays = {"weight": np.zeros((2, 2), np.float32), "running_mean": np.zeros(3, np.float32)}


@dataclasses.dataclass(frozen=True)
class AddTheRound:
    """Weights are the round's number more after training. In some rounds ``client-1`` comes to harm."""

    def __call__(self, request: Request) -> Answer:
        if request.client == "client-1" and request.task == "train":
            if request.round == 2:
                os._exit(9)
            if request.round == 3:
                raise OSError("the disk is full")
            if request.round == 5:
                time.sleep(600)
        step = request.round * (1 if request.client == "client-0" else 3)
        arrays = {name: array + np.float32(step) for name, array in request.arrays.items()}
        return Answer(client=request.client, num_examples=10, metrics={"val_loss": 0.5}, arrays=arrays)


def ask(engine: FlowerEngine, number: int, arrays: Arrays = START, timeout: float = 200) -> Mapping[str, Reply]:
    requests = {
        name: Request(task="train", round=number, client=name, arrays=arrays, learning_rate=0.1, timeout=timeout)
        for name in NAMES
    }
    return engine.ask(requests)


@pytest.fixture(scope="module")
def engine() -> Iterator[FlowerEngine]:
    config = federation_of({"num_clients": 2, "strategy": "fedadam", "server_rate": 0.5})
    with (
        workplace(AddTheRound(), side_by_side=2) as work,
        simulated(work, NAMES, config, trained=frozenset({"weight"}), side_by_side=2, stop=work.stop) as running,
    ):
        yield running


def test_nobody_outside_is_told_anything_and_nothing_is_installed(engine: FlowerEngine) -> None:
    assert {name: os.environ[name] for name in QUIET} == QUIET
    assert engine is not None


def test_adam_steps_weights_and_running_statistics_are_averaged(engine: FlowerEngine) -> None:
    made = engine.aggregate(1, START, ask(engine, 1))

    assert np.allclose(made["running_mean"], 2)  # (1 + 3) / 2
    assert not np.allclose(made["weight"], 2)
    assert {name: array.dtype for name, array in made.items()} == {name: array.dtype for name, array in START.items()}


def test_what_adam_remembers_is_taken_up_and_the_next_round_depends_on_it(engine: FlowerEngine) -> None:
    replies = ask(engine, 1)
    engine.aggregate(1, START, replies)
    remembered = engine.remembered()

    following = engine.aggregate(2, START, replies)
    another = engine.aggregate(2, START, replies)
    engine.remember(remembered)

    assert np.array_equal(engine.aggregate(2, START, replies)["weight"], following["weight"])
    assert not np.array_equal(another["weight"], following["weight"])


HARM = {
    2: ("failed", "its process ended by itself, with exit status 9, without an answer"),
    3: ("failed", "OSError: the disk is full"),
}


@pytest.mark.parametrize("number", HARM)
def test_a_client_that_comes_to_harm_is_told_with_its_reason_and_the_other_answers(
    engine: FlowerEngine, number: int
) -> None:
    replies = ask(engine, number)

    assert (replies["client-1"].status, replies["client-1"].reason) == HARM[number]
    assert replies["client-0"].status == "completed"
    assert {name: reply.status for name, reply in ask(engine, 1).items()} == dict.fromkeys(NAMES, "completed")


def test_a_client_that_takes_longer_than_it_may_is_late_or_stopped_and_the_other_answers(engine: FlowerEngine) -> None:
    replies = ask(engine, 5, timeout=20)

    assert replies["client-1"].status in {"failed", "late"}
    assert "no answer within" in replies["client-1"].reason
    assert replies["client-0"].status == "completed"


def test_a_second_federation_in_the_same_process_is_refused(engine: FlowerEngine) -> None:
    config = federation_of({"num_clients": 2})

    with (
        pytest.raises(FederationError, match="a federation runs in this process already"),
        simulated(AddTheRound(), NAMES, config, trained=frozenset(), side_by_side=1),
    ):
        pass

    assert ask(engine, 1)["client-0"].status == "completed"


def test_a_client_that_is_not_there_is_away(engine: FlowerEngine) -> None:
    request = Request(task="train", round=1, client="client-9", arrays=START, learning_rate=0.1, timeout=60)

    (reply,) = engine.ask({"client-9": request}).values()

    assert reply.status == "away"
