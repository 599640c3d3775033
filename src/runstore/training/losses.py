"""What a recorder has accepted and could not keep: it comes out after the call has returned."""

from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

from runstore.protocol import RunStore


class Lost(NamedTuple):
    """Calls of one run that were lost, or refused for good, after they had been accepted; and the points in them."""

    calls: int = 0
    points: int = 0

    def __add__(self, other: Self) -> "Lost":  # type: ignore[override]  # a sum, not a longer tuple
        """Both together."""
        return Lost(self.calls + other.calls, self.points + other.points)


@runtime_checkable
class _Recorder(Protocol):
    def health(self) -> Any: ...


def lost_in(store: RunStore, run_id: str) -> Lost:
    """What a store has lost of a run; a store that keeps no journal loses nothing that it has accepted."""
    if not isinstance(store, _Recorder):
        return Lost()
    try:
        of_run = store.health().runs[run_id]
        calls, points = of_run.calls, of_run.points
        return Lost(calls.dropped + calls.quarantined, points.dropped + points.quarantined)
    except Exception:  # noqa: BLE001 - a stranger's store may call another thing so; a count is never worth a training
        return Lost()
