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
    """Refuses a parent that reads do not show.

    Raises:
        RunNotFoundError: the id was never a run's.
        RunDeletedError: the run is deleted or purged.
    """
    if presence is not Presence.SHOWN:
        raise not_shown(run_id, presence, role="parent run")


def not_shown(run_id: str, presence: Presence | None, role: str = "run") -> RunNotFoundError:
    """The error for a run that reads do not show."""
    if presence is None:
        return RunNotFoundError.of(run_id, role=role)
    return RunDeletedError.of(run_id, role, is_purged=presence is Presence.PURGED)
