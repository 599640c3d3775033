"""The operations of a backend: what differs from database to database."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from runstore.artifacts.blobs import Blobs
from runstore.backend.arguments import NewRun, StepRange
from runstore.backend.counting import KeyRow, ValueRow, count_keys, count_runs, count_values
from runstore.backend.placing import PlacedRun
from runstore.backend.presence import Presence
from runstore.charts import GridAxis, HistoryGrid
from runstore.errors import StoreFailureError
from runstore.model import Artifact, DeletedRun, Experiment, Run, SeriesSummary, to_microseconds
from runstore.query.deletions import DeletedQuery
from runstore.query.facets import KeyQuery, ValueQuery
from runstore.query.searches import RunQuery
from runstore.series.columns import Columns, Series, SeriesColumns
from runstore.series.grids import GridRequest
from runstore.series.grids_of_points import grid_of_points
from runstore.series.sampling import sample


class Operations(ABC):
    """What a database does for the verbs and reads. Arguments are checked already.

    Operations are called from any thread and, after a fork, in another process. Each one is whole or not at all, may be
    called again after its reply was lost, raises :class:`~runstore.errors.StoreClosedError` once the store was closed,
    and lets no driver's error through (``docs/write-a-backend.md``).
    """

    # --- writing ------------------------------------------------------------------------------------------------

    @abstractmethod
    def insert_run(self, new: NewRun) -> bool:
        """Makes the run, ``in_progress`` with the lease :data:`runstore.backend.DEFAULT_LEASE_S`.

        A deleted experiment is shown again from then on.

        Returns:
            Whether it was made; ``False`` where a run of this id exists, deleted or not, which then stays as it is.

        Raises:
            InvalidValueError: no experiment is named; use :meth:`runstore.backend.NewRun.require_experiment`.
            ExperimentNotFoundError: its experiment is unknown.
            RunNotFoundError: its parent was never begun; one that was deleted is a parent still.
        """

    @abstractmethod
    def reopen_run(self, run_id: str) -> None:
        """Makes a run that has ended ``in_progress`` again, as a new attempt, without end and failure, and alive now.

        A run that has not ended stays as it is.
        """

    @abstractmethod
    def append(self, run_id: str, series: SeriesColumns) -> None:
        """Stores points; a step that exists is overwritten. It counts as a heartbeat, also without any points.

        A deleted run takes them like every other write, so that nothing is missing should it be restored. A purged one
        takes nothing: each write of it raises :class:`~runstore.errors.RunDeletedError`.

        Args:
            run_id: the run.
            series: in the order of name and dataset type, in which every writer takes its locks.

        Raises:
            RunNotFoundError: no such run; nothing is stored.
        """

    @abstractmethod
    def record_artifacts(self, run_id: str, records: Sequence[Artifact]) -> None:
        """Writes records whose bytes are kept already; one of the same name is replaced. It counts as a heartbeat.

        Raises:
            RunNotFoundError: no such run; nothing is stored.
        """

    def place_run(self, placed: PlacedRun) -> None:
        """Makes a run with all facts as they were in another store, or brings the one that is there to them (MOVE.1-5).

        What a run has logged is no fact of it and stays. A deleted experiment is shown again by a run that is made. It is
        no change that :meth:`runstore.backend.RunChange.standing` should know of: what a journal brings later still stands.

        This one refuses: a backend that lacks it takes no runs from elsewhere.

        Raises:
            RunDeletedError: the run was deleted; :meth:`runstore.backend.PlacedRun.check_presence` says so.
            ConflictError: it is there as another one (:meth:`runstore.backend.PlacedRun.check_found`).
            ExperimentNotFoundError: its experiment is unknown.
            RunNotFoundError: its parent was never begun; one that was deleted is a parent still.
        """
        raise StoreFailureError(
            f"run {placed.id!r} cannot be brought here: {type(self).__name__} takes no runs from elsewhere, for its class "
            "lacks the operation place_run; ask its author, or copy into another store"
        )

    def catch_up(self) -> bool:
        """Does a bounded piece of work that nobody waits for, as to roll up what was stored long ago.

        A recorder calls it while it has nothing to store.

        Returns:
            Whether there may be more to do.
        """
        return False

    @property
    @abstractmethod
    def blobs(self) -> Blobs:
        """Where the bytes of artifacts are kept."""

    # --- reading ------------------------------------------------------------------------------------------------

    @abstractmethod
    def find_experiment_by_id(self, experiment_id: str) -> Experiment | None:
        """The experiment of this id; ``None`` for a deleted one."""

    @abstractmethod
    def read_experiments(self, after: str | None, limit: int) -> Sequence[Experiment]:
        """At most ``limit`` experiments by name in code-point order, those behind the name ``after`` if one is given."""

    @abstractmethod
    def find_run(self, run_id: str) -> Run | None:
        """The run of this id, ``lost`` if it is by the database's clock (:func:`runstore.backend.is_lost`).

        Like every read it knows nothing of a deleted run.
        """

    @abstractmethod
    def presence_of(self, run_id: str) -> Presence | None:
        """What there is of a run: every read hides it unless it is ``SHOWN``. ``None`` for an id that was never a run's."""

    def has_run(self, run_id: str) -> bool:
        """Whether reads show a run of this id."""
        return self.presence_of(run_id) is Presence.SHOWN

    @abstractmethod
    def read_runs(self, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
        """A page of runs, without archived ones unless ``asked.with_archived``.

        Returns:
            At most ``asked.limit`` runs in order, strictly behind the place ``asked.after``; and the place of the last
            of them if more follow, else ``None``.
        """

    @abstractmethod
    def read_deleted(self, asked: DeletedQuery) -> Sequence[DeletedRun]:
        """At most ``asked.limit`` runs that were deleted and not purged, those deleted last first, ties by id.

        Only those strictly behind ``asked.after``, if that is given.
        """

    def read_count(self, asked: RunQuery) -> int:
        """How many runs match, whatever ``asked.limit`` says.

        This one reads all that match, like the two below it; a backend that can count in the database overrides them.
        """
        return count_runs(self, asked)

    def read_keys(self, asked: KeyQuery) -> Sequence[KeyRow]:
        """The keys in use and how many runs have each: the highest counts first, then by key and dataset type."""
        return count_keys(self, asked)

    def read_values(self, asked: ValueQuery) -> Sequence[ValueRow]:
        """The values of a field and how many runs have each: the highest counts first, then by kind and value.

        Counted are texts, finite numbers and booleans, in the order of :class:`runstore.query.Rank`.
        """
        return count_values(self, asked)

    @abstractmethod
    def read_configs(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        """The texts of the configs of those runs that exist, ``"{}"`` where none was logged."""

    @abstractmethod
    def read_summaries(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[SeriesSummary]]:
        """The summaries of those runs that exist, by name and dataset type in code-point order."""

    @abstractmethod
    def read_history(self, run_id: str, series: Series, steps: StepRange) -> Columns | None:
        """The points of a series within a range of steps; none, or ``None``, where there is no such series or run."""

    def read_sample(self, run_id: str, series: Series, max_points: int, steps: StepRange) -> tuple[Columns, int] | None:
        """At most ``max_points`` points of a range that keep the shape (MET.12), and how many they stand for.

        This one reads each point of the range; a backend that keeps roll-ups (:mod:`runstore.series`) overrides it.
        """
        whole = self.read_history(run_id, series, steps)
        return None if whole is None else (sample(whole, max_points), len(whole.steps))

    def read_grid(self, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        """Many series on one grid (MET.14); a run or a series that is not there is left out.

        This one reads each point of the range; a backend that keeps roll-ups overrides it.
        """
        found = {key: self.read_history(key.run_id, (key.name, key.dataset_type), steps) for key in asked.keys}
        starts_us = {}
        if asked.by is GridAxis.TIME:
            runs = [self.find_run(run_id) for run_id in dict.fromkeys(key.run_id for key in asked.keys)]
            starts_us = {run.id: to_microseconds(run.start_time) for run in runs if run is not None}
            found = {key: columns for key, columns in found.items() if key.run_id in starts_us}
        return grid_of_points(asked, found, starts_us)

    @abstractmethod
    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        """The records of a run, by name in code-point order; none where there is no such run."""

    @abstractmethod
    def read_artifact(self, run_id: str, name: str) -> Artifact | None:
        """One record."""
