"""What goes between a server and its clients, and the one thing that carries it."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pneumo_train.words import shown

Arrays = Mapping[str, NDArray[np.floating[Any]]]
"""Weights and running statistics by name, as the network calls them."""

Task = Literal["train", "evaluate"]

_MAX_REASON = 1_000
"""As long as a reason may be in the record of a round."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Request:
    """What a client is asked to do.

    Attributes:
        task: to train, or to look at its own validation films.
        round: in which round, from 1.
        client: who is asked.
        arrays: the server's weights.
        learning_rate: of this round.
        timeout: seconds after which an answer is of no use.
        plan: the settings of the federation, for a client that has its films elsewhere than the server; otherwise empty.
    """

    task: Task
    round: int
    client: str
    arrays: Arrays
    learning_rate: float
    timeout: float
    plan: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What a client answers.

    Attributes:
        client: who it says it is.
        num_examples: images that it trained on, or looked at.
        metrics: its figures, as ``train_loss`` or ``val_auroc``.
        arrays: its weights; empty unless it was to train.
    """

    client: str
    num_examples: int
    metrics: Mapping[str, float]
    arrays: Arrays = dataclasses.field(default_factory=dict)


Work = Callable[[Request], Answer]
"""What a client does. It goes to other processes, so it can be pickled."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reply:
    """What came of asking a client.

    Attributes:
        status: ``completed``, or a word of :class:`runstore.rounds.ClientStatus` for why there is no good answer.
        reason: why, in words; cut to what the record of a round takes, for they may be a client's.
        answer: what it answered, if it did.
        num_bytes: of the arrays that went out and came back.
    """

    client: str
    status: str
    reason: str = ""
    answer: Answer | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    num_bytes: int = 0

    def __post_init__(self) -> None:
        """Makes the reason one that can be kept and shown."""
        object.__setattr__(self, "reason", reason_of(self.reason))


def reason_of(text: str) -> str:
    """Words that may be a stranger's as a reason: on one line, printable, and of at most 1,000 characters."""
    cut = text[: 2 * _MAX_REASON]
    return shown(" ".join(cut.split()), at_most=_MAX_REASON)


class Begun:
    """A moment, and the times after it: none is before it, whatever becomes of the machine's clock meanwhile.

    Attributes:
        at: the moment, by the machine's clock.
    """

    def __init__(self) -> None:
        """It is now."""
        self.at = datetime.now(UTC)
        self._seconds = time.monotonic()

    def now(self) -> datetime:
        """The time by the clock as it was then, and by what has passed."""
        return self.at + timedelta(seconds=time.monotonic() - self._seconds)


class Engine(Protocol):
    """What carries requests to clients and makes one set of weights of many."""

    def ask(self, requests: Mapping[str, Request]) -> dict[str, Reply]:
        """Asks clients side by side, by name; a reply for each, at the latest when its time is over."""
        ...

    def aggregate(self, number: int, arrays: Arrays, replies: Mapping[str, Reply]) -> Arrays:
        """The new weights of a round.

        Args:
            number: of the round.
            arrays: the weights that were sent out.
            replies: good ones, at least one.
        """
        ...

    def remembered(self) -> dict[str, Arrays]:
        """What the next round depends on beside the weights, as Adam's means; by name."""
        ...

    def remember(self, arrays: Mapping[str, Arrays]) -> None:
        """Takes up what another engine of the same kind remembered."""
        ...
