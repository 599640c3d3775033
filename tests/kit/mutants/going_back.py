"""Recorders in front of a sound store that do not send again, or not rightly, what it has forgotten (DUR.8)."""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

from kit.mutants.base import MUTANTS, MutantHarness, Planted
from runstore.backend import BackendStore
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.model import Artifact
from runstore.recording import Recorder
from runstore.recording.again.changes import AnyChange
from runstore.recording.again.lookout import Lookout
from runstore.recording.again.resend import Resend
from runstore.recording.apply import apply_record
from runstore.series import Columns, Series


class RecorderWithABug(MutantHarness):
    """Opens recorders of which one step of looking or of sending again is another one."""

    def __init__(self, step: str, broken: Callable[..., Any], database: MemoryDatabase | None = None) -> None:
        super().__init__(MemoryStore, database)
        self._step = step
        self._broken = broken

    def fresh(self) -> "RecorderWithABug":
        return RecorderWithABug(self._step, self._broken)

    def open_recorded(self) -> Recorder:
        recorder = super().open_recorded()
        assert isinstance(recorder, Recorder)
        assert recorder._writer is not None  # noqa: SLF001 - the bug is planted inside
        lookout = recorder._writer.worker._lookout  # noqa: SLF001 - as above
        if hasattr(Lookout, self._step):
            setattr(lookout, self._step, partial(self._broken, lookout))
            return recorder
        make = lookout._resend  # noqa: SLF001 - as above

        def resend(*given: Any) -> Resend:
            made = make(*given)
            assert hasattr(Resend, self._step)
            setattr(made, self._step, partial(self._broken, made))
            return made

        lookout._resend = resend  # type: ignore[method-assign,assignment]  # noqa: SLF001 - as above
        return recorder


def planted(step: str) -> Callable[[Callable[..., Any]], None]:
    """Registers a bug by the step in whose place it stands, which gets what the step gets."""

    def register(broken: Callable[..., Any]) -> None:
        MUTANTS[broken.__name__] = Planted("DUR.8", partial(RecorderWithABug, step, broken))

    return register


@planted("_look")
def does_not_look_again(_: Lookout, *__: Any, **___: Any) -> None:
    """Believes that what was acknowledged is kept."""


@planted("_send_journal")
def looks_but_does_not_send(_: Resend, *__: Any) -> None:
    """Knows which points are missing, and leaves it at that."""


@planted("_rest_of")
def sends_twice(_: Resend, __: str, ___: Series, columns: Columns, ____: int) -> Columns:
    """Sends all points of a series that lacks some, also those that are there, or have later values."""
    return columns


@planted("_send_changes")
def sends_changes_as_new(lookout: Lookout, store: BackendStore, changes: Collection[AnyChange]) -> None:
    """What somebody has changed since is changed back."""
    for record in changes:
        apply_record(store, record, folder=lookout._journal.folder, is_late=False)  # noqa: SLF001 - it is at hand


@planted("_keep")
def sends_records_without_bytes(resend: Resend, run_id: str, artifact: Artifact, _: Path | None) -> None:
    """The artifact is listed, and cannot be read."""
    resend._store.record_artifacts(run_id, [artifact])  # noqa: SLF001 - as the step does
