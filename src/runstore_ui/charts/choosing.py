"""Which metrics a page shows of very many: those whose name has what is looked for, some at a time."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from runstore.model import SeriesSummary
from runstore.texts import leading_series
from runstore_ui.state import AxisState

MOST: Final = 60
_MOST_STARTS: Final = 200


class Metrics(Struct, frozen=True, kw_only=True):
    """The metrics that are shown, and the way to the others.

    Attributes:
        names: of those that are shown.
        total: how many there are.
        found: how many have what is looked for.
        first: the number of the first one that is shown, from 1 on.
        before: the address of those before; ``None`` if there are none.
        after: the address of those behind.
        starts: what many names begin with: the beginning, how many have it, and their address.
        pairs: the query of the page without what is looked for.
    """

    names: frozenset[str]
    total: int
    found: int
    first: int
    before: str | None
    after: str | None
    starts: Sequence[tuple[str, int, str]]
    pairs: Sequence[tuple[str, str]]

    @property
    def has_more(self) -> bool:
        """Whether there are others than those that are shown."""
        return len(self.names) < self.total

    def of(self, summaries: Iterable[SeriesSummary]) -> list[SeriesSummary]:
        """Of some series, those of metrics that are shown."""
        return [each for each in summaries if each.name in self.names]


def choose_metrics(
    summaries: Iterable[Sequence[SeriesSummary]], axis: AxisState, address: Callable[[AxisState], str]
) -> Metrics:
    """The metrics to show of some runs, results first.

    Args:
        summaries: of each run.
        axis: says what is looked for, and how many are passed over.
        address: the address of the page with other axes.
    """
    series = [[(each.name, str(each.dataset_type)) for each in run] for run in summaries]
    names = list(dict.fromkeys(name for name, _ in leading_series(series, limit=sum(map(len, series)))))
    wanted = axis.find.strip().lower()
    found = [name for name in names if wanted in name.lower()]
    skip = min(axis.skip, max(len(found) - 1, 0))
    shown = found[skip : skip + MOST]
    plain = replace(axis, find="", skip=0)
    starts = Counter(f"{name.partition('/')[0]}/" for name in names if "/" in name) if len(names) > MOST else Counter()
    return Metrics(
        names=frozenset(shown),
        total=len(names),
        found=len(found),
        first=skip + 1,
        before=address(replace(axis, skip=max(skip - MOST, 0))) if skip else None,
        after=address(replace(axis, skip=skip + MOST)) if skip + MOST < len(found) else None,
        starts=[
            (start, count, address(replace(plain, find=start)))
            for start, count in sorted(starts.items())[:_MOST_STARTS]
            if count > 1
        ],
        pairs=parse_qsl(urlsplit(address(plain)).query),
    )
