"""The reads: arguments are checked, filters parsed, pages cut and samples thinned here, once, for every backend."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, BinaryIO, final

from msgspec.structs import replace

from runstore.artifacts.verifying import open_verified
from runstore.backend.advising import advice_from
from runstore.backend.arguments import StepRange
from runstore.backend.operations import Operations
from runstore.backend.presence import Presence, not_shown
from runstore.backend.resolving import resolve
from runstore.charts import HistoryGrid
from runstore.errors import ArtifactNotFoundError, ExperimentNotFoundError, RunNotFoundError, StoreFailureError
from runstore.model import (
    Artifact,
    DatasetType,
    DeletedRun,
    Experiment,
    History,
    KeyCount,
    Page,
    Run,
    SeriesSummary,
    ValueCount,
)
from runstore.query.deletions import check_deleted
from runstore.query.facets import KeyKind, check_count, check_keys, check_values
from runstore.query.searches import RunQuery, check_children, check_experiments, check_search
from runstore.query.spelling import spelt, spelt_literal
from runstore.query.tree import ConfigKey, Metric, Tag
from runstore.query.walking import page_by_page
from runstore.series.columns import Columns, Series
from runstore.series.grids import check_axis, check_series_keys, grid_request
from runstore.series.sampling import check_sample_size
from runstore.values.checks import (
    check_artifact_name,
    check_dataset_type,
    check_name,
    check_run_id,
    check_run_ids,
)
from runstore.values.config import decode_config
from runstore.values.ids import experiment_id_of


class Reads(ABC):
    """The methods of :class:`runstore.protocol.RunReader`, final, over the operations of a backend."""

    @abstractmethod
    def source(self) -> Operations:
        """The backend that answers, ready to be asked."""

    @final
    def get_experiment(self, experiment_id: str) -> Experiment:
        found = self.source().find_experiment_by_id(check_name(experiment_id, "experiment_id"))
        if found is None:
            raise ExperimentNotFoundError.of(experiment_id)
        return found

    @final
    def find_experiment(self, name: str) -> Experiment | None:
        return self.source().find_experiment_by_id(experiment_id_of(check_name(name, "experiment name")))

    @final
    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]:
        asked = check_experiments(limit=limit, cursor=cursor)
        found = self.source().read_experiments(asked.after, asked.limit + 1)
        items = tuple(found[: asked.limit])
        return Page(items=items, next_cursor=asked.cursor_after(items[-1].name) if len(found) > asked.limit else None)

    @final
    def get_run(self, run_id: str) -> Run:
        source = self.source()
        found = source.find_run(check_run_id(run_id))
        if found is None:
            raise _missing(source, run_id)
        return found

    @final
    def search_runs(
        self,
        filter: str | None = None,  # noqa: A002 - the protocol's name
        *,
        experiment_id: str | None = None,
        order_by: Sequence[str] = ("start_time desc",),
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Run]:
        with advice_from(self.source, experiment_id=experiment_id):
            asked = check_search(filter, experiment_id=experiment_id, order_by=order_by, limit=limit, cursor=cursor)
        return _page(self.source(), asked)

    @final
    def iter_runs(
        self,
        filter: str | None = None,  # noqa: A002 - the protocol's name
        *,
        experiment_id: str | None = None,
        order_by: Sequence[str] = ("start_time desc",),
        limit: int | None = None,
    ) -> Iterator[Run]:
        def read(size: int, cursor: str | None) -> Page[Run]:
            return self.search_runs(filter, experiment_id=experiment_id, order_by=order_by, limit=size, cursor=cursor)

        return chain.from_iterable(page_by_page(read, limit=limit))

    @final
    def resolve_run(self, reference: str, *, experiment_id: str | None = None) -> str:
        return resolve(self.source(), reference, experiment_id=experiment_id)

    @final
    def runs_frame(  # noqa: PLR0913 - the protocol's arguments
        self,
        filter: str | None = None,  # noqa: A002 - the protocol's name
        *,
        experiment_id: str | None = None,
        columns: Sequence[str] | None = None,
        order_by: Sequence[str] = ("start_time desc",),
        limit: int | None = None,
        as_: str | None = None,
    ) -> Any:
        from runstore.frames import runs_frame  # noqa: PLC0415 - most programs make no table

        with advice_from(self.source, experiment_id=experiment_id):
            return runs_frame(
                self, filter, experiment_id=experiment_id, columns=columns, order_by=order_by, limit=limit, as_=as_
            )

    @final
    def count_runs(
        self,
        filter: str | None = None,  # noqa: A002 - the protocol's name
        *,
        experiment_id: str | None = None,
    ) -> int:
        with advice_from(self.source, experiment_id=experiment_id):
            asked = check_count(filter, experiment_id=experiment_id)
        return self.source().read_count(asked)

    @final
    def list_keys(
        self,
        of: KeyKind,
        *,
        experiment_id: str | None = None,
        prefix: str | None = None,
        limit: int = 1000,
    ) -> tuple[KeyCount, ...]:
        asked = check_keys(of, experiment_id=experiment_id, prefix=prefix, limit=limit)
        return tuple(_key_count(of, *row) for row in self.source().read_keys(asked))

    @final
    def list_values(
        self, field: str, *, experiment_id: str | None = None, prefix: str | None = None, limit: int = 100
    ) -> tuple[ValueCount, ...]:
        with advice_from(self.source, experiment_id=experiment_id):
            asked = check_values(field, experiment_id=experiment_id, prefix=prefix, limit=limit)
        found = self.source().read_values(asked)
        return tuple(_value_count(value, runs) for value, runs in found)

    @final
    def list_deleted(
        self, *, experiment_id: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[DeletedRun]:
        asked = check_deleted(experiment_id=experiment_id, limit=limit, cursor=cursor)
        found = self.source().read_deleted(replace(asked, limit=asked.limit + 1))
        items = tuple(found[: asked.limit])
        return Page(items=items, next_cursor=asked.cursor_after(items[-1]) if len(found) > asked.limit else None)

    @final
    def list_children(self, run_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Run]:
        asked = check_children(run_id, limit=limit, cursor=cursor)
        source = self.source()
        _require_run(source, run_id)
        return _page(source, asked)

    @final
    def get_config(self, run_id: str) -> dict[str, Any]:
        source = self.source()
        found = source.read_configs([check_run_id(run_id)])
        if run_id not in found:
            raise _missing(source, run_id)
        return _decoded(found[run_id], run_id)

    @final
    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        wanted = check_run_ids(run_ids)
        found = self.source().read_configs(wanted)
        return {run_id: _decoded(found[run_id], run_id) for run_id in wanted if run_id in found}

    @final
    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        source = self.source()
        found = source.read_summaries([check_run_id(run_id)])
        if run_id not in found:
            raise _missing(source, run_id)
        return tuple(found[run_id])

    @final
    def get_summaries_of(self, run_ids: Sequence[str]) -> dict[str, tuple[SeriesSummary, ...]]:
        wanted = check_run_ids(run_ids)
        found = self.source().read_summaries(wanted)
        return {run_id: tuple(found[run_id]) for run_id in wanted if run_id in found}

    @final
    def get_history(
        self,
        run_id: str,
        name: str,
        dataset_type: DatasetType | str,
        *,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> History:
        run_id, series = check_run_id(run_id), _series(name, dataset_type)
        steps = StepRange.checked(min_step, max_step)
        source = self.source()
        found = source.read_history(run_id, series, steps)
        return _history(source, run_id, series, found, represents=None)

    @final
    def sample_history(  # noqa: PLR0913 - the protocol's signature
        self,
        run_id: str,
        name: str,
        dataset_type: DatasetType | str,
        *,
        max_points: int = 2000,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> History:
        most = check_sample_size(max_points)
        run_id, series = check_run_id(run_id), _series(name, dataset_type)
        steps = StepRange.checked(min_step, max_step)
        source = self.source()
        found, represents = source.read_sample(run_id, series, most, steps) or (None, None)
        return _history(source, run_id, series, found, represents=represents)

    @final
    def history_frame(  # noqa: PLR0913 - the protocol's arguments
        self,
        runs: str | Run | Iterable[str | Run],
        metrics: str | tuple[str, str] | Sequence[str | tuple[str, str]] | None = None,
        *,
        max_points: int | None = None,
        min_step: int | None = None,
        max_step: int | None = None,
        as_: str | None = None,
    ) -> Any:
        from runstore.frames import history_frame  # noqa: PLC0415 - most programs make no table

        return history_frame(self, runs, metrics, max_points=max_points, min_step=min_step, max_step=max_step, as_=as_)

    @final
    def sample_histories(
        self,
        keys: Iterable[tuple[str, str, DatasetType | str]],
        *,
        max_points: int = 1000,
        min_step: int | None = None,
        max_step: int | None = None,
        by: str = "step",
    ) -> HistoryGrid:
        asked = grid_request(check_series_keys(keys), check_axis(by), check_sample_size(max_points))
        steps = StepRange.checked(min_step, max_step)
        return self.source().read_grid(asked, steps)

    @final
    def list_artifacts(self, run_id: str) -> tuple[Artifact, ...]:
        source = self.source()
        found = source.read_artifacts(check_run_id(run_id))
        if not found:
            _require_run(source, run_id)
        return tuple(artifact for artifact in found if not self.hides(artifact))

    def hides(self, artifact: Artifact) -> bool:  # noqa: ARG002 - for those who override it
        """Whether a list leaves out an artifact."""
        return False

    @final
    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        run_id, name = check_run_id(run_id), check_artifact_name(name)
        source = self.source()
        found = source.read_artifact(run_id, name)
        if found is None:
            _require_run(source, run_id)
            raise ArtifactNotFoundError.of(run_id, name)
        return open_verified(found, source.blobs)


def _series(name: object, dataset_type: object) -> Series:
    return check_name(name, "name"), check_dataset_type(dataset_type, "dataset_type")


def _require_run(source: Operations, run_id: str) -> None:
    if not source.has_run(run_id):
        raise _missing(source, run_id)


def _decoded(text: str, run_id: str) -> dict[str, Any]:
    try:
        return decode_config(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise StoreFailureError(
            f"the configuration of run {run_id!r} is not as runstore writes it: {error}; another program has changed it: change it "
            "back, or restore a backup"
        ) from error


def _missing(source: Operations, run_id: str) -> RunNotFoundError:
    """What is wrong with a run that was not found; asked only then."""
    presence = source.presence_of(run_id)
    return RunNotFoundError.of(run_id) if presence is Presence.SHOWN else not_shown(run_id, presence)


def _page(source: Operations, asked: RunQuery) -> Page[Run]:
    runs, place = source.read_runs(asked)
    return Page(items=tuple(runs), next_cursor=None if place is None else asked.cursor_after(place))


def _value_count(value: bool | float | str, runs: int) -> ValueCount:  # noqa: FBT001 - a value of a config
    if value == 0.0 and isinstance(value, float):
        value = 0.0  # also for -0.0: a filter finds both by either, and a backend gives the one that came first
    return ValueCount(value=value, literal=spelt_literal(value), runs=runs)


def _key_count(of: KeyKind, key: str, dataset_type: str, runs: int) -> KeyCount:
    match of:
        case "tag":
            return KeyCount(field=spelt(Tag(key)), key=key, runs=runs)
        case "config":
            return KeyCount(field=spelt(ConfigKey(key)), key=key, runs=runs)
        case _:
            field = spelt(Metric(dataset_type, key, "last"))
            return KeyCount(field=field, key=key, dataset_type=DatasetType(dataset_type), runs=runs)


def _history(
    source: Operations, run_id: str, series: Series, found: Columns | None, *, represents: int | None
) -> History:
    if found is None or not found.steps:
        _require_run(source, run_id)
        found = Columns.empty()
    return History(
        name=series[0],
        dataset_type=DatasetType(series[1]),
        steps=found.steps,
        values=found.values,
        logged_at_us=found.logged_at_us,
        represents=represents,
    )
