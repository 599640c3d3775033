"""The rounds themselves: who is asked, which answers are good, what comes of them. It knows no engine and no store."""

import dataclasses
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np

from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.optimizer import OptimizerConfig
from pneumo_train.errors import DivergedError, FederationError
from pneumo_train.federating.checking import what_is_wrong
from pneumo_train.federating.privacy import Private, epsilon
from pneumo_train.federating.values import Arrays, Begun, Engine, Reply, Request, Task


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Played:
    """A round that is over.

    Attributes:
        number: from 1.
        replies: of the training, by client: everyone who was asked; without the weights that they brought.
        looks: of the look at each client's own validation films with the new weights, by client.
        arrays: the new weights; those of before if the round had too few answers.
        metrics: of the new weights on the server's films, as ``val_auroc``; empty of a round that failed.
        epsilons: what each client has spent up to this round, by its name; empty without differential privacy.
        failure: why the federation cannot go on, if it cannot.
    """

    number: int
    started_at: datetime
    ended_at: datetime
    replies: Mapping[str, Reply]
    looks: Mapping[str, Reply]
    arrays: Arrays
    metrics: Mapping[str, float]
    epsilons: Mapping[str, float] = dataclasses.field(default_factory=dict)
    failure: FederationError | DivergedError | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """What the rounds of a federation are played with.

    Attributes:
        engine: carries requests, and makes one of many.
        names: all clients, whether they are there or not.
        look: the metrics of weights on the server's films.
        seed: of the draw of clients.
        private: makes the weights of a round under differential privacy, in the place of the engine.
        plan: goes with each request.
        images: how many images each client trains on; an answer that says otherwise is refused.
    """

    engine: Engine
    config: FederationConfig
    optimizer: OptimizerConfig
    names: Sequence[str]
    look: Callable[[Arrays], Mapping[str, float]]
    seed: int
    private: Private | None = None
    plan: str = ""
    images: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def play(self, arrays: Arrays, *, after: int = 0) -> Iterator[Played]:
        """Plays all rounds that come after one, from its weights on. The last one that is given may be one that failed."""
        for number in range(after + 1, self.config.num_rounds + 1):
            played = self._play(number, arrays)
            yield played
            if played.failure is not None:
                return
            arrays = played.arrays

    def drawn(self, number: int) -> list[str]:
        """Who is asked in a round: the same for the same seed, whatever was before."""
        return drawn(self.names, self.config, seed=self.seed, number=number)

    def rate(self, number: int) -> float:
        """The learning rate of a round: down a cosine from round to round, or always the same."""
        highest, lowest = self.optimizer.learning_rate, self.optimizer.min_lr
        if self.optimizer.schedule != "cosine":
            return highest
        return max(lowest, highest * (1 + math.cos(math.pi * (number - 1) / self.config.num_rounds)) / 2)

    def _play(self, number: int, arrays: Arrays) -> Played:
        begun = Begun()
        replies = self._ask("train", number, self.drawn(number), arrays)
        good = {name: reply for name, reply in replies.items() if reply.status == "completed"}
        looks: Mapping[str, Reply] = {}
        metrics: Mapping[str, float] = {}
        made = arrays
        failure: FederationError | DivergedError | None = self._too_few(number, replies, good)
        if failure is None:
            made = self._made(number, arrays, replies, good)
            failure = _learnt_nothing(number, arrays, made)
        names = list(good)
        replies = {name: _without_weights(reply) for name, reply in replies.items()}
        del good  # twice the weights of every client, which are asked anew now
        if failure is None:
            metrics = self.look(made)
            failure = _diverged(number, metrics)
            looks = self._ask("evaluate", number, names, made)
        return Played(
            number=number,
            started_at=begun.at,
            ended_at=begun.now(),
            replies=replies,
            looks=looks,
            arrays=made,
            metrics=metrics,
            epsilons={} if self.private is None else self.private.epsilons(),
            failure=failure,
        )

    def _made(self, number: int, arrays: Arrays, replies: Mapping[str, Reply], good: Mapping[str, Reply]) -> Arrays:
        """One set of weights of many."""
        if self.private is None:
            return self.engine.aggregate(number, arrays, good)
        answers = {name: reply.answer.arrays for name, reply in good.items() if reply.answer is not None}
        return self.private.release(arrays, answers, replies)

    def _ask(self, task: Task, number: int, names: Sequence[str], arrays: Arrays) -> dict[str, Reply]:
        requests = {
            name: Request(
                task=task,
                round=number,
                client=name,
                arrays=arrays,
                learning_rate=self.rate(number),
                timeout=self.config.round_timeout,
                plan=self.plan,
            )
            for name in names
        }
        replies = self.engine.ask(requests)
        return {name: _checked(replies[name], request, self.images.get(name)) for name, request in requests.items()}

    def _too_few(self, number: int, replies: Mapping[str, Reply], good: Mapping[str, Reply]) -> FederationError | None:
        if len(good) >= self.config.min_answers:
            return None
        reasons = "; ".join(
            f"{name}: {reply.status}, {reply.reason}" for name, reply in replies.items() if name not in good
        )
        return FederationError(
            f"round {number}: {len(good)} of {len(replies)} clients gave a good answer, and min_answers = "
            f"{self.config.min_answers} ({reasons}); mend the clients, or lower min_answers"
        )


def drawn(names: Sequence[str], config: FederationConfig, *, seed: int, number: int) -> list[str]:
    """Who is asked in a round."""
    names = sorted(names)
    if config.asked >= len(names):
        return names
    return sorted(random.Random(f"{seed} {number}").sample(names, config.asked))  # noqa: S311 - reproducible, not secret


def planned_epsilon(names: Sequence[str], config: FederationConfig, *, seed: int) -> float:
    """What the client that is asked most often will have spent after all rounds, if none is cut off."""
    rounds = range(1, config.num_rounds + 1)
    asked = Counter(name for number in rounds for name in drawn(names, config, seed=seed, number=number))
    return epsilon(config.dp_noise, max(asked.values()), config.dp_delta)


def _checked(reply: Reply, request: Request, images: int | None) -> Reply:
    if reply.answer is None:
        return reply
    wrong = what_is_wrong(reply.answer, request, images)
    return reply if wrong is None else dataclasses.replace(reply, status="refused", reason=wrong)


def _without_weights(reply: Reply) -> Reply:
    """What is known of a reply once one set of weights was made of all."""
    answer = None if reply.answer is None else dataclasses.replace(reply.answer, arrays={})
    return dataclasses.replace(reply, answer=answer)


def _learnt_nothing(number: int, before: Arrays, after: Arrays) -> FederationError | None:
    if any(not np.array_equal(array, before[name]) for name, array in after.items()):
        return None
    return FederationError(
        f"round {number}: no weight has changed; look at optimizer.learning_rate, and whether any layer is trained"
    )


def _diverged(number: int, metrics: Mapping[str, float]) -> DivergedError | None:
    if math.isfinite(metrics["val_loss"]):
        return None
    return DivergedError(
        f"the federation has diverged: the loss on the server's films is {metrics['val_loss']} after round {number}; lower "
        "optimizer.learning_rate, or server_rate with fedadam"
    )
