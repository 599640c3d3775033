"""A server that was killed and begun again gets its clients from their work of before. Needs Flower."""

import _thread
import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("flwr", reason="Flower is not installed; it comes with the extra federated of pneumo-train")

from pneumo_train.config.federation import FederationConfig
from pneumo_train.errors import FederationError
from pneumo_train.federating.flower import hosting, watching
from pneumo_train.federating.flower.attending import attend
from pneumo_train.federating.invitations import hosting_of, invitation_in, invite
from pneumo_train.federating.services import free_port
from pneumo_train.federating.sites import Share
from pneumo_train.federating.values import Answer, Request

pytestmark = [pytest.mark.training, pytest.mark.federated, pytest.mark.filterwarnings("default")]

COUNTS = {"images": 3, "patients": 2, "positives": 1}
SHARE = Share(parts={"train": COUNTS, "validation": COUNTS}, digest="a" * 64)


def attend_apart(invitation: Path, place: Path) -> None:
    """A client in a process of its own, whose work has no end but that nobody wants it."""
    vars(watching)["_LOOK_S"] = 1.0

    def work(_request: Request, is_over: Callable[[], bool]) -> Answer:
        (place / "at work").touch()
        while not is_over():
            time.sleep(0.1)
        (place / "stopped").touch()
        raise FederationError("the server has given up what it had asked")

    attend(invitation_in(invitation), place, work, SHARE.describe(), lambda _text: None)


def test_a_client_leaves_the_work_of_a_run_that_the_server_has_given_up_and_is_there_for_the_next(
    tmp_path: Path,
) -> None:
    invite(tmp_path / "keys", "localhost", free_port(), ["north", "south"])
    clients = []
    for name in ("north", "south"):
        (tmp_path / name).mkdir()
        arguments = (tmp_path / "keys" / "clients" / name, tmp_path / name)
        clients.append(multiprocessing.get_context("spawn").Process(target=attend_apart, args=arguments))
        clients[-1].start()

    def hosted() -> contextlib.AbstractContextManager[hosting.Hosted]:
        return hosting.hosted(hosting_of(tmp_path / "keys"), at_least=2, wait=300, say=lambda _text: None)

    def ask_and_end(made: hosting.Hosted) -> None:
        arrays = {"weight": np.zeros(2, np.float32)}
        request = Request(task="train", round=1, client="north", arrays=arrays, learning_rate=0.1, timeout=3600)
        threading.Thread(target=_interrupt_when, args=(tmp_path / "north" / "at work",), daemon=True).start()
        with made.engine_of(_unused, ["north"], FederationConfig(), frozenset()) as engine:
            engine.ask({"north": request})

    try:
        with pytest.raises(KeyboardInterrupt), hosted() as made:
            ask_and_end(made)
        assert not (tmp_path / "north" / "stopped").exists()

        with hosted() as again:
            assert again.shares == {"north": SHARE, "south": SHARE}
        assert (tmp_path / "north" / "stopped").exists()
    finally:
        for client in clients:
            client.terminate()
            client.join()


def _unused(_request: Request) -> Answer:
    raise AssertionError("it is done with the work that each client has")


def _interrupt_when(path: Path) -> None:
    while not path.exists():
        time.sleep(0.1)
    _thread.interrupt_main()
