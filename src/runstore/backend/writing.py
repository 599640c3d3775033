"""The verbs: what each receives is checked here, once, and handed on in canonical form."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from os import PathLike
from typing import Any, final

from runstore.artifacts.requests import ArtifactRequest, check_artifact
from runstore.backend.arguments import NewExperiment, NewRun, RunEnd
from runstore.backend.begun import BegunRuns
from runstore.local.clock import now_us
from runstore.model import Artifact, MetricPoint, RunFailure, RunStatus
from runstore.series.points import Points, check_points
from runstore.values.checks import check_lease, check_run_id
from runstore.values.config import ConfigDocument


class Verbs(ABC):
    """The verbs of :class:`runstore.protocol.RunStore` and the heartbeat, final, over operations on checked values."""

    @cached_property
    def begun(self) -> BegunRuns:
        """The runs that this handle has begun and not ended (FIN.7)."""
        return BegunRuns()

    @final
    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        new = NewExperiment.checked(name, description=description)
        self.make_experiment(new)
        return new.id

    @final
    def ensure_run(  # noqa: PLR0913 - the protocol's signature
        self,
        experiment_id: str | None = None,
        *,
        run_id: str | None = None,
        training_mode: str = "centralized",
        parent_run_id: str | None = None,
        client_id: str | None = None,
        name: str | None = None,
        source_path: str | None = None,
        tags: Mapping[str, str] | None = None,
        provenance: Mapping[str, Any] | None = None,
        start_time: datetime | None = None,
        resume: bool = False,
    ) -> str:
        new = NewRun.checked(
            experiment_id=experiment_id,
            run_id=run_id,
            training_mode=training_mode,
            parent_run_id=parent_run_id,
            client_id=client_id,
            name=name,
            source_path=source_path,
            tags=tags,
            provenance=provenance,
            start_time=start_time,
            resume=resume,
        )
        self.begin_run(new)
        return new.id

    @final
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        checked = check_points(points, now_us=now_us())
        self.take_points(check_run_id(run_id), checked)

    @final
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        self.merge_config(check_run_id(run_id), ConfigDocument.checked(config))

    @final
    def log_artifact(  # noqa: PLR0913 - the protocol's signature
        self,
        run_id: str,
        path: str | PathLike[str],
        *,
        name: str | None = None,
        artifact_type: str = "file",
        copy: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> Artifact:
        run_id = check_run_id(run_id)
        request = check_artifact(path, name=name, artifact_type=artifact_type, copy=copy, metadata=metadata)
        return self.keep_artifact(run_id, request)

    @final
    def finalize(
        self,
        run_id: str,
        status: RunStatus | str,
        *,
        end_time: datetime | None = None,
        error: BaseException | RunFailure | None = None,
    ) -> None:
        end = RunEnd.checked(status, end_time=end_time, error=error)
        self.end_run(check_run_id(run_id), end)
        self.begun.discard(run_id)

    @final
    def heartbeat(self, run_id: str, *, lease_s: float) -> None:
        """Marks an unfinished run as alive now, by the database's clock, for ``lease_s`` seconds to come [FIN.6].

        For a run that has ended it changes nothing. Every acknowledged write of a run is a heartbeat too.

        Raises:
            RunNotFoundError: no such run.
            InvalidValueError: ``lease_s`` is not positive and finite.
        """
        self.beat(check_run_id(run_id), check_lease(lease_s))

    # --- operations ---------------------------------------------------------------------------------------------

    @abstractmethod
    def make_experiment(self, new: NewExperiment) -> None:
        """Makes the experiment, or gives one that has no description this one (EXP.4)."""

    @abstractmethod
    def begin_run(self, new: NewRun) -> None:
        """Makes the run or finds it; reopens it if that is asked for.

        Raises:
            ExperimentNotFoundError: the run must be made, and its experiment is unknown.
            RunNotFoundError: the run must be made, and its parent is unknown.
            ConflictError: the run exists under another experiment.
        """

    @abstractmethod
    def take_points(self, run_id: str, points: Points) -> None:
        """Stores all of the points or none.

        Raises:
            RunNotFoundError: no such run.
        """

    @abstractmethod
    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        """Lays a config over the run's (:meth:`runstore.values.ConfigDocument.merged_over`) and counts as a heartbeat.

        Raises:
            RunNotFoundError: no such run.
            InvalidValueError: the whole goes over a bound.
        """

    @abstractmethod
    def keep_artifact(self, run_id: str, request: ArtifactRequest) -> Artifact:
        """Keeps the bytes, then the records; gives the record, for a folder with its ``parts``.

        Raises:
            RunNotFoundError: no such run; no bytes were kept.
        """

    @abstractmethod
    def end_run(self, run_id: str, end: RunEnd) -> None:
        """Ends the run, unless it has ended this way already (:meth:`runstore.backend.RunEnd.is_reached`).

        Raises:
            RunNotFoundError: no such run.
            RunFinalizedError: the run has ended with another status.
            InvalidValueError: the end lies before the run's start.
        """

    @abstractmethod
    def beat(self, run_id: str, lease_s: float) -> None:
        """Sets heartbeat and lease of an unfinished run, by the database's clock; an ended run stays as it is.

        Raises:
            RunNotFoundError: no such run.
        """
