"""The one file that knows Flower: its simulation engine as an :class:`~pneumo_train.federating.values.Engine`.

Flower carries messages and makes one set of weights of many. Its own loop of rounds is not used: it goes on without a
word when nobody has answered, ends the program over one bad answer, and waits without an end for clients that are gone.
"""

import contextlib
import logging
import os
import queue
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pneumo_train.config.federation import FederationConfig
from pneumo_train.errors import FederationError
from pneumo_train.federating.values import Answer, Arrays, Reply, Request, Work
from pneumo_train.temporary import own_folder

QUIET = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_DISABLE_UPDATE_CHECK": "1",
    "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
}
"""No word to anybody outside, and nothing installed at run time. Flower reads these when it is imported."""

os.environ |= QUIET

from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MessageType, MetricRecord, RecordDict  # noqa: E402
from flwr.clientapp import ClientApp  # noqa: E402
from flwr.server.superlink.fleet.vce.backend import Backend  # noqa: E402
from flwr.serverapp import Grid, ServerApp  # noqa: E402
from flwr.serverapp.strategy import FedAdam, FedAvg, FedProx  # noqa: E402
from flwr.simulation import run_simulation  # noqa: E402

_running = threading.Lock()
"""Held by the one simulation engine of this process."""

_POLL_S = 0.05

_MEANS = ("m_t", "v_t")
"""What Flower's FedAdam keeps from round to round."""
_START_S = 300.0
_RAY_BACKEND = "flwr.server.superlink.fleet.vce.backend.raybackend"
_END_S = 60.0
_WHO_S = 10.0
_MAX_REASON = 500


@contextlib.contextmanager
def simulated(  # noqa: PLR0913 - keyword-only
    work: Work,
    names: list[str],
    config: FederationConfig,
    *,
    trained: frozenset[str],
    side_by_side: int,
    stop: Callable[[], None] = lambda: None,
) -> Iterator["FlowerEngine"]:
    """Flower's simulation engine, as long as the block lasts, on this machine and with nothing that runs there already.

    It lies in this process, has a folder of its own, opens no port, and does not look for other engines of Flower's or Ray's.

    Args:
        work: what every client does.
        names: of the clients; that of each is its place in this list, which Flower calls its partition.
        config: the strategy.
        trained: which arrays are weights that are trained.
        side_by_side: how many clients work at once.
        stop: ends what is being done when the block is left.

    Raises:
        FederationError: the engine does not start, or this process runs one already.
    """
    if not _running.acquire(blocking=False):
        raise FederationError(
            "a federation runs in this process already, and a process has one simulation engine; wait for its end, or "
            "start this one in a process of its own"
        )
    try:
        with (
            own_folder(for_sockets=True) as folder,
            _home(folder),
            _in_threads(side_by_side),
            _started(work, names, stop) as grid,
        ):
            engine = FlowerEngine(grid, names, config, trained)
            engine.gather(_START_S)
            yield engine
    finally:
        _running.release()


@contextlib.contextmanager
def _home(folder: Path) -> Iterator[None]:
    """Flower's files lie in this folder for as long as the block lasts."""
    before = os.environ.get("FLWR_HOME")
    os.environ["FLWR_HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["FLWR_HOME"]
        else:
            os.environ["FLWR_HOME"] = before


class _Threads(Backend):  # type: ignore[misc]  # Flower is not installed where types are looked at
    """What Flower runs a client's app in: a thread that waits for the client's own process.

    Flower brings one such backend, on Ray: 185 MB, half a minute's start, and processes that serve many clients. It is not needed
    where the work is done apart anyway.
    """

    side_by_side = 1

    def build(self, app_fn: Callable[[], ClientApp]) -> None:
        self._app = app_fn()

    @property
    def num_workers(self) -> int:
        return self.side_by_side

    def is_worker_idle(self) -> bool:
        return True

    def process_message(self, message: Message, context: Context) -> tuple[Message, Context]:
        return self._app(message=message, context=context), context

    def terminate(self) -> None:
        pass


@contextlib.contextmanager
def _in_threads(count: int) -> Iterator[None]:
    """Flower takes so many threads for Ray, the one backend that it knows, for as long as the block lasts."""
    found = ModuleType(_RAY_BACKEND)
    vars(found)["RayBackend"] = type("RayBackend", (_Threads,), {"side_by_side": count})
    before = sys.modules.get(_RAY_BACKEND)
    sys.modules[_RAY_BACKEND] = found
    try:
        yield
    finally:
        del sys.modules[_RAY_BACKEND]
        if before is not None:
            sys.modules[_RAY_BACKEND] = before


@contextlib.contextmanager
def _started(work: Work, names: list[str], stop: Callable[[], None]) -> Iterator[Grid]:
    """The engine's grid, which its thread gives when it has started."""
    grids: queue.Queue[Grid | BaseException] = queue.Queue()
    is_over = threading.Event()
    server = ServerApp()

    def main(grid: Grid, context: Context) -> None:  # noqa: ARG001 - Flower's signature
        grids.put(grid)
        is_over.wait()

    server.main()(main)

    def run() -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run_simulation(
                    server_app=server,
                    client_app=client_app(work, names),
                    num_supernodes=len(names),
                    backend_name="threads",
                )
        except BaseException as error:  # noqa: BLE001 - it is told in the thread that waits for it
            grids.put(error)

    logging.getLogger("flwr").setLevel(logging.CRITICAL)
    thread = threading.Thread(target=run, name="flower", daemon=True)
    thread.start()
    try:
        try:
            grid = grids.get(timeout=_START_S)
        except queue.Empty:
            raise FederationError(
                f"Flower's simulation engine has not started within {_START_S:g} s; look whether this machine is too busy"
            ) from None
        if isinstance(grid, BaseException):
            raise FederationError(f"Flower's simulation engine does not start: {grid}") from grid
        yield grid
    finally:
        is_over.set()
        stop()
        thread.join(_END_S)


def client_app(work: Work, names: list[str]) -> ClientApp:
    """What Flower starts for a client."""
    app = ClientApp()

    def act(message: Message, context: Context) -> Message:
        told, partition = message.content["config"], int(context.node_config["partition-id"])
        request = Request(
            task=told["task"],
            round=told["round"],
            client=names[partition],
            arrays={name: array.numpy() for name, array in message.content["arrays"].items()},
            learning_rate=told["learning-rate"],
            # It may have waited for a processor; the server's clock is this machine's.
            timeout=max(0.0, message.metadata.created_at + message.metadata.ttl - time.time()),
        )
        try:
            content = _content_of(work(request))
        except FederationError as error:
            content = RecordDict({"config": ConfigRecord({"client": names[partition], "failed": str(error)})})
        return Message(content, reply_to=message)

    def who(message: Message, context: Context) -> Message:
        partition = int(context.node_config["partition-id"])
        return Message(RecordDict({"config": ConfigRecord({"client": names[partition]})}), reply_to=message)

    app.query()(who)
    app.train()(act)
    app.evaluate()(act)
    return app


class FlowerEngine:
    """Carries requests by a grid of Flower's, and makes one of many by one of Flower's strategies."""

    def __init__(self, grid: Grid, names: list[str], config: FederationConfig, trained: frozenset[str]) -> None:
        self._grid = grid
        self._names = set(names)
        self._trained = trained
        self._mean = FedAvg()
        self._strategy = strategy_of(config)
        self._nodes: dict[int, str] = {}

    def gather(self, timeout: float) -> None:
        """Waits until every client is connected, at most so many seconds. Who is not there then is away.

        Raises:
            FederationError: nobody is there then.
        """
        end, present = time.monotonic() + timeout, set[str]()
        while (left := end - time.monotonic()) > 0 and present != self._names:
            present = set(self._present(left).values())
            time.sleep(_POLL_S)
        if not present:
            raise FederationError(
                f"none of the {len(self._names)} clients is connected after {timeout:g} s; look whether "
                "this machine is too busy"
            )

    def ask(self, requests: Mapping[str, Request]) -> dict[str, Reply]:
        """Asks clients side by side; a reply for each, at the latest when its time is over."""
        timeout = max((request.timeout for request in requests.values()), default=0.0)
        started_at, end = datetime.now(UTC), time.monotonic() + timeout
        nodes = {name: node for node, name in self._present(_WHO_S).items()}
        away = {name for name in requests if name not in nodes}
        replies = {
            name: Reply(client=name, status="away", reason="no node of this client is connected", started_at=started_at)
            for name in away
        }
        sent: dict[str, str] = {}
        for name in sorted(set(requests) - away):
            message = _message_of(requests[name], nodes[name])
            sent |= dict.fromkeys(self._grid.push_messages([message]), name)
        for name, message in self._pulled(sent, end):
            replies[name] = _reply_of(name, message, requests[name], started_at)
        now = datetime.now(UTC)
        for name in set(requests) - set(replies):
            replies[name] = Reply(
                client=name,
                status="late",
                reason=f"no answer within {timeout:g} s",
                started_at=started_at,
                ended_at=now,
            )
        return replies

    def aggregate(self, number: int, arrays: Arrays, replies: Mapping[str, Reply]) -> Arrays:
        """The new weights. What is not trained, as running statistics, is averaged whatever the strategy."""
        messages = [replies[name].raw for name in sorted(replies)]
        if isinstance(self._strategy, FedAdam):
            self._strategy.current_arrays = {name: np.asarray(array) for name, array in arrays.items()}
        found, _ = self._strategy.aggregate_train(number, messages)
        assert found is not None  # noqa: S101 - there is at least one good reply
        made = {name: array.numpy() for name, array in found.items()}
        if isinstance(self._strategy, FedAdam):
            mean, _ = self._mean.aggregate_train(number, messages)
            assert mean is not None  # noqa: S101 - as above
            made |= {name: array.numpy() for name, array in mean.items() if name not in self._trained}
        return {name: made[name].astype(array.dtype, copy=False) for name, array in arrays.items()}

    def remembered(self) -> dict[str, Arrays]:
        """The means of Adam, as Flower calls them; nothing with the other strategies."""
        if not isinstance(self._strategy, FedAdam):
            return {}
        return {name: dict(means) for name in _MEANS if (means := getattr(self._strategy, name)) is not None}

    def remember(self, arrays: Mapping[str, Arrays]) -> None:
        """Takes up the means of Adam."""
        for name, means in arrays.items():
            setattr(self._strategy, name, dict(means))

    def _present(self, timeout: float) -> dict[int, str]:
        """The clients that are connected, by node. A node that is new is asked who it is, and given so many seconds."""
        nodes = set(self._grid.get_node_ids())
        asked: dict[str, int] = {}
        for node in sorted(nodes - set(self._nodes)):
            message = Message(RecordDict(), dst_node_id=node, message_type=MessageType.QUERY)
            asked |= dict.fromkeys(self._grid.push_messages([message]), node)
        for node, message in self._pulled(asked, time.monotonic() + timeout):
            if not message.has_error() and (name := message.content["config"]["client"]) in self._names:
                self._nodes[node] = name
        return {node: name for node, name in self._nodes.items() if node in nodes}

    def _pulled(self, sent: Mapping[str, Any], end: float) -> Iterator[tuple[Any, Message]]:
        """Answers as they come, each with what its question stands for, until all are there or the time is over."""
        waiting = dict(sent)
        while waiting and time.monotonic() < end:
            for message in self._grid.pull_messages(list(waiting)):
                yield waiting.pop(message.metadata.reply_to_message_id), message
            if waiting:
                time.sleep(_POLL_S)


def strategy_of(config: FederationConfig) -> FedAvg:
    """Flower's strategy of a configuration. It draws no clients and waits for none: only its mean is used."""
    match config.strategy:
        case "fedavg":
            return FedAvg()
        case "fedprox":
            return FedProx(proximal_mu=config.proximal_mu)
        case "fedadam":
            return FedAdam(eta=config.server_rate)


def _message_of(request: Request, node: int) -> Message:
    content = RecordDict(
        {
            "arrays": ArrayRecord({name: Array(np.asarray(array)) for name, array in request.arrays.items()}),
            "config": ConfigRecord(
                {"task": request.task, "round": request.round, "learning-rate": request.learning_rate}
            ),
        }
    )
    kind = MessageType.TRAIN if request.task == "train" else MessageType.EVALUATE
    return Message(content, dst_node_id=node, message_type=kind, ttl=request.timeout)


def _content_of(answer: Answer) -> RecordDict:
    content = RecordDict(
        {
            "metrics": MetricRecord({**answer.metrics, "num-examples": answer.num_examples}),
            "config": ConfigRecord({"client": answer.client}),
        }
    )
    if answer.arrays:
        content["arrays"] = ArrayRecord({name: Array(np.asarray(array)) for name, array in answer.arrays.items()})
    return content


def _reply_of(name: str, message: Message, request: Request, started_at: datetime) -> Reply:
    ended_at = datetime.now(UTC)

    def without(status: str, reason: str) -> Reply:
        return Reply(client=name, status=status, reason=reason, started_at=started_at, ended_at=ended_at)

    if message.has_error():
        reason = " ".join(str(message.error.reason).split())[-_MAX_REASON:]
        return without("failed", reason or "it gives no reason")
    content = message.content
    try:
        if failed := content["config"].get("failed"):
            return without("failed", str(failed)[:_MAX_REASON])
        metrics = dict(content["metrics"])
        answer = Answer(
            client=content["config"]["client"],
            num_examples=metrics.pop("num-examples"),
            metrics={key: float(value) for key, value in metrics.items()},
            arrays={key: array.numpy() for key, array in content.get("arrays", {}).items()},
        )
    except (KeyError, TypeError, ValueError) as error:
        return without("refused", f"its answer is no answer: {error!r}")
    size = sum(array.nbytes for part in (request.arrays, answer.arrays) for array in part.values())
    return Reply(
        client=name,
        status="completed",
        answer=answer,
        num_bytes=size,
        raw=message,
        started_at=started_at,
        ended_at=ended_at,
    )
