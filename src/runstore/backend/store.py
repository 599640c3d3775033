"""The two base classes: every store of ours is a :class:`Store`; a plugin's is a :class:`BackendStore`."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from runstore.artifacts.blobs import Blobs
from runstore.artifacts.requests import ArtifactRequest, records_of
from runstore.backend.arguments import NewRun, StepRange
from runstore.backend.reading import Reads
from runstore.backend.writing import Verbs
from runstore.errors import RunNotFoundError
from runstore.local.clock import now_us
from runstore.model import Artifact, Experiment, Run, SeriesSummary, from_microseconds
from runstore.query.searches import RunQuery
from runstore.series.columns import Columns, Series, SeriesColumns
from runstore.series.points import Points
from runstore.series.sampling import sample


class Store(Verbs, Reads):
    """What :func:`runstore.open_store` returns: verbs, reads and the heartbeat, with every argument checked in front.

    The public methods are final. What differs between a database and a recorder are the operations below them, which
    take checked values.
    """

    @abstractmethod
    def close(self) -> None:
        """Gives back what the handle holds; closing twice is closing once. Later calls raise StoreClosedError."""

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the runs that this handle began by what left the block, if anything did, and closes the store [FIN.7]."""
        self.begun.leave(self, error)
        self.close()


class BackendStore(Store):
    """A database that keeps runs: a plugin's ``open`` returns one. A class that lacks an operation cannot be made.

    Operations are called with checked values, from any thread and, after a fork, in another process. Each one is whole
    or not at all, may be called again after its reply was lost, raises
    :class:`~runstore.errors.StoreClosedError` once :meth:`close` was called, and lets no driver's error through
    (``docs/write-a-backend.md``).
    """

    # --- writing ------------------------------------------------------------------------------------------------

    @abstractmethod
    def insert_run(self, new: NewRun) -> bool:
        """Makes the run, ``in_progress`` with the lease :data:`runstore.backend.DEFAULT_LEASE_S`.

        Returns:
            Whether it was made; ``False`` where a run of this id exists, which then stays as it is.

        Raises:
            InvalidValueError: no experiment is named; use :meth:`runstore.backend.NewRun.require_experiment`.
            ExperimentNotFoundError: its experiment is unknown.
            RunNotFoundError: its parent is unknown.
        """

    @abstractmethod
    def reopen_run(self, run_id: str) -> None:
        """Makes a run that has ended ``in_progress`` again, as a new attempt, without end and failure, and alive now.

        A run that has not ended stays as it is.
        """

    @abstractmethod
    def append(self, run_id: str, series: SeriesColumns) -> None:
        """Stores points; a step that exists is overwritten. It counts as a heartbeat, also without any points.

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

    @property
    @abstractmethod
    def blobs(self) -> Blobs:
        """Where the bytes of artifacts are kept."""

    def begin_run(self, new: NewRun) -> None:
        """Makes the run or finds it, with :meth:`find_run`, :meth:`insert_run` and :meth:`reopen_run`."""
        if not (new.is_named and self._is_found(new)):
            new.require_experiment()
            if self.insert_run(new):
                self.begun.add(new.id)
                return
            if new.is_named:  # another writer made it between the look and the insert
                self._is_found(new)
        if new.resume or not new.is_named:
            self.begun.add(new.id)

    def _is_found(self, new: NewRun) -> bool:
        known = self.find_run(new.id)
        if known is None:
            return False
        new.check_found(known.experiment_id)
        if new.resume and known.status.is_final:
            self.reopen_run(new.id)
        return True

    def take_points(self, run_id: str, points: Points) -> None:
        """Stores the points by series."""
        self.append(run_id, points.by_series())

    def keep_artifact(self, run_id: str, request: ArtifactRequest) -> Artifact:
        """Keeps the bytes of files in :attr:`blobs`, then the records."""
        if not self.has_run(run_id):
            raise RunNotFoundError.of(run_id)
        artifact = request.record(run_id, self.blobs, created_at=from_microseconds(now_us()))
        self.record_artifacts(run_id, records_of(artifact))
        return artifact

    # --- reading ------------------------------------------------------------------------------------------------

    def source(self) -> "BackendStore":
        """The store itself."""
        return self

    @abstractmethod
    def find_experiment_by_id(self, experiment_id: str) -> Experiment | None:
        """The experiment of this id."""

    @abstractmethod
    def read_experiments(self, after: str | None, limit: int) -> Sequence[Experiment]:
        """At most ``limit`` experiments by name in code-point order, those behind the name ``after`` if one is given."""

    @abstractmethod
    def find_run(self, run_id: str) -> Run | None:
        """The run of this id, ``lost`` if it is by the database's clock (:func:`runstore.backend.is_lost`)."""

    def has_run(self, run_id: str) -> bool:
        """Whether there is a run of this id."""
        return self.find_run(run_id) is not None

    @abstractmethod
    def read_runs(self, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
        """A page of runs.

        Returns:
            At most ``asked.limit`` runs in order, strictly behind the place ``asked.after``; and the place of the last
            of them if more follow, else ``None``.
        """

    @abstractmethod
    def read_configs(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        """The texts of the configs of those runs that exist, ``"{}"`` where none was logged."""

    @abstractmethod
    def read_summaries(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[SeriesSummary]]:
        """The summaries of those runs that exist, by name and dataset type in code-point order."""

    @abstractmethod
    def read_history(self, run_id: str, series: Series, steps: StepRange) -> Columns | None:
        """The points of a series within a range of steps; ``None`` where there is no such series."""

    def read_sample(self, run_id: str, series: Series, max_points: int) -> tuple[Columns, int] | None:
        """At most ``max_points`` points that keep the shape (MET.12), and how many they stand for.

        This one reads the whole series; a backend that can thin in the database overrides it.
        """
        whole = self.read_history(run_id, series, StepRange())
        return None if whole is None else (sample(whole, max_points), len(whole.steps))

    @abstractmethod
    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        """The records of a run, by name in code-point order; none where there is no such run."""

    @abstractmethod
    def read_artifact(self, run_id: str, name: str) -> Artifact | None:
        """One record."""
