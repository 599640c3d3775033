"""What a store has forgotten of a run: what it was told, beside what it says when it is asked."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from runstore.backend import BackendStore, Presence, StepRange
from runstore.health import stored_health
from runstore.model import Artifact, Run, SeriesSummary
from runstore.recording.records import ArtifactRecord, FinalizeRecord, RunRecord
from runstore.recording.told import ToldRun
from runstore.series import Series
from runstore.values import ConfigDocument


class Missing(Struct):
    """What is to be sent again.

    Attributes:
        is_gone: the run itself is not there.
        series: whose points are to be looked through, each with the highest step that is stored, -1 where there is none.
        points: how many are missing at least.
        config: the keys that are missing, with their values.
        artifacts: names of records that are missing.
        lives: ends and reopenings that are missing.
        torn: of series whose points are looked through though their summaries are right, how many there are.
        mark: how many of the writer's calls the store knew to be stored, by the writer's last figures in it; ``None``
            where it has none of them.
        has_gone_back: the store lacks something that it had for certain, or has older figures.
    """

    is_gone: bool = False
    series: dict[Series, int] = {}
    points: int = 0
    config: dict[str, Any] = {}
    artifacts: list[str] = []
    lives: list[RunRecord | FinalizeRecord] = []
    torn: dict[Series, int] = {}
    mark: int | None = None
    has_gone_back: bool = False

    def __bool__(self) -> bool:
        """Whether anything is, or may be."""
        return bool(self.is_gone or self.series or self.config or self.artifacts or self.lives)

    def described(self) -> list[str]:
        """In a few words each."""
        told = ["the run itself"] if self.is_gone else []
        if self.points or len(self.series) > len(self.torn):
            told.append(f"{self.points} or more points of {len(self.series)} series")
        if self.config:
            told.append(f"the config's {', '.join(list(self.config)[:5])}")
        told += [f"the artifact {name!r}" for name in self.artifacts]
        told += [f"the end as {each.status}" for each in self.lives if isinstance(each, FinalizeRecord)]
        return told


def find_missing(  # noqa: PLR0913 - keyword-only
    store: BackendStore, run_id: str, told: ToldRun, *, writer: str, mark: int, is_back: bool, is_torn: bool = False
) -> Missing | None:
    """Asks the store for a run.

    Args:
        store: the store.
        run_id: the run.
        told: what it was told of the run.
        writer: whose figures among the run's artifacts are the mark.
        mark: how many calls the figures said that the store took last; 0 if it took none.
        is_back: it has been away, so that what cannot be counted is looked through as well.
        is_torn: it has gone back, so that its summaries are not believed: histories are compared themselves.

    Returns:
        What is missing; ``None`` where nobody can tell, for the run was deleted.
    """
    presence = store.presence_of(run_id)
    if presence is None:
        return _all_of(told)
    run = store.find_run(run_id)
    if presence is not Presence.SHOWN or run is None:
        return None
    artifacts = {each.name: each for each in store.read_artifacts(run_id)}
    reported = stored_health(run_id, artifacts.values()).get(writer)
    found = Missing(mark=None if reported is None else reported.calls.stored)
    is_back = is_back or (found.mark or 0) < mark
    _add_series(found, told, store.read_summaries([run_id]).get(run_id, ()) if told.series else (), is_back=is_back)
    if is_torn:
        _add_torn(found, told, store, run_id)
    is_back = is_back or is_torn or bool(found.series)
    if told.config:
        stored = ConfigDocument(store.read_configs([run_id]).get(run_id, "{}")).values
        found.config = _lacking(told.config, stored, told.older if is_back else {}, ())
    found.artifacts = [
        name
        for name, (told_of, _) in told.artifacts.items()
        if _is_older(artifacts.get(name), told_of, is_back=is_back)
    ]
    found.artifacts += [name for name, record in told.unseen.items() if not _is_there(name, record, artifacts)]
    found.lives = [record for attempt, record in told.lives if _is_missing(run, attempt, record)]
    lacks = bool(found.points or found.config or found.artifacts or found.lives)
    found.has_gone_back = lacks or (found.mark or 0) < mark
    return found


def _all_of(told: ToldRun) -> Missing:
    return Missing(
        is_gone=True,
        has_gone_back=True,
        series=dict.fromkeys(told.series, -1),
        points=told.points,
        config=told.config,
        artifacts=[*told.artifacts, *told.unseen],
        lives=[record for _, record in told.lives],
    )


def _add_series(found: Missing, told: ToldRun, summaries: Any, *, is_back: bool) -> None:
    stored: dict[Series, SeriesSummary] = {(each.name, each.dataset_type): each for each in summaries}
    for series, of_series in told.series.items():
        summary = stored.get(series)
        count, top = (0, -1) if summary is None else (summary.count, summary.last.step)
        if count < of_series.count or top < of_series.top:
            found.series[series] = top
            found.points += max(of_series.count - count, 1)
        elif is_back and of_series.is_uneven:
            found.series[series] = top


def _add_torn(found: Missing, told: ToldRun, store: BackendStore, run_id: str) -> None:
    """Looks for series that have a right summary, and not all of the points: a backup may have been taken between the two."""
    for series, of_series in told.series.items():
        if series in found.series:
            continue
        history = store.read_history(run_id, series, StepRange(0, of_series.top))
        count = 0 if history is None else len(history.steps)
        is_whole = history is not None and count == of_series.count and sum(history.steps) == of_series.total
        if of_series.is_uneven or not is_whole:
            found.series[series] = of_series.top
            found.torn[series] = count
            found.points += max(of_series.count - count, 0)


def _is_there(name: str, record: ArtifactRecord, artifacts: Mapping[str, Artifact]) -> bool:
    """Whether a call's artifact is stored, or the files of its folder are."""
    if record.is_staged and record.sha256 is None:
        return (
            all(file.name in artifacts for file in record.files or ())
            if record.files
            else any(each.startswith(f"{name}/") for each in artifacts)
        )
    return name in artifacts


def _lacking(
    told: Mapping[str, Any], stored: Mapping[str, Any], older: Mapping[tuple[str, ...], set[str]], path: tuple[str, ...]
) -> dict[str, Any]:
    """What of a config is not stored: a key that is not there, or one that has a value from before the told one."""
    lacking: dict[str, Any] = {}
    for key, value in told.items():
        place = (*path, key)
        if key not in stored:
            lacking[key] = value
            continue
        there = stored[key]
        if isinstance(value, dict) and isinstance(there, dict):
            if inner := _lacking(value, there, older, place):
                lacking[key] = inner
        elif repr(there) != repr(value) and repr(there) in older.get(place, ()):
            lacking[key] = value
    return lacking


def _is_older(stored: Artifact | None, told: Artifact, *, is_back: bool) -> bool:
    """Whether a record is not stored; after the store has gone back, also whether one from before it stands there."""
    return stored is None or (is_back and stored.sha256 != told.sha256 and stored.created_at < told.created_at)


def _is_missing(run: Run, attempt: int, record: RunRecord | FinalizeRecord) -> bool:
    """Whether an end or a reopening has not reached the run as it stands."""
    is_end = isinstance(record, FinalizeRecord)
    return attempt > run.attempt or (attempt == run.attempt and is_end and not run.status.is_final)
