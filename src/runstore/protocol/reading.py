"""What people's tools read through."""

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, BinaryIO, Literal, Protocol, Self, runtime_checkable

from runstore.charts import HistoryGrid
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


@runtime_checkable
class RunReader(Protocol):
    """What people's tools read through: experiments, runs, configs, summaries, histories, artifacts."""

    def get_experiment(self, experiment_id: str) -> Experiment:
        """The experiment of this id.

        Raises:
            ExperimentNotFoundError: no such experiment.
        """
        ...

    def find_experiment(self, name: str) -> Experiment | None:
        """The experiment of exactly this name, or ``None``."""
        ...

    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]:
        """A keyset page of experiments, ordered by name in code-point order."""
        ...

    def get_run(self, run_id: str) -> Run:
        """The run of this id, its status as of now by the database's clock [FIN.6].

        Raises:
            RunNotFoundError: no such run; a :class:`~runstore.errors.RunDeletedError` if it was deleted.
        """
        ...

    def search_runs(
        self,
        filter: str | None = None,  # noqa: A002 - the field's word, and keyword use reads best
        *,
        experiment_id: str | None = None,
        order_by: Sequence[str] = ("start_time desc",),
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Run]:
        """A keyset page of the runs that match a filter, in a total and stable order [READ.1-5].

        Args:
            filter: an expression of :mod:`runstore.query.tree`, for example
                ``status = 'completed' and metric.validation.auroc.max > 0.9 and config.model.depth in (18, 34)``.
            experiment_id: only runs of this experiment.
            order_by: fields of the same language, each with ``asc`` (default) or ``desc``.
            limit: 1 to 10,000 runs a page.
            cursor: ``next_cursor`` of the page before, from the same filter and order.

        Raises:
            QueryError: the filter, an order or the cursor cannot be understood; says where.
        """
        ...

    def iter_runs(
        self,
        filter: str | None = None,  # noqa: A002 - as search_runs has it
        *,
        experiment_id: str | None = None,
        order_by: Sequence[str] = ("start_time desc",),
        limit: int | None = None,
    ) -> Iterator[Run]:
        """Every run that matches, page after page, each page read when it is needed [READ.13].

        Args:
            filter: as of :meth:`search_runs`.
            experiment_id: only runs of this experiment.
            order_by: as of :meth:`search_runs`.
            limit: at most so many runs; all by default.

        Raises:
            QueryError: as of :meth:`search_runs`; before the first run is asked for.
        """
        ...

    def resolve_run(self, reference: str, *, experiment_id: str | None = None) -> str:
        """The id of the one run that a person means [READ.14].

        Args:
            reference: a run's id; the beginning or the end of it, at least 4 characters; its name; or ``@1`` for the
                newest run, ``@2`` for the one before it, and so on. Archived runs are found by all but ``@``.
            experiment_id: only runs of this experiment.

        Raises:
            RunNotFoundError: no run is meant.
            InvalidValueError: several are, or ``reference`` is empty; names some of them.
        """
        ...

    def runs_frame(  # noqa: PLR0913 - keyword-only past the filter
        self,
        filter: str | None = None,  # noqa: A002 - as search_runs has it
        *,
        experiment_id: str | None = None,
        columns: Sequence[str] | None = None,
        order_by: Sequence[str] = ("start_time desc",),
        limit: int | None = None,
        as_: str | None = None,
    ) -> Any:
        """The runs that match as a table: a row a run, a column a field of the filter language [READ.15].

        Args:
            filter: as of :meth:`search_runs`.
            experiment_id: only runs of this experiment.
            columns: fields such as ``name``, ``config.lr``, ``metric.validation.auroc.max`` or ``tag.owner``; and
                ``config.*``, ``tag.*``, ``metric.*``, ``metric.validation.*.max`` for all that the runs have. By default
                the id, name, experiment, status, start time and duration, and all tags, settings and last values.
                One that no run has is empty, and a warning names it.
            order_by: as of :meth:`search_runs`.
            limit: at most so many runs; all by default.
            as_: ``"pandas"``, ``"polars"``, ``"arrow"`` (a ``pyarrow.Table``), or ``"frame"`` for a
                :class:`runstore.frames.Frame`, which needs none of them; by default the first of these that is
                installed.

        Returns:
            The table. Integers stay integers, times are UTC, what a run lacks is null, and NaN stays NaN.

        Raises:
            QueryError: the filter, an order or a column cannot be understood.
            InvalidValueError: ``as_`` is unknown or not installed.
        """
        ...

    def count_runs(
        self,
        filter: str | None = None,  # noqa: A002 - as for search_runs
        *,
        experiment_id: str | None = None,
    ) -> int:
        """How many runs :meth:`search_runs` finds with the same filter on all its pages together [READ.10].

        Raises:
            QueryError: the filter cannot be understood; says where.
        """
        ...

    def list_keys(
        self,
        of: Literal["config", "metric", "tag"],
        *,
        experiment_id: str | None = None,
        prefix: str | None = None,
        limit: int = 1000,
    ) -> tuple[KeyCount, ...]:
        """The keys in use, those that most runs have first, ties by key in code-point order [READ.11].

        Archived and deleted runs are not counted.

        Args:
            of: whose keys.
            experiment_id: only in runs of this experiment.
            prefix: only keys that begin so; of metrics, their names.
            limit: 1 to 10,000 keys.

        Raises:
            InvalidValueError: names the argument.
        """
        ...

    def list_values(
        self, field: str, *, experiment_id: str | None = None, prefix: str | None = None, limit: int = 100
    ) -> tuple[ValueCount, ...]:
        """The values of a field that a filter can ask for, those that most runs have first [READ.11].

        Ties: numbers, texts, booleans, each ascending. Archived runs are counted only for the field ``archived``, deleted
        ones never.

        Args:
            field: of the filter language, such as ``tag.owner``, ``config.model.depth``, ``status``, ``experiment``;
                of ``artifact`` each name counts the runs that have it, without the records in which recorders keep
                figures of their own.
            experiment_id: only in runs of this experiment.
            prefix: only texts that begin so.
            limit: 1 to 10,000 values.

        Raises:
            QueryError: the field is unknown, or nearly every run has a value of its own: a metric, a time, an id.
            InvalidValueError: names the argument.
        """
        ...

    def list_deleted(
        self, *, experiment_id: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[DeletedRun]:
        """A keyset page of the deleted runs that :meth:`RunEditor.restore_run` can bring back, the last deleted first [CHG.12].

        Args:
            experiment_id: only runs of this experiment, which may be deleted, too.
            limit: 1 to 10,000 runs a page.
            cursor: ``next_cursor`` of the page before.

        Raises:
            QueryError: the cursor does not belong to this list.
        """
        ...

    def list_children(self, run_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Run]:
        """A keyset page of the runs whose parent is this run, in creation order (start time, then id) [RUN.7].

        Raises:
            RunNotFoundError: no such run.
        """
        ...

    def get_config(self, run_id: str) -> dict[str, Any]:
        """The run's merged config; ``{}`` when none was logged.

        Raises:
            RunNotFoundError: no such run.
        """
        ...

    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The configs of many runs at once, by run id; unknown runs are left out."""
        ...

    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        """The run's series, ordered by name, then dataset type, in code-point order.

        Raises:
            RunNotFoundError: no such run.
        """
        ...

    def get_summaries_of(self, run_ids: Sequence[str]) -> dict[str, tuple[SeriesSummary, ...]]:
        """The series of many runs at once, by run id; unknown runs are left out."""
        ...

    def get_history(
        self,
        run_id: str,
        name: str,
        dataset_type: DatasetType | str,
        *,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> History:
        """The points of one series in step order, within an inclusive range of steps; empty if unknown [MET.11].

        Raises:
            RunNotFoundError: no such run.
        """
        ...

    def sample_history(  # noqa: PLR0913 - keyword-only past the series
        self,
        run_id: str,
        name: str,
        dataset_type: DatasetType | str,
        *,
        max_points: int = 2000,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> History:
        """At most ``max_points`` (at least 4) points that keep the first, the last and each bucket's extremes.

        Buckets are equal ranges of steps whose width is a power of two; everything is returned when there are no more
        points than asked for [MET.12]. ``History.represents`` says how many points they stand for.

        Args:
            run_id: the run.
            name: the metric's name.
            dataset_type: the series' dataset type.
            max_points: how many points there may be.
            min_step: the lowest step that is looked at; from the first on by default.
            max_step: the highest step that is looked at; to the last by default.

        Raises:
            RunNotFoundError: no such run.
            InvalidValueError: ``max_points`` is under 4.
        """
        ...

    def history_frame(  # noqa: PLR0913 - keyword-only past the metrics
        self,
        runs: str | Run | Iterable[str | Run],
        metrics: str | tuple[str, str] | Sequence[str | tuple[str, str]] | None = None,
        *,
        max_points: int | None = None,
        min_step: int | None = None,
        max_step: int | None = None,
        as_: str | None = None,
    ) -> Any:
        """The points of many series as one long table: ``run_id name dataset_type step value logged_at`` [READ.15].

        Rows stand run by run as asked for, then by name, dataset type and step.

        Args:
            runs: one run or several, each as :meth:`resolve_run` takes it or as it was read. Of a page its own runs;
                :meth:`iter_runs` gives those of all pages.
            metrics: names, each for all of its dataset types, or pairs such as ``("loss", "train")``; all by default.
                A name that the runs lack, such as that of a metric not yet logged, gives no rows, and a warning
                names it.
            max_points: at most so many points of each series, as :meth:`sample_history` chooses them.
            min_step: no points before this step.
            max_step: no points behind this step.
            as_: as of :meth:`runs_frame`.

        Raises:
            RunNotFoundError: what names a run means none; a run that was read and is gone since is left out.
            InvalidValueError: an argument is bad, or ``as_`` is not installed; a run's name means several; or a name that
                the runs lack says a dataset type, as ``"train/loss"`` does.
        """
        ...

    def sample_histories(
        self,
        keys: Iterable[tuple[str, str, DatasetType | str]],
        *,
        max_points: int = 1000,
        min_step: int | None = None,
        max_step: int | None = None,
        by: str = "step",
    ) -> HistoryGrid:
        """Many series, of any runs, on one common grid [MET.14].

        Each series has, for each bucket of the grid that holds points of it: how many, the first, the last, the lowest and
        the highest of them, and which kinds of values that are not finite occur. Runs and series that are not there, and
        those without points in the range, are left out.

        Args:
            keys: run id, name and dataset type of each series; at most 1,000.
            max_points: as for :meth:`sample_history`, of each series: the grid has half as many buckets.
            min_step: the lowest step that is looked at.
            max_step: the highest step that is looked at.
            by: ``"step"``: buckets are equal ranges of steps, as those of a sample. ``"time"``: equal ranges of time since
                the start of each series' run; a point just behind an edge may stand in the bucket before it, and
                ``is_exact`` says whether one does. ``"log_step"``: each octave of steps in equal parts.

        Raises:
            InvalidValueError: ``keys``, ``max_points`` or ``by`` is none of these.
        """
        ...

    def list_artifacts(self, run_id: str) -> tuple[Artifact, ...]:
        """The run's artifact records, ordered by name in code-point order.

        A reader, and a store that was opened with ``durable=False``, list what each recorder has reported of its own
        figures as well: records named ``runstore.health/...``, which :func:`runstore.recording.stored_health` reads.

        Raises:
            RunNotFoundError: no such run.
        """
        ...

    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        """A readable binary file at position 0 whose bytes were checked against their SHA-256 [ART.1].

        Raises:
            RunNotFoundError: no such run.
            ArtifactNotFoundError: no such artifact, or its bytes are not kept (``copy=False``).
            CorruptArtifactError: the bytes are not those recorded.
        """
        ...

    def close(self) -> None:
        """Gives back what the handle holds; closing twice is closing once."""
        ...

    def __enter__(self) -> Self:
        """The reader itself."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the reader."""
        ...
