"""What a federation's page shows: who took part, who dropped out and why, and how each client went."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct

from runstore.rounds import ClientRound, ClientStatus, Round
from runstore.texts import span_text
from runstore_ui.figures import Figure, Line, history_figure, rounds_figure

AT_ONCE: Final = 20
"""So many rounds stand side by side."""

_MOST_CLIENTS: Final = 60
_MOST_LISTED: Final = 500
_MOST_LINES: Final = 12
_MOST_DROPS: Final = 200


class ClientRow(Struct, frozen=True, kw_only=True):
    """One client over all rounds."""

    client: str
    run_id: str | None
    completed: str
    dropped: str
    samples: str
    took: str
    last: str


class DropRow(Struct, frozen=True, kw_only=True):
    """One drop-out."""

    number: int
    client: str
    status: str
    reason: str


class RoundsSheet(Struct, frozen=True, kw_only=True):
    """All that the page of a federation shows.

    Attributes:
        count: the rounds and clients, in words.
        metrics: what can be shown.
        metric: what is shown; ``None`` where no client has told any.
        first: the number of the first round that is shown side by side.
        last: that of the last.
        earlier: the number of the last round before them; ``None`` at the beginning.
        later: that of the last of those after them; ``None`` at the end.
        figures: rounds × clients, and the curves.
        clients: each client over all rounds.
        drops: the drop-outs, the newest first.
        remarks: what was left out.
    """

    count: str
    metrics: tuple[str, ...]
    metric: str | None
    first: int | None
    last: int | None
    earlier: int | None
    later: int | None
    figures: tuple[Figure, ...]
    clients: tuple[ClientRow, ...]
    drops: tuple[DropRow, ...]
    remarks: tuple[str, ...]


def rounds_sheet(rounds: Sequence[Round], *, metric: str | None, until: int | None) -> RoundsSheet:
    """What the page shows of the rounds.

    Args:
        rounds: by ascending number.
        metric: what the cells are shaded by; what most clients have told if ``None``.
        until: the number of the last round that is shown side by side; the last one if ``None``.
    """
    told = Counter(name for each in rounds for client in each.clients for name in client.metrics)
    used = metric if metric in told else min(told, key=lambda name: (-told[name], name), default=None)
    end = len(rounds) if until is None else sum(each.number <= until for each in rounds)
    start = max(0, end - AT_ONCE)
    shown = rounds[start:end]
    took_part: dict[str, list[tuple[int, ClientRound]]] = {}
    for each in rounds:
        for client in each.clients:
            took_part.setdefault(client.client, []).append((each.number, client))
    names = list(took_part)
    drops = [
        DropRow(number=each.number, client=client.client, status=str(client.status), reason=client.reason)
        for each in reversed(rounds)
        for client in each.clients
        if client.status is not ClientStatus.COMPLETED
    ]
    remarks = []
    if len(names) > _MOST_CLIENTS:
        remarks.append(
            f"{_MOST_CLIENTS} of {len(names):,} clients are drawn, {min(len(names), _MOST_LISTED)} are in the table."
        )
    if len(drops) > _MOST_DROPS:
        remarks.append(f"{_MOST_DROPS} of {len(drops):,} drop-outs are listed.")
    return RoundsSheet(
        count=_count(rounds, names, drops),
        metrics=tuple(sorted(told)),
        metric=used,
        first=shown[0].number if shown else None,
        last=shown[-1].number if shown else None,
        earlier=rounds[start - 1].number if start else None,
        later=rounds[min(end + AT_ONCE, len(rounds)) - 1].number if end < len(rounds) else None,
        figures=_figures(rounds, shown, took_part, used),
        clients=tuple(_client(name, took_part[name]) for name in names[:_MOST_LISTED]),
        drops=tuple(drops[:_MOST_DROPS]),
        remarks=tuple(remarks),
    )


def _count(rounds: Sequence[Round], names: list[str], drops: list[DropRow]) -> str:
    parts = (_counted(len(rounds), "round"), _counted(len(names), "client"), _counted(len(drops), "drop-out"))
    return f"{parts[0]}, {parts[1]}, {parts[2]}"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _figures(
    rounds: Sequence[Round],
    shown: Sequence[Round],
    took_part: Mapping[str, Sequence[tuple[int, ClientRound]]],
    metric: str | None,
) -> tuple[Figure, ...]:
    if not shown:
        return ()
    names = list(took_part)[:_MOST_CLIENTS]
    drawn = set(names)
    cells = {
        (client.client, each.number): _cell(client, metric)
        for each in shown
        for client in each.clients
        if client.client in drawn
    }
    found = [
        rounds_figure([each.number for each in shown], names, cells, metric=metric or "taken", title="Rounds × clients")
    ]
    if metric is not None:
        together = [(each.number, each.metrics[metric]) for each in rounds if metric in each.metrics]
        lines = [_line("all together", together)]
        for name in names[:_MOST_LINES]:
            told = [(number, client.metrics[metric]) for number, client in took_part[name] if metric in client.metrics]
            lines.append(_line(name, told))
        found.append(
            history_figure(
                [each for each in lines if each.xs], x_title="round", y_title=metric, title=f"{metric} by round"
            )
        )
    return tuple(found)


def _cell(client: ClientRound, metric: str | None) -> float | str:
    if client.status is not ClientStatus.COMPLETED:
        return str(client.status)
    return client.metrics.get(metric, math.nan) if metric is not None else 1.0


def _line(name: str, values: Sequence[tuple[int, float]]) -> Line:
    return Line(name=name, xs=[number for number, _ in values], ys=[value for _, value in values])


def _client(name: str, took_part: Sequence[tuple[int, ClientRound]]) -> ClientRow:
    own = [client for _, client in took_part]
    counts = Counter(str(client.status) for client in own)
    completed = counts.pop(str(ClientStatus.COMPLETED), 0)
    samples = [client.num_examples for client in own if client.num_examples is not None]
    spans = [client.duration_s for client in own if client.duration_s is not None]
    return ClientRow(
        client=name,
        run_id=next((client.run_id for client in reversed(own) if client.run_id), None),
        completed=f"{completed:,} of {len(own):,}",
        dropped=", ".join(f"{count} {status}" for status, count in sorted(counts.items())),
        samples=f"{samples[-1]:,}" if samples else "",
        took=span_text(timedelta(seconds=sum(spans) / len(spans))) if spans else "",
        last=str(own[-1].status),
    )
