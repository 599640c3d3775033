"""How many clients of a simulation work at once. Needs Flower."""

import os
import threading

import numpy as np
import pytest

pytest.importorskip("flwr", reason="Flower is not installed; it comes with the extra federated of pneumo-train")

from pneumo_train.config.federation import federation_of
from pneumo_train.errors import ConfigError
from pneumo_train.federated import FederatedTrainer
from pneumo_train.federating.flower.simulation import simulated
from pneumo_train.federating.values import Answer, Request

pytestmark = [pytest.mark.training, pytest.mark.federated, pytest.mark.filterwarnings("default")]

MORE_THAN_FLOWER_TAKES = min(32, (os.cpu_count() or 1) + 4) + 2
WAIT_S = 60


def test_as_many_clients_work_at_once_as_were_wanted() -> None:
    names = [f"client-{number:02}" for number in range(MORE_THAN_FLOWER_TAKES)]
    config = federation_of({"num_clients": len(names)})
    all_at_work = threading.Barrier(len(names))

    def work(request: Request) -> Answer:
        all_at_work.wait(WAIT_S)
        return Answer(client=request.client, num_examples=1, metrics={}, arrays=request.arrays)

    arrays = {"weight": np.zeros(2, np.float32)}
    requests = {
        name: Request(task="train", round=1, client=name, arrays=arrays, learning_rate=0.1, timeout=2 * WAIT_S)
        for name in names
    }
    with simulated(work, names, config, trained=frozenset({"weight"}), side_by_side=len(names)) as engine:
        replies = engine.ask(requests)

    assert {reply.status for reply in replies.values()} == {"completed"}


@pytest.mark.parametrize("count", [0, -1])
def test_that_nobody_works_is_refused_at_once(count: int) -> None:
    with pytest.raises(ConfigError, match=f"side_by_side = {count}: wanted how many clients work at once, 1 or more"):
        FederatedTrainer(side_by_side=count)
