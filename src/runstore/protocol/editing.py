"""What changes runs and experiments that have begun, ended or not."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

from runstore.model import Garbage, Thinned


@runtime_checkable
class RunEditor(Protocol):
    """What changes runs and experiments that have begun, ended or not.

    A change that is made twice is made once, and of two that contradict each other the later one stands. A verb may
    raise what those of :class:`RunStore` may. Every store that :func:`runstore.open_store` returns is an editor;
    through a recorder changes are journaled in order with everything else.
    """

    def rename_run(self, run_id: str, name: str | None) -> None:
        """Gives a run another name, or with ``None`` none [CHG.1].

        Raises:
            InvalidValueError: the name breaks the rule of names.
            RunNotFoundError: no such run; a :class:`~runstore.errors.RunDeletedError` if it was deleted.
        """
        ...

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Lays tags over those that the run has; the last value of a key wins [CHG.2].

        Values are texts, as in ``ensure_run``; ``add_tags`` of an :class:`runstore.ActiveRun` makes texts of numbers.

        Raises:
            InvalidValueError: a tag breaks its rule, or all together are too large.
            RunNotFoundError: as for :meth:`rename_run`.
        """
        ...

    def remove_tags(self, run_id: str, keys: Iterable[str]) -> None:
        """Removes tags by key; a key that the run lacks changes nothing [CHG.2].

        Raises:
            InvalidValueError: ``keys`` is no list of keys.
            RunNotFoundError: as for :meth:`rename_run`.
        """
        ...

    def set_note(self, run_id: str, note: str | None) -> None:
        """Keeps a text of at most 65,535 characters with the run, in place of the one before [CHG.3].

        Raises:
            InvalidValueError: the note is no text, or too long.
            RunNotFoundError: as for :meth:`rename_run`.
        """
        ...

    def archive_run(self, run_id: str) -> None:
        """Puts a run away: searches leave it out unless their filter names ``archived`` [CHG.4].

        Raises:
            RunNotFoundError: as for :meth:`rename_run`.
        """
        ...

    def unarchive_run(self, run_id: str) -> None:
        """Brings an archived run back.

        Raises:
            RunNotFoundError: as for :meth:`rename_run`.
        """
        ...

    def delete_run(self, run_id: str) -> None:
        """Deletes a run: no read shows it any more, and nothing that arrives for it later brings it back [CHG.5].

        It can be restored until :meth:`collect_garbage` removes its data; then the bare id is left, for good [CHG.6].
        Its children stay. Deleting again changes nothing.

        Raises:
            RunNotFoundError: no such run.
        """
        ...

    def restore_run(self, run_id: str) -> None:
        """Undoes :meth:`delete_run`, with all that the run had and was sent meanwhile; else it changes nothing [CHG.5].

        Raises:
            RunNotFoundError: no such run; a :class:`~runstore.errors.RunDeletedError` if its data are gone.
        """
        ...

    def describe_experiment(self, experiment_id: str, description: str | None) -> None:
        """Replaces an experiment's description [CHG.7].

        Raises:
            InvalidValueError: the description is no text, or too long.
            ExperimentNotFoundError: no such experiment.
        """
        ...

    def delete_experiment(self, experiment_id: str) -> None:
        """Deletes every run of an experiment, and shows it no more until it is made again or has a run again [CHG.8].

        Deleting again changes nothing.

        Raises:
            ExperimentNotFoundError: no such experiment.
        """
        ...

    def thin_histories(self, *, ended_before: datetime) -> Thinned:
        """Thins the histories of runs that ended before a moment to what a plot of them needs [CHG.9, CHG.13].

        Summaries stay as they are, with ``count``, ``min``, ``max``, ``first`` and ``last`` and their steps. Points that are sent
        later for steps that were thinned change nothing.

        Raises:
            InvalidValueError: the moment is not an aware time.
        """
        ...

    def collect_garbage(
        self, *, deleted_before: datetime | None = None, owns_artifacts: bool | None = None, dry_run: bool = True
    ) -> Garbage:
        """Removes for good what nothing refers to: data of deleted runs past their time, bytes that no record names [CHG.10].

        Args:
            deleted_before: runs that were deleted before this moment; 30 days ago by default.
            owns_artifacts: whether no other store keeps its artifacts in the same place. Left out, files are collected
                where that is sure: in the database itself, or in the folder beside a SQLite file.
            dry_run: only count.

        Raises:
            InvalidValueError: ``deleted_before`` is not an aware time.
        """
        ...
