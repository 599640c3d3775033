"""Runs with their children below them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from runstore.cli.output.text import can_show
from runstore.model import Run
from runstore.protocol import RunReader
from runstore.query.spelling import spelt_literal

_AT_ONCE: Final = 400
"""Ids in one filter, whose length is bounded."""

_FINE: Final = ("├─ ", "└─ ", "│  ")
_PLAIN: Final = ("|- ", "`- ", "|  ")


class Branch(NamedTuple):
    """A run in a tree, and what is drawn before it to show where it hangs."""

    run: Run
    lines: str = ""


class Tree(NamedTuple):
    """Runs, and the children of each run that has some."""

    tops: Sequence[Run]
    children: Mapping[str, Sequence[Run]]

    def branches(self) -> Iterator[Branch]:
        """Every run, each followed by all that is below it."""
        other, last, beside = _FINE if can_show("".join(_FINE)) else _PLAIN
        waiting = [(Branch(run), "") for run in reversed(self.tops)]
        while waiting:
            branch, before = waiting.pop()
            yield branch
            below = self.children.get(branch.run.id, ())
            for number, run in enumerate(reversed(below)):  # the first is taken from the end first
                lines, further = (last, "   ") if number == 0 else (other, beside)
                waiting.append((Branch(run, f"{before}{lines}"), f"{before}{further}"))


def grown(reader: RunReader, runs: Sequence[Run], *, order_by: Sequence[str]) -> Tree:
    """The runs with all their children and the children of these, each run once: below its parent where that is there."""
    children: dict[str, list[Run]] = {}
    known = {run.id for run in runs}
    level = [run.id for run in runs]
    while level:
        found = list(_children(reader, level, order_by))
        for run in found:
            children.setdefault(run.parent_run_id or "", []).append(run)
        level = [run.id for run in found if run.id not in known]
        known |= set(level)
    below = {run.id for each in children.values() for run in each}
    return Tree([run for run in runs if run.id not in below], children)


def _children(reader: RunReader, run_ids: Sequence[str], order_by: Sequence[str]) -> Iterator[Run]:
    for first in range(0, len(run_ids), _AT_ONCE):
        listed = ", ".join(map(spelt_literal, run_ids[first : first + _AT_ONCE]))
        yield from reader.iter_runs(f"parent_run_id in ({listed})", order_by=order_by)
