"""Which epoch a step belongs to, as a run tells it: by a metric called ``epoch``, as Lightning, Hugging Face and others log it.

A run that logs none has no epochs here; a step is never taken for one.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple, Self

from msgspec import Struct

NAME: Final = "epoch"
KINDS: Final = ("other", "train", "validation", "test")
"""Dataset types under which a run may have logged it; the first that it has tells."""


class Knot(NamedTuple):
    """The first point known of one epoch."""

    step: int
    epoch: float
    at_us: int


class Epochs(Struct, frozen=True, kw_only=True):
    """The epochs of a run, by the points in which it told them.

    Attributes:
        knots: where each epoch begins; steps and epochs ascend.
        last_step: the last step whose epoch is known.
        back: stretches of steps in which the epoch went back, as where a training began anew: from, and to before.
    """

    knots: Sequence[Knot]
    last_step: int
    back: Sequence[tuple[int, float]]

    @classmethod
    def of(cls, points: Iterable[tuple[int, float, int]]) -> Self:
        """The epochs that points tell: step, epoch, microseconds since 1970; in any order, some perhaps twice."""
        knots: list[Knot] = []
        back: list[tuple[int, float]] = []
        last_step, since = -1, None
        for step, epoch, at_us in sorted(set(points)):
            if not math.isfinite(epoch):
                continue
            last_step = step
            if knots and epoch < knots[-1].epoch:
                since = step if since is None else since
                continue
            if since is not None:
                back.append((since, step))
                since = None
            if not knots or (epoch > knots[-1].epoch and step > knots[-1].step):
                knots.append(Knot(step, epoch, at_us))
        if since is not None:
            back.append((since, math.inf))
        return cls(knots=knots, last_step=last_step, back=back)

    def place(self, step: int) -> float | None:
        """Where a step lies: its epoch, and of the way to the next one as much as of the steps; ``None`` if nothing tells.

        The last epoch is taken to be as long as the one before it: where its steps stand in it is all that hangs on that.
        """
        if not self.knots or not self.knots[0].step <= step <= self.last_step:
            return None
        if any(start <= step < end for start, end in self.back):
            return None
        index = bisect_right(self.knots, step, key=lambda knot: knot.step) - 1
        here = self.knots[index]
        if step == here.step:
            return here.epoch
        if index + 1 < len(self.knots):
            then = self.knots[index + 1]
            return here.epoch + (then.epoch - here.epoch) * (step - here.step) / (then.step - here.step)
        if index:
            before = self.knots[index - 1]
            rate = (here.epoch - before.epoch) / (here.step - before.step)
        else:
            rate = 1 / (self.last_step - here.step + 1)
        end = math.nextafter(math.floor(here.epoch) + 1, 0)
        return min(here.epoch + rate * (step - here.step), end)

    def seconds_each(self, *, last: int = 3) -> float | None:
        """How long one epoch took lately: the middle one of the last few; ``None`` before one is over."""
        spans = sorted(
            (after.at_us - before.at_us) / 1e6 / (after.epoch - before.epoch)
            for before, after in list(pairwise(self.knots))[-last:]
        )
        found = spans[len(spans) // 2] if spans else 0.0
        return found if found > 0 else None
