"""Requests as messages of Flower's, and its strategies: an :class:`~pneumo_train.federating.values.Engine`."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MessageType, MetricRecord, RecordDict
from flwr.common.constant import ErrorCode
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAdam, FedAvg, FedProx

from pneumo_train.config.federation import FederationConfig
from pneumo_train.errors import FederationError
from pneumo_train.federating.values import Answer, Arrays, Begun, Reply, Request, Work

_MEANS = ("m_t", "v_t")
"""What Flower's FedAdam keeps from round to round."""
_WHO_S = 10.0
_MAX_REASON = 500


def answer_to(message: Message, client: str, work: Work, timeout: float) -> Message:
    """The answer to a message that asks a client to train or to look.

    Args:
        message: from the server.
        client: who is asked.
        work: does it.
        timeout: seconds after which an answer is of no use.
    """
    told = message.content["config"]
    request = Request(
        task=told["task"],
        round=told["round"],
        client=client,
        arrays={name: array.numpy() for name, array in message.content["arrays"].items()},
        learning_rate=told["learning-rate"],
        timeout=timeout,
        plan=told["plan"],
    )
    try:
        content = _content_of(work(request))
    except FederationError as error:
        content = RecordDict({"config": ConfigRecord({"client": client, "failed": str(error)})})
    return Message(content, reply_to=message)


class FlowerEngine:
    """Carries requests by a grid of Flower's, and makes one of many by one of Flower's strategies."""

    poll_s = 0.05
    """Between two looks for answers."""

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
            time.sleep(self.poll_s)
        if not present:
            raise FederationError(
                f"none of the {len(self._names)} clients is connected after {timeout:g} s; look whether "
                "this machine is too busy"
            )

    def ask(self, requests: Mapping[str, Request]) -> dict[str, Reply]:
        """Asks clients side by side; a reply for each, at the latest when its time is over."""
        timeout = max((request.timeout for request in requests.values()), default=0.0)
        begun, end = Begun(), time.monotonic() + timeout
        nodes = {name: node for node, name in self._present(_WHO_S).items()}
        away = {name for name in requests if name not in nodes}
        replies = {
            name: Reply(client=name, status="away", reason="no node of this client is connected", started_at=begun.at)
            for name in away
        }
        sent: dict[str, str] = {}
        for name in sorted(set(requests) - away):
            number = self._push(_message_of(requests[name], nodes[name]))
            if number is not None:
                sent[number] = name
                continue
            replies[name] = Reply(
                client=name,
                status="failed",
                reason="Flower has not taken the request to it; it may be too large, or the client was just taken out",
                started_at=begun.at,
                ended_at=begun.now(),
            )
        for name, message in self._pulled(sent, end):
            replies[name] = _reply_of(name, message, requests[name], begun)
        now = begun.now()
        for name in set(requests) - set(replies):
            replies[name] = Reply(
                client=name,
                status="late",
                reason=f"no answer within {timeout:g} s",
                started_at=begun.at,
                ended_at=now,
            )
        return replies

    def aggregate(self, number: int, arrays: Arrays, replies: Mapping[str, Reply]) -> Arrays:
        """The new weights. What is not trained, as running statistics, is averaged whatever the strategy."""
        answers = [answer for name in sorted(replies) if (answer := replies[name].answer) is not None]
        messages = [_for_the_mean(answer) for answer in answers]
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
            number = self._push(Message(RecordDict(), dst_node_id=node, message_type=MessageType.QUERY))
            if number is not None:
                asked[number] = node
        for node, message in self._pulled(asked, time.monotonic() + timeout):
            if not message.has_error() and (name := message.content["config"]["client"]) in self._names:
                self._nodes[node] = name
        return {node: name for node, name in self._nodes.items() if node in nodes}

    def _push(self, message: Message) -> str | None:
        """The id of a message that is on its way, or ``None`` if it was not taken: Flower tells that in several ways."""
        return next((number for number in self._grid.push_messages([message]) if number), None)

    def _pulled(self, sent: Mapping[str, Any], end: float) -> Iterator[tuple[Any, Message]]:
        """Answers as they come, each with what its question stands for, until all are there or the time is over."""
        waiting = dict(sent)
        while waiting and time.monotonic() < end:
            for message in self._grid.pull_messages(list(waiting)):
                if message.metadata.reply_to_message_id in waiting:
                    yield waiting.pop(message.metadata.reply_to_message_id), message
            if waiting:
                time.sleep(self.poll_s)


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
            "arrays": _record_of(request.arrays),
            "config": ConfigRecord(
                {
                    "task": request.task,
                    "round": request.round,
                    "learning-rate": request.learning_rate,
                    "plan": request.plan,
                }
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
        content["arrays"] = _record_of(answer.arrays)
    return content


def _for_the_mean(answer: Answer) -> Message:
    """What a strategy needs of an answer that was checked, and nothing else of what the client has sent."""
    content = RecordDict(
        {"arrays": _record_of(answer.arrays), "metrics": MetricRecord({"num-examples": answer.num_examples})}
    )
    return Message(content, dst_node_id=1, message_type=MessageType.TRAIN)


def _record_of(arrays: Arrays) -> ArrayRecord:
    return ArrayRecord({name: Array(np.asarray(array)) for name, array in arrays.items()})


def _reply_of(name: str, message: Message, request: Request, begun: Begun) -> Reply:
    started_at, ended_at = begun.at, begun.now()

    def without(status: str, reason: str) -> Reply:
        return Reply(client=name, status=status, reason=reason, started_at=started_at, ended_at=ended_at)

    if message.has_error():
        if message.error.code == ErrorCode.NODE_UNAVAILABLE:
            return without("away", "its node has gone")
        reason = " ".join(str(message.error.reason).split())[-_MAX_REASON:]
        return without("failed", reason or "it gives no reason")
    try:
        content = message.content
        if failed := content["config"].get("failed"):
            return without("failed", str(failed))
        metrics = dict(content["metrics"])
        answer = Answer(
            client=content["config"]["client"],
            num_examples=metrics.pop("num-examples"),
            metrics={key: float(value) for key, value in metrics.items()},
            arrays={key: np.asarray(array.numpy()) for key, array in content.get("arrays", {}).items()},
        )
    except Exception as error:  # noqa: BLE001 - whatever a client has sent costs only that client
        return without("refused", f"its answer is no answer: {error!r}")
    size = sum(array.nbytes for part in (request.arrays, answer.arrays) for array in part.values())
    return Reply(
        client=name,
        status="completed",
        answer=answer,
        num_bytes=size,
        started_at=started_at,
        ended_at=ended_at,
    )
