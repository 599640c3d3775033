"""Which part of a run a checkpoint belongs to, and what a stage would write over.

A training that goes on from an earlier checkpoint abandons what came after it. The points of the abandoned part are
written over as training comes to their steps; its checkpoints stay, and :func:`abandoned` tells them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from runstore.values.ids import new_run_id


class Lineage(NamedTuple):
    """An attempt of a run, and the attempts that it goes on from.

    Attributes:
        attempt: names the attempt, later ones after earlier ones; ``""`` where an earlier release wrote the checkpoint.
        after: the attempts before, each with the step at which the next one took over.
    """

    attempt: str
    after: tuple[tuple[str, int], ...] = ()

    @classmethod
    def new(cls) -> Self:
        """An attempt that goes on from nothing."""
        return cls(new_run_id())

    def continued(self, step: int) -> "Lineage":
        """A new attempt that goes on from a step of this one."""
        return Lineage(new_run_id(), (*self.after, (self.attempt, step)))

    def as_dict(self) -> dict[str, Any]:
        """Plain values only."""
        return {"attempt": self.attempt, "after": [list(part) for part in self.after]}

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> "Lineage":
        """The lineage told by a checkpoint's entry or an artifact's metadata; anything odd reads as none."""
        attempt, after = entry.get("attempt"), entry.get("after")
        parts: list[tuple[str, int]] = []
        for part in after if isinstance(after, list) else ():
            match part:
                case [str(name), int(step)]:
                    parts.append((name, step))
        return cls(attempt if isinstance(attempt, str) else "", tuple(parts))


def newest_of(lineages: Iterable[Lineage]) -> Lineage:
    """The attempt that went on last: from which no other one goes on, and of several such the one begun last.

    The times of records do not tell it, for a record is written anew when its role changes.
    """
    found = list(lineages)
    gone_on_from = {name for lineage in found for name, _ in lineage.after}
    return max((lineage for lineage in found if lineage.attempt not in gone_on_from), default=Lineage(""))


def abandoned(lineage: Lineage, step: int | None, newest: Lineage) -> bool:
    """Whether a checkpoint lies on a branch that the newest attempt does not go on from."""
    if lineage.attempt == newest.attempt:
        return False
    taken_over = dict(newest.after)
    if lineage.attempt in taken_over:
        return step is not None and step > taken_over[lineage.attempt]
    return any(name in taken_over and at >= taken_over[name] for name, at in lineage.after)


class Progress:
    """What the stages of one run have logged so far, in this process."""

    def __init__(self) -> None:
        self._stage: tuple[str, int] | None = None
        self._last_of_fits = -1
        self._evaluated: set[tuple[str, int]] = set()

    def writes_over(self, stage: str, step: int) -> bool:
        """Whether a stage that begins at this step would write over what another one has logged.

        A ``fit`` that begins anew does. So does a second ``test`` at one step, of another model or of other data.
        """
        if stage == "fit":
            return self._last_of_fits >= 0 and (step == 0 or step < self._last_of_fits)
        return (stage, step) in self._evaluated

    def begin(self, stage: str, step: int) -> None:
        """A stage begins."""
        self._stage = (stage, step)

    def end(self) -> None:
        """The stage has ended."""
        self._stage = None

    def note(self, step: int) -> None:
        """Something was logged at this step."""
        if self._stage is None:
            return
        if self._stage[0] == "fit":
            self._last_of_fits = max(self._last_of_fits, step)
        else:
            self._evaluated.add(self._stage)
