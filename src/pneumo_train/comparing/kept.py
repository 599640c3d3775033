"""What a store holds of a comparison: the plan of its rows, and what the model of each said of the films."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from pneumo_train.errors import DataError
from pneumo_train.evaluating.figures import Floats, Labels
from pneumo_train.examining.keeping import NAME, PREDICTIONS
from pneumo_train.studying.kept import KeptStudy, find_study
from runstore import RunReader
from runstore.predictions import read_predictions
from runstore.training import RunSession

COMPARISON, ROW = "comparison of a federation", "row of a comparison"
"""By which tag ``purpose`` the runs are known."""

PLAN: Final = "comparison/plan.json"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """What the model of a run said of the films of a part, in the order of their names.

    Attributes:
        targets: 0 or 1, of shape (images,).
        probabilities: of pneumonia, of the same shape.
        threshold: from which one on a film counts as positive.
    """

    run_id: str
    ids: tuple[str, ...]
    patients: tuple[str, ...]
    targets: Labels
    probabilities: Floats
    threshold: float


def find_comparison(reader: RunReader, experiment: str, name: str) -> KeptStudy | None:
    """The comparison of this name in an experiment, if one is kept there.

    Raises:
        RunStoreError: the store does not answer.
    """
    return find_study(reader, experiment, name, purpose=COMPARISON, row=ROW)


def keep_plan(session: RunSession, plan: Mapping[str, Any]) -> None:
    """Keeps the plan with the comparison's run, in place of an earlier one."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps(plan), encoding="utf-8")
        session.log_artifact(path, name=PLAN, artifact_type="comparison")


def read_plan(reader: RunReader, run_id: str) -> dict[str, Any]:
    """The plan of a comparison.

    Raises:
        DataError: the run has none.
        RunStoreError: the store does not answer.
    """
    if PLAN not in {artifact.name for artifact in reader.list_artifacts(run_id)}:
        raise DataError(f"run {run_id!r} has no artifact {PLAN!r}; give --source, and the comparison goes on")
    with reader.open_artifact(run_id, PLAN) as stream:
        plan: dict[str, Any] = json.loads(stream.read())
    return plan


def evaluation_of(reader: RunReader, run_id: str) -> str | None:
    """The run that keeps how a training's model did on the test part, if there is one that has come to its end."""
    parent = run_id.replace("'", "''")
    kept = f"parent = '{parent}' and name = '{NAME.format(part='test')}' and status = 'completed'"
    return next((run.id for run in reader.search_runs(kept, limit=1).items), None)


def said_of(reader: RunReader, run_id: str, part: str) -> Said | None:
    """What a run's model said of the ``validation`` or the ``test`` part; ``None`` where nothing is kept.

    Raises:
        SourceError: what is kept is damaged.
        RunStoreError: the store does not answer.
    """
    holder = evaluation_of(reader, run_id) if part == "test" else run_id
    file = f"{PREDICTIONS.format(part=part)}.csv.gz"
    if holder is None or file not in {artifact.name for artifact in reader.list_artifacts(holder)}:
        return None
    with reader.open_artifact(holder, file) as stream:
        found = read_predictions(stream, name=f"{file} of run {holder!r}")
    order = sorted(range(len(found)), key=found.ids.__getitem__)
    patients = found.ids if found.groups is None else [str(patient) for patient in found.groups.texts()]
    return Said(
        run_id=run_id,
        ids=tuple(found.ids[place] for place in order),
        patients=tuple(patients[place] for place in order),
        targets=np.array(found.targets, np.int8)[order],
        probabilities=np.array(found.scores[0], np.float64)[order],
        threshold=found.thresholds[0].value,
    )
