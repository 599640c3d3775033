"""What a store holds of a study: its run, and of each task the run that has completed it."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from pneumo_train.errors import DataError
from runstore import Run, RunReader, RunStatus

PURPOSE, STUDY, ROW = "purpose", "study", "study row"
DIGEST, TABLE, NAME, SEED = "digest", "table", "row", "seed"
"""Tags of the runs of a study."""

FIGURES, TEST_FIGURES = "evaluation/validation.json", "evaluation/test.json"


@dataclasses.dataclass(frozen=True, slots=True)
class KeptStudy:
    """A study in a store.

    Attributes:
        run_id: its own run.
        completed: by a task's digest, the newest run that has completed it.
        cut_off: by a task's digest, the runs of a task that none has completed, the newest first.
        over: the ids of all other runs that are no longer worked on.
    """

    run_id: str
    completed: dict[str, Run]
    cut_off: dict[str, tuple[str, ...]]
    over: tuple[str, ...]


def find_study(
    reader: RunReader, experiment: str, name: str, *, purpose: str = STUDY, row: str = ROW
) -> KeptStudy | None:
    """The study of this name in an experiment, if one is kept there.

    Args:
        reader: of the store.
        experiment: its name.
        name: of the study.
        purpose: by which tag its run is known.
        row: by which tag its rows are.

    Raises:
        RunStoreError: the store does not answer.
    """
    studies = reader.search_runs(
        f"experiment = {_quoted(experiment)} and name = {_quoted(name)} and tag.{PURPOSE} = {_quoted(purpose)}",
        order_by=["start_time"],
        limit=1,
    )
    if not studies.items:
        return None
    run_id = studies.items[0].id
    completed: dict[str, Run] = {}
    others: list[Run] = []
    for run in _rows(reader, run_id, row):
        if run.status is RunStatus.COMPLETED and DIGEST in run.tags:
            completed[run.tags[DIGEST]] = run
        else:
            others.append(run)
    cut_off: dict[str, tuple[str, ...]] = {}
    over: list[str] = []
    for run in others:
        digest = run.tags.get(DIGEST, "")
        if digest not in {"", *completed}:
            cut_off[digest] = (run.id, *cut_off.get(digest, ()))
        elif run.status.is_final or run.status is RunStatus.LOST:
            over.append(run.id)
    return KeptStudy(run_id, completed, cut_off, tuple(over))


def figures_of(reader: RunReader, run_id: str) -> dict[str, Any]:
    """All figures on the validation part that a row has left.

    Raises:
        DataError: the run has none.
        RunStoreError: the store does not answer.
    """
    if FIGURES not in {artifact.name for artifact in reader.list_artifacts(run_id)}:
        raise DataError(
            f"run {run_id!r} has no artifact {FIGURES!r}; delete that run, and the study trains its row anew"
        )
    with reader.open_artifact(run_id, FIGURES) as stream:
        figures: dict[str, Any] = json.loads(stream.read())
    return figures


def test_figures_of(reader: RunReader, run_id: str) -> dict[str, Any] | None:
    """All figures of the newest evaluation of a row on films that are called test; ``None`` if there is none.

    Raises:
        RunStoreError: the store does not answer.
    """
    children = f"parent = {_quoted(run_id)} and tag.{PURPOSE} = 'evaluation' and status = '{RunStatus.COMPLETED}'"
    for child in reader.iter_runs(children, order_by=["start_time desc"]):
        if TEST_FIGURES in {artifact.name for artifact in reader.list_artifacts(child.id)}:
            with reader.open_artifact(child.id, TEST_FIGURES) as stream:
                figures: dict[str, Any] = json.loads(stream.read())
            return figures
    return None


def _rows(reader: RunReader, run_id: str, row: str) -> Iterator[Run]:
    return reader.iter_runs(f"parent = {_quoted(run_id)} and tag.{PURPOSE} = {_quoted(row)}", order_by=["start_time"])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
