"""An engine that asks clients one after another in this process: the real work, without messages."""

import contextlib
import dataclasses
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np

from pneumo_train.config.federation import FederationConfig, federation_of
from pneumo_train.config.settings import TrainConfig
from pneumo_train.federating.values import Answer, Arrays, Engine, Reply, Request, Work
from pneumo_train.preparing.reading import read_source
from runstore import Store
from runstore.training import RunSession

if TYPE_CHECKING:
    from pneumo_train.federating.result import FederationResult

SMALL: dict[str, object] = {"model.architecture": "small", "evaluation.bootstrap_draws": 20}
"""What of a configuration makes a round take a moment."""


@dataclasses.dataclass(frozen=True)
class InProcess:
    """Asks by calling, and averages by images.

    Attributes:
        work: what each client does; what it raises is why the client failed.
    """

    work: Callable[[Request], Answer]

    def ask(self, requests: Mapping[str, Request]) -> dict[str, Reply]:
        return {name: self._ask(request) for name, request in requests.items()}

    def aggregate(self, number: int, arrays: Arrays, replies: Mapping[str, Reply]) -> Arrays:  # noqa: ARG002 - as above
        answers = [reply.answer for reply in replies.values() if reply.answer is not None]
        weights = [answer.num_examples for answer in answers]
        return {
            name: np.average([answer.arrays[name] for answer in answers], axis=0, weights=weights).astype(array.dtype)
            for name, array in arrays.items()
        }

    def remembered(self) -> dict[str, Arrays]:
        return {}

    def remember(self, arrays: Mapping[str, Arrays]) -> None:
        assert not arrays

    def _ask(self, request: Request) -> Reply:
        started_at = datetime.now(UTC)
        try:
            answer = self.work(request)
        except Exception as error:  # noqa: BLE001 - whatever a client raises is its own failure
            ended_at = datetime.now(UTC)
            return Reply(
                client=request.client, status="failed", reason=str(error), started_at=started_at, ended_at=ended_at
            )
        return Reply(
            client=request.client, status="completed", answer=answer, started_at=started_at, ended_at=datetime.now(UTC)
        )


MOMENTS = ("beginning", "reading", "training", "answering", "looking")
"""Of a client's work in a round, in their order."""


@dataclasses.dataclass(frozen=True)
class Dies:
    """Work during which one client's process is killed, at the moment of each round that has one.

    Attributes:
        work: what is done otherwise.
        client: who dies.
        moments: by round.
    """

    work: Callable[[Request], Answer]
    client: str
    moments: Mapping[int, str]

    def __call__(self, request: Request) -> Answer:
        moment = self.moments.get(request.round)
        if request.client != self.client or moment is None:
            return self.work(request)
        if moment == "looking":
            if request.task == "evaluate":
                _die()
            return self.work(request)
        if moment == "beginning":
            _die()
        # What is replaced here is so in a process of one request, which does not live to give it back.
        if moment == "reading":
            import pneumo_train.federating.client as of_client  # noqa: PLC0415 - it brings torch

            vars(of_client)["read_plan"] = lambda _path: _die()
        if moment == "training":
            from pneumo_train.network.classifier import LitClassifier  # noqa: PLC0415 - as above

            LitClassifier.optimizer_step = lambda *_, **__: _die()  # type: ignore[method-assign]
        answer = self.work(request)
        return dataclasses.replace(answer, arrays={**answer.arrays, "last": cast("Any", _DeadlyToSend())})


class _DeadlyToSend:
    def __reduce__(self) -> NoReturn:
        _die()


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process goes on")


def lead_two(  # noqa: PLR0913 - what a federation can meet
    store: Store,
    config: TrainConfig,
    source: Path,
    folder: Path,
    meddle: Callable[[Request], None] = lambda _request: None,
    *,
    watch: Callable[[Request, Answer], None] = lambda _request, _answer: None,
    place: Callable[[Work], AbstractContextManager[Work]] = contextlib.nullcontext,
    run_id: str = "together",
    resume: bool = False,
    **values: Any,
) -> "FederationResult":
    """Leads a federation of two clients over two rounds.

    Args:
        store: keeps it.
        config: of the training.
        source: of the films.
        folder: for checkpoints.
        meddle: is called before each piece of a client's work.
        watch: is called after it.
        place: where the work is done; in this process.
        run_id: of the federation.
        resume: whether to go on with it.
        values: keys of the federation.
    """
    from pneumo_train.federating.leading import Federation  # noqa: PLC0415 - it brings torch

    @contextlib.contextmanager
    def engine_of(work: Work, _names: list[str], _config: FederationConfig, _trained: object) -> Iterator[Engine]:
        with place(work) as placed:

            def meddled(request: Request) -> Answer:
                meddle(request)
                answer = placed(request)
                watch(request, answer)
                return answer

            yield InProcess(meddled)

    with read_source(source, config) as reading:
        return Federation(
            reading=reading,
            federation=federation_of({"num_clients": 2, "num_rounds": 2, **values}),
            session=RunSession(store, experiment="federation", run_id=run_id, training_mode="federated"),
            run_id=run_id,
            may_exist=True,
            resume=resume,
            checkpoint_dir=folder,
            engine_of=engine_of,
            progress=False,
        ).lead("federation", folder)
