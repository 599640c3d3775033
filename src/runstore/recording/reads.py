"""Reading through a recorder: first what was accepted goes to the store, then the store answers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, BinaryIO

from runstore.model import Artifact, DatasetType, Experiment, History, Page, Run, SeriesSummary
from runstore.protocol import BackendStore
from runstore.recording.health import HEALTH_PREFIX


class RecordedReads(ABC):
    """The methods of :class:`runstore.protocol.RunReader`, each after a flush.

    All may raise :class:`~runstore.errors.StoreUnavailableError`, which then says how many records wait.
    """

    @abstractmethod
    def _bare(self) -> BackendStore:
        """The bare store, once it holds everything that this process was told."""

    def get_experiment(self, experiment_id: str) -> Experiment:
        """See :meth:`runstore.protocol.RunReader.get_experiment`."""
        return self._bare().get_experiment(experiment_id)

    def find_experiment(self, name: str) -> Experiment | None:
        """See :meth:`runstore.protocol.RunReader.find_experiment`."""
        return self._bare().find_experiment(name)

    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]:
        """See :meth:`runstore.protocol.RunReader.list_experiments`."""
        return self._bare().list_experiments(limit=limit, cursor=cursor)

    def get_run(self, run_id: str) -> Run:
        """See :meth:`runstore.protocol.RunReader.get_run`."""
        return self._bare().get_run(run_id)

    def search_runs(
        self,
        filter: str | None = None,  # noqa: A002 - the protocol's word
        *,
        experiment_id: str | None = None,
        order_by: Sequence[str] = ("start_time desc",),
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Run]:
        """See :meth:`runstore.protocol.RunReader.search_runs`."""
        return self._bare().search_runs(
            filter, experiment_id=experiment_id, order_by=order_by, limit=limit, cursor=cursor
        )

    def list_children(self, run_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Run]:
        """See :meth:`runstore.protocol.RunReader.list_children`."""
        return self._bare().list_children(run_id, limit=limit, cursor=cursor)

    def get_config(self, run_id: str) -> dict[str, Any]:
        """See :meth:`runstore.protocol.RunReader.get_config`."""
        return self._bare().get_config(run_id)

    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """See :meth:`runstore.protocol.RunReader.get_configs`."""
        return self._bare().get_configs(run_ids)

    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        """See :meth:`runstore.protocol.RunReader.get_summaries`."""
        return self._bare().get_summaries(run_id)

    def get_summaries_of(self, run_ids: Sequence[str]) -> dict[str, tuple[SeriesSummary, ...]]:
        """See :meth:`runstore.protocol.RunReader.get_summaries_of`."""
        return self._bare().get_summaries_of(run_ids)

    def get_history(
        self,
        run_id: str,
        name: str,
        dataset_type: DatasetType | str,
        *,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> History:
        """See :meth:`runstore.protocol.RunReader.get_history`."""
        return self._bare().get_history(run_id, name, dataset_type, min_step=min_step, max_step=max_step)

    def sample_history(
        self, run_id: str, name: str, dataset_type: DatasetType | str, *, max_points: int = 2000
    ) -> History:
        """See :meth:`runstore.protocol.RunReader.sample_history`."""
        return self._bare().sample_history(run_id, name, dataset_type, max_points=max_points)

    def list_artifacts(self, run_id: str) -> tuple[Artifact, ...]:
        """See :meth:`runstore.protocol.RunReader.list_artifacts`; the records that recorders keep stay hidden."""
        found = self._bare().list_artifacts(run_id)
        return tuple(artifact for artifact in found if not artifact.name.startswith(HEALTH_PREFIX))

    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        """See :meth:`runstore.protocol.RunReader.open_artifact`."""
        return self._bare().open_artifact(run_id, name)
