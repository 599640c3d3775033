"""The values of the contract: frozen, slotted, keyword-only.

Times are aware :class:`~datetime.datetime` in UTC with microseconds. Ids are opaque strings. A store checks the values
it is given in the call that takes them, so that an error can name the place (``points[3].value``); the rules stand in
:mod:`runstore.values.checks`.
"""

import traceback
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Generic, Self, TypeVar, overload

from msgspec import Struct, field

from runstore._failure_text import told

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""1970-01-01 UTC, the zero of every stored microsecond count."""

_MICROSECOND = timedelta(microseconds=1)

ItemT = TypeVar("ItemT")


def to_microseconds(moment: datetime) -> int:
    """The exact count of microseconds from 1970-01-01 UTC to an aware moment."""
    return (moment - EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """The aware UTC moment that lies ``count`` microseconds after 1970-01-01."""
    return EPOCH + timedelta(microseconds=count)


class RunStatus(StrEnum):
    """How a run stands. ``lost`` is never stored: readers derive it from the heartbeat (clause FIN.6)."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LOST = "lost"

    @property
    def is_final(self) -> bool:
        """Whether a run of this status has ended: ``completed``, ``failed`` or ``interrupted``."""
        return self in TERMINAL_STATUSES


TERMINAL_STATUSES = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.INTERRUPTED})


class DatasetType(StrEnum):
    """The part of the data a number was computed on."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    OTHER = "other"


DATASET_TYPES: Final = {str(kind): kind for kind in DatasetType}
"""Each dataset type by its text: quicker than calling the enum, row by row."""


class MetricPoint(Struct, frozen=True, gc=False):
    """One number that a run reported: ``MetricPoint(name="loss", value=0.5, step=3)``, or the same without the names.

    Attributes:
        name: 1-255 characters, any printable Unicode.
        value: any real number; kept as float64, bit for bit (NaN, infinities, -0.0 and subnormals too).
        step: 0 to 2**63 - 1. A run's ``(name, dataset_type, step)`` is the point's identity: the last write wins.
        dataset_type: a :class:`DatasetType` or its text.
        logged_at: an aware time; ``None`` means the moment at which the store accepts the point.
    """

    name: str
    value: float
    step: int
    dataset_type: str = DatasetType.OTHER
    logged_at: datetime | None = None


class Experiment(Struct, frozen=True, kw_only=True):
    """A named group of runs. The id is derived from the name (clause EXP.1)."""

    id: str
    name: str
    description: str | None
    created_at: datetime


class RunFailure(Struct, frozen=True, kw_only=True):
    """Why a run failed, as text: no exception object is ever pickled into a database."""

    type: str
    message: str
    traceback: str

    @classmethod
    def from_exception(cls, error: BaseException) -> Self:
        """The qualified type name, the message and the formatted traceback of ``error``."""
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        return cls(type=name, message=told(str, error), traceback="".join(told(traceback.format_exception, error)))


class Run(Struct, frozen=True, kw_only=True):
    """One training run as it stands at the moment of reading.

    Attributes:
        attempt: 1 for a run's first life, up by one at each ``ensure_run(resume=True)`` of an ended run.
        end_time: ``None`` until the run ends; never before ``start_time``.
        heartbeat_at: the last heartbeat, by the database's clock.
        lease_s: seconds after ``heartbeat_at`` from which an ``in_progress`` run is shown as ``lost``.
        provenance: where the run came from (host, process, versions, git, ...), nested and typed like a config.
        note: what somebody wrote about the run.
        archived_at: when the run was put away; ``None`` for one that lists show.
        failure: filled when the status is ``failed``, and for other ends that were given a reason.
    """

    id: str
    experiment_id: str
    name: str | None
    status: RunStatus
    training_mode: str
    parent_run_id: str | None
    client_id: str | None
    attempt: int
    start_time: datetime
    end_time: datetime | None
    heartbeat_at: datetime
    lease_s: float
    source_path: str | None
    tags: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    failure: RunFailure | None = None
    note: str | None = None
    archived_at: datetime | None = None

    @property
    def duration_s(self) -> float | None:
        """Seconds from the start to the end; ``None`` for a run that has not ended."""
        if self.end_time is None:
            return None
        return (to_microseconds(self.end_time) - to_microseconds(self.start_time)) / 1e6


class StepValue(Struct, frozen=True, kw_only=True, gc=False):
    """A value and the step it was logged at."""

    step: int
    value: float


class SeriesSummary(Struct, frozen=True, kw_only=True, gc=False):
    """What is known of one series without reading its history (clause MET.8).

    Attributes:
        count: the number of points, at least 1.
        first: the point of the lowest step.
        last: the point of the highest step, whenever it arrived.
        min: the least finite value, at the lowest step that has it; ``None`` when no value is finite.
        max: the greatest finite value, at the lowest step that has it; ``None`` when no value is finite.
        non_finite_count: how many of the values are NaN or infinite.
    """

    name: str
    dataset_type: DatasetType
    count: int
    first: StepValue
    last: StepValue
    min: StepValue | None
    max: StepValue | None
    non_finite_count: int


class History:
    """The points of one series in step order, as three parallel columns.

    The columns are :class:`array.array` objects of 64-bit items, so ``numpy.frombuffer(history.values)`` costs
    nothing. Iterating gives :class:`MetricPoint` values.

    Attributes:
        name: the metric's name.
        dataset_type: the series' dataset type.
        steps: int64 (typecode ``q``), strictly ascending.
        values: float64 (typecode ``d``).
        logged_at_us: int64 microseconds since 1970-01-01 UTC.
        represents: how many stored points these stand for; greater than ``len`` only for a sampled history.
    """

    __slots__ = ("dataset_type", "logged_at_us", "name", "represents", "steps", "values")

    def __init__(  # noqa: PLR0913 - one column each, keyword-only
        self,
        *,
        name: str,
        dataset_type: DatasetType,
        steps: "array[int]",
        values: "array[float]",
        logged_at_us: "array[int]",
        represents: int | None = None,
    ) -> None:
        """Takes ownership of the columns, which must be of equal length."""
        if not len(steps) == len(values) == len(logged_at_us):
            message = f"columns of unequal length: {len(steps)} steps, {len(values)} values, {len(logged_at_us)} times"
            raise ValueError(message)
        self.name: str = name
        self.dataset_type: DatasetType = dataset_type
        self.steps: array[int] = steps
        self.values: array[float] = values
        self.logged_at_us: array[int] = logged_at_us
        self.represents: int = len(steps) if represents is None else represents

    @classmethod
    def empty(cls, *, name: str, dataset_type: DatasetType) -> Self:
        """The history of a series that has no points."""
        return cls(name=name, dataset_type=dataset_type, steps=array("q"), values=array("d"), logged_at_us=array("q"))

    @property
    def is_sampled(self) -> bool:
        """Whether points were left out."""
        return self.represents > len(self.steps)

    def __len__(self) -> int:
        """The number of points held here."""
        return len(self.steps)

    def __getitem__(self, index: int) -> MetricPoint:
        """The point at a position in step order."""
        return MetricPoint(
            name=self.name,
            value=self.values[index],
            step=self.steps[index],
            dataset_type=self.dataset_type,
            logged_at=from_microseconds(self.logged_at_us[index]),
        )

    def __iter__(self) -> Iterator[MetricPoint]:
        """The points in step order."""
        return (self[index] for index in range(len(self.steps)))

    def __repr__(self) -> str:
        """The series and the counts, never the points."""
        return (
            f"History(name={self.name!r}, dataset_type={str(self.dataset_type)!r}, "
            f"points={len(self.steps)}, represents={self.represents})"
        )


HEALTH_PREFIX: Final = "runstore.health/"
"""Begins the names of the artifact records that hold the figures of recorders: no artifacts of the user's."""


class Artifact(Struct, frozen=True, kw_only=True):
    """The record of one file that belongs to a run.

    Attributes:
        name: a relative POSIX path, unique within the run.
        uri: where the bytes lie (a path or URL); for ``is_stored=False`` the path or URI as it was given.
        sha256: lower-case hex digest of the bytes; ``None`` when the bytes are not kept (``copy=False``).
        size: bytes; ``None`` when the bytes are not kept.
        is_stored: whether the store keeps the bytes.
        metadata: typed and nested like a config: a checkpoint's score, epoch, step, role.
        parts: filled only in the value that ``log_artifact`` returns for a directory: one record per file.
    """

    run_id: str
    name: str
    artifact_type: str
    uri: str
    sha256: str | None
    size: int | None
    is_stored: bool
    created_at: datetime
    metadata: dict[str, Any] = field(default_factory=dict)
    parts: tuple["Artifact", ...] = ()


class DeletedRun(Struct, frozen=True, kw_only=True):
    """A run that was deleted and can be restored.

    Attributes:
        name: its label, if it has one.
        experiment: the name of its experiment, which may be deleted, too.
        deleted_at: since when it is.
    """

    id: str
    name: str | None
    experiment_id: str
    experiment: str
    start_time: datetime
    deleted_at: datetime


class Thinned(Struct, frozen=True, kw_only=True):
    """What ``thin_histories`` did.

    Attributes:
        series: how many series were thinned.
        points: how many points were removed.
    """

    series: int
    points: int


class Garbage(Struct, frozen=True, kw_only=True):
    """What ``collect_garbage`` removed, or would remove.

    Attributes:
        runs: deleted runs past their time, of which the bare id is left.
        points: their points.
        files: kept files that no artifact's record names.
        bytes: of those files together.
        partitions: partitions of points that nothing refers to.
        is_dry_run: whether it was only counted.
    """

    runs: int
    points: int
    files: int
    bytes: int
    partitions: int = 0
    is_dry_run: bool


class KeyCount(Struct, frozen=True, kw_only=True):
    """A key in use, and how many runs have it.

    Attributes:
        field: how a filter, an order and a column name it: ``config.model.depth``, ``metric.train.loss``.
        key: of a config the flattened key, of a metric its name, of a tag its key.
        dataset_type: of a metric; a metric of two dataset types is listed twice.
        runs: how many runs have it.
    """

    field: str
    key: str
    dataset_type: DatasetType | None = None
    runs: int


class ValueCount(Struct, frozen=True, kw_only=True):
    """A value of a field, and how many runs have it.

    Attributes:
        value: a text, a boolean or a finite number; 1 and 1.0 are one number.
        literal: how a filter writes it: ``'adam'``, ``true``, ``0.001``.
        runs: how many runs have it.
    """

    value: bool | float | str
    literal: str
    runs: int


class Page(Struct, Generic[ItemT], frozen=True, kw_only=True):
    """One keyset page: iterating gives its items.

    ``next_cursor`` is ``None`` on the last page; otherwise pass it to the same query.
    """

    items: tuple[ItemT, ...]
    next_cursor: str | None

    def __len__(self) -> int:
        """How many items the page holds."""
        return len(self.items)

    def __iter__(self) -> Iterator[ItemT]:
        """The items of this page."""
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> ItemT: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[ItemT, ...]: ...

    def __getitem__(self, index: int | slice) -> ItemT | tuple[ItemT, ...]:
        """The item at a position, or those of a slice."""
        return self.items[index]

    def __repr__(self) -> str:
        """How many items of which kind there are, and whether more follow; never the items."""
        kinds = " or ".join(sorted({type(item).__name__ for item in self.items}))
        return f"Page({f'{len(self.items)} {kinds}'.strip()}, has_more={self.next_cursor is not None})"
