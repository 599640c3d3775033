"""Comparing runs of one store with those of another: whether a copy is complete, and the first thing in which it is not."""

from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from runstore.errors import ArtifactNotFoundError, CorruptArtifactError, ExperimentNotFoundError, RunNotFoundError
from runstore.local.files import CHUNK
from runstore.model import Artifact, History, Run, RunStatus, SeriesSummary
from runstore.moving.points import bytes_of, is_same
from runstore.moving.selecting import Selection, pieces_of
from runstore.protocol import RunReader
from runstore.series import Columns

EQUAL_FIELDS: Final = (
    *("id", "experiment_id", "name", "status", "training_mode", "parent_run_id", "client_id", "attempt"),
    *("start_time", "end_time", "heartbeat_at", "lease_s", "source_path", "tags", "provenance", "failure"),
    *("note", "archived_at"),
)
"""The fields of a run that are equal in both stores; ``lost`` and ``in_progress`` are one status, seen at two times."""

_STATISTICS: Final = ("count", "first", "last", "min", "max", "non_finite_count")


class Difference(Struct, frozen=True, kw_only=True):
    """The first thing in which a run differs.

    Attributes:
        run_id: the run.
        what: what differs, such as ``status``, ``config.lr`` or ``loss (train), step 17``.
        source: what the first store has, as text.
        target: what the second one has.
    """

    run_id: str
    what: str
    source: str
    target: str


class Verdict(Struct, frozen=True, kw_only=True):
    """What a comparison has found.

    Attributes:
        runs: how many runs were compared.
        points: how many points of them.
        files: how many files whose bytes were read.
        differences: the first one of each run that differs, in the order of the runs.
    """

    runs: int
    points: int
    files: int
    differences: tuple[Difference, ...]


def verify(
    source: RunReader,
    target: RunReader,
    selection: Selection | None = None,
    *,
    with_bytes: bool = True,
    told: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Compares runs of one store with those of the same ids in another; what the other has beside them counts for nothing.

    Args:
        source: the store whose runs are compared.
        target: the store that should have them, too.
        selection: which runs; by default all.
        with_bytes: whether the bytes of files are read in the second store, and compared by their SHA-256.
        told: given the id of each run that was compared.

    Raises:
        QueryError: the filter cannot be understood.
        StoreUnavailableError, StoreFailureError: one of the stores cannot be read.
    """
    selection = selection or Selection()
    selection.count(source)
    comparing = _Comparing(source, target, with_bytes=with_bytes)
    differences = []
    for runs in selection.groups(source):
        for run in runs:
            found = comparing.first_difference(run)
            if found is not None:
                what, *sides = found
                differences.append(Difference(run_id=run.id, what=what, source=sides[0], target=sides[1]))
            told(run.id)
    return Verdict(runs=comparing.runs, points=comparing.points, files=comparing.files, differences=tuple(differences))


_Found = tuple[str, str, str]


def first_difference(source: RunReader, target: RunReader, run: Run) -> str | None:
    """What differs first of a run, by all that is known without reading points and bytes."""
    found = _Comparing(source, target, with_points=False, with_bytes=False).first_difference(run)
    return None if found is None else found[0]


class _Comparing:
    """One call of :func:`verify`, and what it has counted."""

    def __init__(self, source: RunReader, target: RunReader, *, with_bytes: bool, with_points: bool = True) -> None:
        self._source = source
        self._target = target
        self._with_bytes = with_bytes
        self._with_points = with_points
        self.runs = self.points = self.files = 0

    def first_difference(self, run: Run) -> _Found | None:
        """What differs first of a run; the cheap things are looked at first."""
        self.runs += 1
        try:
            other = self._target.get_run(run.id)
        except RunNotFoundError as error:
            return "run", "there", str(error).partition(";")[0]
        return next(self._differences(run, other), None)

    def _differences(self, run: Run, other: Run) -> Iterator[_Found]:
        yield from _of_facts(run, other)
        yield from self._of_experiment(run)
        yield from of_values("config", self._source.get_config(run.id), self._target.get_config(run.id))
        yield from self._of_files(run)
        yield from self._of_series(run)

    def _of_experiment(self, run: Run) -> Iterator[_Found]:
        try:
            one, other = (reader.get_experiment(run.experiment_id) for reader in self._readers)
        except ExperimentNotFoundError as error:
            yield "experiment", "there", str(error).partition(";")[0]
            return
        if one.name != other.name:
            yield "experiment's name", repr(one.name), repr(other.name)
        if one.description is not None and one.description != other.description:
            yield "experiment's description", repr(one.description), repr(other.description)

    def _of_files(self, run: Run) -> Iterator[_Found]:
        one, other = ({each.name: each for each in reader.list_artifacts(run.id)} for reader in self._readers)
        for name in sorted(one.keys() | other.keys()):
            what = f"artifact {name!r}"
            if name not in one or name not in other:
                yield what, *("there" if name in each else "missing" for each in (one, other))  # type: ignore[misc]
                continue
            mine, its = one[name], other[name]
            yield from of_values(what, _record(mine), _record(its))
            if mine.is_stored and self._with_bytes:
                self.files += 1
                yield from self._of_bytes(what, its)

    def _of_bytes(self, what: str, artifact: Artifact) -> Iterator[_Found]:
        try:
            with self._target.open_artifact(artifact.run_id, artifact.name) as stored:  # which checks the SHA-256
                while stored.read(CHUNK):
                    pass
        except (ArtifactNotFoundError, CorruptArtifactError) as error:
            yield f"bytes of {what}", f"SHA-256 {artifact.sha256}", str(error)

    def _of_series(self, run: Run) -> Iterator[_Found]:
        one, other = (
            {(each.name, str(each.dataset_type)): each for each in reader.get_summaries(run.id)}
            for reader in self._readers
        )
        for name, kind in sorted(one.keys() | other.keys()):
            what, series = f"{name} ({kind})", (name, kind)
            if series not in one or series not in other:
                yield what, *("there" if series in each else "missing" for each in (one, other))  # type: ignore[misc]
                continue
            mine, its = one[series], other[series]
            if not self._with_points:
                yield from _of_summaries(what, mine, its)
                continue
            read = 0
            for piece in pieces_of(self._source, run.id, mine):
                read += len(piece)
                low, high = piece.steps[0], piece.steps[-1]
                yield from _of_points(
                    what, piece, self._target.get_history(run.id, name, kind, min_step=low, max_step=high)
                )
            self.points += read
            # A thinned history has fewer points than its summary counts; a copy of it counts those that it was given.
            counted = mine if read == mine.count else replace(mine, count=read, non_finite_count=its.non_finite_count)
            yield from _of_summaries(what, counted, its)

    @property
    def _readers(self) -> tuple[RunReader, RunReader]:
        return self._source, self._target


def of_values(what: str, one: Any, other: Any) -> Iterator[_Found]:
    """The differences of two configs or records, each under its keys; 1, 1.0 and True are three values, and NaN is one."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in [*one, *(key for key in other if key not in one)]:
            if key in one and key in other:
                yield from of_values(f"{what}.{key}", one[key], other[key])
            else:
                yield f"{what}.{key}", *(repr(each[key]) if key in each else "missing" for each in (one, other))  # type: ignore[misc]
    elif repr(one) != repr(other):
        yield what, *_short(repr(one), repr(other))


def _of_facts(run: Run, other: Run) -> Iterator[_Found]:
    for name in EQUAL_FIELDS:
        one, two = (_fact(each, name) for each in (run, other))
        yield from of_values(name, one, two)


def _fact(run: Run, name: str) -> Any:
    value = getattr(run, name)
    if value is RunStatus.LOST:
        return str(RunStatus.IN_PROGRESS)
    return str(value) if name in {"status", "start_time", "end_time", "heartbeat_at", "archived_at"} else value


def _record(artifact: Artifact) -> dict[str, Any]:
    """What is equal of an artifact's record: not where its bytes lie, if they are kept."""
    facts = {"type": artifact.artifact_type, "kept": artifact.is_stored, "sha256": artifact.sha256}
    facts |= {"size": artifact.size, "created_at": str(artifact.created_at), "metadata": artifact.metadata}
    return facts if artifact.is_stored else {**facts, "uri": artifact.uri}


def _of_points(what: str, one: History, other: History) -> Iterator[_Found]:
    mine, its = (Columns(each.steps, each.values, each.logged_at_us) for each in (one, other))
    if is_same(mine, its):
        return
    for left, right in zip_longest(_rows(mine), _rows(its)):
        if left != right:
            step = min(row[0] for row in (left, right) if row is not None)
            yield f"{what}, step {step}", _row_text(left, step), _row_text(right, step)
            return


def _rows(columns: Columns) -> Iterator[tuple[int, bytes, int]]:
    bits = bytes_of(columns.values)
    for index, (step, logged_at_us) in enumerate(zip(columns.steps, columns.logged_at_us, strict=True)):
        yield step, bits[8 * index : 8 * index + 8], logged_at_us


def _row_text(row: tuple[int, bytes, int] | None, step: int) -> str:
    if row is None or row[0] != step:
        return "missing"
    (value,) = memoryview(row[1]).cast("d")
    return f"{value!r} logged at {row[2]} µs"


def _of_summaries(what: str, one: SeriesSummary, other: SeriesSummary) -> Iterator[_Found]:
    for name in _STATISTICS:
        yield from of_values(f"{what}.{name}", getattr(one, name), getattr(other, name))


def _short(one: str, other: str) -> tuple[str, str]:
    """Two texts that differ, as far as it takes to see where."""
    alike = next(
        (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
        min(map(len, (one, other))),
    )
    begin = max(alike - _MOST_SHOWN // 2, 0) if alike >= _MOST_SHOWN - 1 else 0
    return _part(one, begin), _part(other, begin)


def _part(text: str, begin: int) -> str:
    shown = text[begin : begin + _MOST_SHOWN]
    return f"{'…' if begin else ''}{shown}{'…' if begin + len(shown) < len(text) else ''}"


_MOST_SHOWN: Final = 200
