"""What a copy would bring, without bringing it."""

from collections import Counter

from msgspec import Struct

from runstore.errors import RunDeletedError, RunNotFoundError
from runstore.model import Run, SeriesSummary
from runstore.moving.report import Outcome
from runstore.moving.selecting import Selection
from runstore.moving.verifying import first_difference
from runstore.protocol import RunReader


class Survey(Struct, frozen=True, kw_only=True):
    """What a copy would bring.

    Attributes:
        runs: how many runs would have each outcome.
        points: at most so many points would be sent.
        files: at most so many files would be recorded.
        bytes: of those that are kept.
    """

    runs: dict[Outcome, int]
    points: int
    files: int
    bytes: int


def survey(source: RunReader, target: RunReader | None, selection: Selection | None = None) -> Survey:
    """What :func:`runstore.moving.copy` would bring; reads no points and no bytes.

    Args:
        source: the store to copy from.
        target: the store to copy to; ``None`` where there is none yet.
        selection: which runs; by default all.

    Raises:
        QueryError: the filter cannot be understood.
    """
    selection = selection or Selection()
    selection.count(source)
    outcomes: Counter[Outcome] = Counter()
    points = files = size = 0
    for runs in selection.groups(source):
        for run in runs:
            outcome = _outcome(source, target, run)
            outcomes[outcome] += 1
            if outcome not in {Outcome.NEW, Outcome.UPDATED}:
                continue
            there = target if outcome is Outcome.UPDATED else None
            known = {} if there is None else {each.name: each.sha256 for each in there.list_artifacts(run.id)}
            for artifact in source.list_artifacts(run.id):
                if artifact.name not in known or artifact.sha256 != known[artifact.name]:
                    files += 1
                    size += artifact.size or 0
            counts = {} if there is None else {_series(each): each.count for each in there.get_summaries(run.id)}
            points += sum(max(each.count - counts.get(_series(each), 0), 0) for each in source.get_summaries(run.id))
    return Survey(runs=dict(outcomes), points=points, files=files, bytes=size)


def _outcome(source: RunReader, target: RunReader | None, run: Run) -> Outcome:
    if target is None:
        return Outcome.NEW
    try:
        found = target.get_run(run.id)
    except RunDeletedError:
        return Outcome.REFUSED
    except RunNotFoundError:
        return Outcome.NEW
    if found.experiment_id != run.experiment_id or found.attempt > run.attempt:
        return Outcome.REFUSED
    return Outcome.UNCHANGED if first_difference(source, target, run) is None else Outcome.UPDATED


def _series(summary: SeriesSummary) -> tuple[str, str]:
    return summary.name, str(summary.dataset_type)
