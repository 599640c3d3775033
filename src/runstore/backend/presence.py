"""What there is of a run: it is shown, deleted or purged (CHG.5, CHG.6), and takes writes or not."""

from enum import Enum

from runstore.errors import RunDeletedError, RunNotFoundError


class Presence(Enum):
    """What there is of a run."""

    SHOWN = "shown"
    DELETED = "deleted"
    """Hidden from every read, and kept: what is still written to it is kept too."""
    PURGED = "purged"
    """Only the bare id is left, so that nothing revives it."""


def check_kept(run_id: str, presence: Presence | None) -> None:
    """Refuses a write of a run that there is nothing of; a deleted one takes it, for it may be restored.

    Raises:
        RunNotFoundError: the id was never a run's.
        RunDeletedError: the run is purged.
    """
    if presence is None:
        raise RunNotFoundError.of(run_id)
    if presence is Presence.PURGED:
        raise RunDeletedError.of(run_id, is_purged=True)


def check_parent(run_id: str, presence: Presence | None) -> None:
    """Refuses a parent that was never begun. One that was deleted is accepted: no deletion stops who trains below it.

    Raises:
        RunNotFoundError: the id was never a run's.
    """
    if presence is None:
        raise RunNotFoundError.of(run_id, role="parent run")


def not_shown(run_id: str, presence: Presence | None) -> RunNotFoundError:
    """The error for a run that reads do not show."""
    if presence is None:
        return RunNotFoundError.of(run_id)
    return RunDeletedError.of(run_id, is_purged=presence is Presence.PURGED)
