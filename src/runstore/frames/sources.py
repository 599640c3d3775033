"""What a table is read through: these reads of :class:`runstore.protocol.RunReader`."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from runstore.model import DatasetType, Experiment, History, KeyCount, Page, Run, SeriesSummary


class Source(Protocol):
    """A reader, as far as tables need it."""

    def get_experiment(self, experiment_id: str) -> Experiment: ...  # noqa: D102 - documented in runstore.protocol

    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]: ...  # noqa: D102

    def search_runs(  # noqa: D102
        self,
        filter: str | None = None,  # noqa: A002 - the protocol's name
        *,
        experiment_id: str | None = None,
        order_by: Sequence[str] = ("start_time desc",),
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Run]: ...

    def resolve_run(self, reference: str, *, experiment_id: str | None = None) -> str: ...  # noqa: D102

    def list_keys(  # noqa: D102
        self,
        of: Literal["config", "metric", "tag"],
        *,
        experiment_id: str | None = None,
        prefix: str | None = None,
        limit: int = 1000,
    ) -> tuple[KeyCount, ...]: ...

    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]: ...  # noqa: D102

    def get_summaries_of(self, run_ids: Sequence[str]) -> dict[str, tuple[SeriesSummary, ...]]: ...  # noqa: D102

    def get_history(  # noqa: D102
        self,
        run_id: str,
        name: str,
        dataset_type: DatasetType | str,
        *,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> History: ...

    def sample_history(  # noqa: D102, PLR0913
        self,
        run_id: str,
        name: str,
        dataset_type: DatasetType | str,
        *,
        max_points: int = 2000,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> History: ...
