"""Differential privacy of clients: what each has changed is clipped, all of it is summed, and noise covers any one of them.

It is the arithmetic of Flower's server-side fixed clipping. Flower's wrapper itself draws its noise from numpy's global
generator, which a training seeds with a number that is kept with the run: whoever reads it could take the noise away again.
"""

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping

import numpy as np

from pneumo_train.federating.values import Arrays

_HALVINGS = 200


@dataclasses.dataclass(slots=True, kw_only=True)
class Private:
    """Makes the weights of a round so that they tell little of any one client, and keeps account of how much.

    Attributes:
        clip: the greatest length of what a client changes, over all that is trained.
        noise: the standard deviation of the noise on the sum, in lengths of ``clip``.
        delta: for which the epsilons are told.
        asked: how many clients are asked in a round, whether they answer or not.
        trained: which arrays are trained; all others stay as they are.
        spent: in how many releases each client had a part, by its name.
        keep: keeps what is spent; it is called before anybody sees the weights.
    """

    clip: float
    noise: float
    delta: float
    asked: int
    trained: Collection[str]
    spent: dict[str, int]
    keep: Callable[[Mapping[str, int]], None]

    def release(self, arrays: Arrays, answers: Mapping[str, Arrays], names: Collection[str]) -> Arrays:
        """The new weights of a round, and its cost to all who were asked.

        Args:
            arrays: the weights that were sent out.
            answers: the weights that came back, by client.
            names: who was asked; a client that has not answered counts as one that has changed nothing.
        """
        made = mean_of(arrays, answers, self, np.random.default_rng())  # seeded by the system, never by the run
        for name in names:
            self.spent[name] = self.spent.get(name, 0) + 1
        self.keep(self.spent)
        return made

    def epsilons(self) -> dict[str, float]:
        """What each client has spent so far, by its name."""
        return {name: epsilon(self.noise, count, self.delta) for name, count in self.spent.items()}


def mean_of(arrays: Arrays, answers: Mapping[str, Arrays], private: Private, draw: np.random.Generator) -> Arrays:
    """The weights plus the mean of the clipped changes, with noise. Each client counts alike, however many films it has.

    The sum is divided by how many were asked: with how many have answered, whether one has would change all the others' parts.
    """
    names = sorted(name for name in arrays if name in private.trained)
    total = {name: draw.normal(0.0, private.noise * private.clip, arrays[name].shape) for name in names}
    for client in sorted(answers):
        change = {name: answers[client][name].astype(np.float64) - arrays[name] for name in names}
        length = math.sqrt(sum(float(np.vdot(each, each)) for each in change.values()))
        share = min(1.0, private.clip / length) if length else 1.0
        for name in names:
            total[name] += share * change[name]
    return {
        **arrays,
        **{name: (arrays[name] + total[name] / private.asked).astype(arrays[name].dtype) for name in names},
    }


def epsilon(noise: float, releases: int, delta: float) -> float:
    """The ε of so many releases in which a client had a part, never too small.

    Releases of one noise tell together as much as one with ``noise / √releases`` (Dong, Roth and Su 2022), and what that tells is known
    exactly (Balle and Wang 2018, theorem 8); Rényi's divergence gives a bound above it. Who is asked is known by the seed and stands
    in the record, so a draw of clients hides nobody: each spends the rounds in which it was asked, and none of the others.

    Args:
        noise: the standard deviation of the noise, in lengths of the greatest change; above 0.
        releases: from 0 on.
        delta: the δ, between 0 and 1.
    """
    if not releases:
        return 0.0
    tells = math.sqrt(releases) / noise
    low, high = 0.0, 1.0
    while _delta(high, tells) > delta:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _delta(middle, tells) <= delta else (middle, high)
    return high if _delta(0.0, tells) > delta else 0.0


def _delta(at: float, tells: float) -> float:
    """The δ of an ε."""
    above, below = tells / 2 - at / tells, -tells / 2 - at / tells
    return math.exp(_log_below(above)) - math.exp(at + _log_below(below))


def _log_below(value: float) -> float:
    """The logarithm of the probability that a standard normal number is below this one."""
    if value > -30:  # noqa: PLR2004 - below it erfc leaves the range of a number
        return math.log(math.erfc(-value / math.sqrt(2)) / 2)
    square = value * value
    return -square / 2 - math.log(-value * math.sqrt(2 * math.pi)) + math.log1p(-1 / square + 3 / square**2)
