"""Changes of runs and experiments that a store has forgotten: sent again as changes that come late.

So a change that somebody has made since stands, and one that the store still has changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import UNSET

from runstore.backend import BackendStore, ExperimentChange, Presence, RunChange
from runstore.errors import RunStoreError
from runstore.model import Run
from runstore.recording.apply import apply_record
from runstore.recording.records import ChangeRecord, ExperimentChangeRecord

AnyChange = ChangeRecord | ExperimentChangeRecord

_NOWHERE: Final = Path()
"""Of no use to a change, which has no files."""


class Deletions(NamedTuple):
    """What people deleted, by the changes that are kept.

    Attributes:
        runs: by id, when they were deleted last; those that were restored after that are left out.
        experiments: likewise, by id.
    """

    runs: dict[str, int]
    experiments: dict[str, int]

    @classmethod
    def among(cls, changes: Iterable[AnyChange]) -> "Deletions":
        """Those that stand after all of some changes, whichever order they come in."""
        runs: dict[str, int] = {}
        experiments: dict[str, int] = {}
        for record in sorted(changes, key=lambda each: each.at_us):
            if isinstance(record, ExperimentChangeRecord):
                if record.change.is_deleted:
                    experiments[record.experiment_id] = record.at_us
            elif record.change.is_deleted is True:
                runs[record.run_id] = record.at_us
            elif record.change.is_deleted is False:
                runs.pop(record.run_id, None)
        return cls(runs, experiments)

    def has_run(self, run_id: str, experiment_id: str | None, start_us: int) -> bool:
        """Whether a run was deleted, by itself or with its experiment."""
        with_all = self.experiments.get(experiment_id or "")
        return run_id in self.runs or (with_all is not None and start_us <= with_all)


def send_changes(
    store: BackendStore, changes: Iterable[AnyChange], go_on: Callable[[], None]
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Sends again what of some changes the store has not.

    Args:
        store: where to.
        changes: in any order.
        go_on: called before each; raises to end.

    Returns:
        How many changed something, and what the store refused and why; by run, those of experiments under ``""``.

    Raises:
        RunStoreError: the store is away.
    """
    sent: dict[str, int] = {}
    refused: dict[str, list[str]] = {}
    for record in sorted(changes, key=lambda each: each.at_us):
        go_on()
        run_id = record.run_id if isinstance(record, ChangeRecord) else ""
        try:
            if _send(store, record):
                sent[run_id] = sent.get(run_id, 0) + 1
        except RunStoreError as error:
            if error.is_transient:
                raise
            refused.setdefault(run_id, []).append(f"a change: {error}")
    return sent, refused


def _send(store: BackendStore, record: AnyChange) -> bool:
    """Whether the store had not what the change says, and has it now."""
    if isinstance(record, ExperimentChangeRecord):
        before = store.find_experiment_by_id(record.experiment_id)
        if before is None or not _differs(before.description, record.change):
            return False
        apply_record(store, record, folder=_NOWHERE, is_late=True)
        return store.find_experiment_by_id(record.experiment_id) != before
    presence = store.presence_of(record.run_id)
    change = record.change
    if presence is None or presence is Presence.PURGED:
        return False  # there is nothing to change
    if presence is Presence.DELETED and change.is_deleted is not False:
        return False
    run = store.find_run(record.run_id)
    if presence is Presence.SHOWN and (run is None or not _is_lacking(run, change)):
        return False
    apply_record(store, record, folder=_NOWHERE, is_late=True)
    return (store.presence_of(record.run_id), _changeable(store.find_run(record.run_id))) != (
        presence,
        _changeable(run),
    )


def _differs(description: str | None, change: ExperimentChange) -> bool:
    return change.is_deleted or (change.description is not UNSET and change.description != description)


def _is_lacking(run: Run, change: RunChange) -> bool:
    """Whether a run that is shown is not as a change left it."""
    return (
        change.is_deleted is True
        or (change.name is not UNSET and change.name != run.name)
        or (change.note is not UNSET and change.note != run.note)
        or (change.is_archived is not UNSET and change.is_archived != (run.archived_at is not None))
        or _lacks(run.tags, change.new_tags)
        or any(key in run.tags for key in change.gone_tags)
    )


def _lacks(tags: Mapping[str, str], new: Mapping[str, str]) -> bool:
    return any(tags.get(key) != text for key, text in new.items())


def _changeable(run: Run | None) -> object:
    return None if run is None else (run.name, run.note, run.tags, run.archived_at)
