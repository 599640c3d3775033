"""What a store knows of a run and of its evaluations, gathered once. What it does not have is ``None``."""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

from pneumo_train.result import DATA_REPORT
from runstore import Artifact, Run, RunReader

EVALUATION_TYPE = "evaluation"
"""Of the artifacts that hold an evaluation's figures as JSON."""

_MOST_BYTES = 64 << 20
_CHILDREN_A_PAGE = 1000
_OWN_PARTS = frozenset({"train", "validation", "test"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvaluation:
    """The figures of an evaluation as the store has them.

    Attributes:
        run: the run that holds them: the training, or a child of it.
        part: what was evaluated.
        figures: as they were written: ``scores``, ``decision``, ``subgroups``, ``corruptions``, ``about``.
        is_own: whether it belongs to the training itself and not to a child of it.
        is_elsewhere: whether it looked at another source than the training.
    """

    run: Run
    part: str
    figures: Mapping[str, Any]
    is_own: bool
    is_elsewhere: bool

    @property
    def scores(self) -> Mapping[str, Mapping[str, float | None]]:
        """Each score by name: ``value``, ``low``, ``high``; ``None`` where it has none."""
        found: Mapping[str, Any] = self.figures.get("scores") or {}
        by_name: Mapping[str, Mapping[str, float | None]] = found.get("by_name") or {}
        return by_name

    @property
    def has_intervals(self) -> bool:
        """Whether any score has one."""
        return any(score.get("low") is not None for score in self.scores.values())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What a store knows of a run.

    Attributes:
        run: the run itself.
        experiment: the name of its experiment.
        config: what was logged as its configuration, nested.
        last: the last value of each series, by dataset type and name.
        artifacts: those of the run, by name.
        artifacts_of_evaluations: those of the children that hold evaluations, by name.
        evaluations: the run's own first, then those of its children by their start.
        data: the data report, empty where the run has none.
    """

    run: Run
    experiment: str
    config: Mapping[str, Any]
    last: Mapping[tuple[str, str], float]
    artifacts: Mapping[str, Artifact]
    artifacts_of_evaluations: Mapping[str, Artifact]
    evaluations: tuple[StoredEvaluation, ...]
    data: Mapping[str, Any]

    def at(self, path: str) -> Any:
        """The value of the configuration at a dotted path, or ``None``."""
        return at(self.config, path)

    def origin(self, path: str) -> Any:
        """The value of the provenance at a dotted path, or ``None``."""
        return at(self.run.provenance, path)

    def evaluation(self, part: str) -> StoredEvaluation | None:
        """The run's own evaluation of a part."""
        return next((found for found in self.evaluations if found.is_own and found.part == part), None)


def at(values: Any, path: str) -> Any:
    """The value at a dotted path of nested mappings, or ``None``."""
    for key in path.split("."):
        if not isinstance(values, Mapping) or key not in values:
            return None
        values = values[key]
    return values


def gather_facts(reader: RunReader, run_id: str) -> RunFacts:
    """Everything that the store knows of a run.

    Raises:
        RunNotFoundError: there is no such run.
        CorruptArtifactError: the figures of an evaluation are not those that were stored.
    """
    run = reader.get_run(run_id)
    artifacts = {artifact.name: artifact for artifact in reader.list_artifacts(run_id)}
    evaluations = _evaluations(reader, run, artifacts, run)
    of_children: dict[str, Artifact] = {}
    cursor = None
    while True:
        page = reader.list_children(run_id, limit=_CHILDREN_A_PAGE, cursor=cursor)
        for child in page.items:
            theirs = {artifact.name: artifact for artifact in reader.list_artifacts(child.id)}
            if found := _evaluations(reader, child, theirs, run):
                evaluations += found
                of_children |= theirs
        cursor = page.next_cursor
        if cursor is None:
            break
    return RunFacts(
        run=run,
        experiment=reader.get_experiment(run.experiment_id).name,
        config=reader.get_config(run_id),
        last={
            (str(summary.dataset_type), summary.name): summary.last.value for summary in reader.get_summaries(run_id)
        },
        artifacts=artifacts,
        artifacts_of_evaluations=of_children,
        evaluations=tuple(evaluations),
        data=_data(reader, run, artifacts),
    )


def _data(reader: RunReader, run: Run, artifacts: Mapping[str, Artifact]) -> Mapping[str, Any]:
    artifact = artifacts.get(f"{DATA_REPORT}.json")
    if artifact is None or not artifact.is_stored or (artifact.size or 0) > _MOST_BYTES:
        return {}
    with reader.open_artifact(run.id, artifact.name) as file:
        try:
            found = json.loads(file.read())
        except ValueError:
            return {}
    return found if isinstance(found, dict) else {}


def _evaluations(
    reader: RunReader, run: Run, artifacts: Mapping[str, Artifact], training: Run
) -> list[StoredEvaluation]:
    found = []
    for name, artifact in artifacts.items():
        if artifact.artifact_type != EVALUATION_TYPE or not artifact.is_stored or (artifact.size or 0) > _MOST_BYTES:
            continue
        with reader.open_artifact(run.id, name) as file:
            figures = _read(file.read())
        if figures is not None:
            found.append(
                StoredEvaluation(
                    run=run,
                    part=str(figures["part"]),
                    figures=figures,
                    is_own=run.id == training.id,
                    is_elsewhere=_is_elsewhere(reader, run, training),
                )
            )
    return found


def _is_elsewhere(reader: RunReader, run: Run, training: Run) -> bool:
    """Whether it has looked at another source than the training. A part of the training's split is of the same one, by whatever path."""
    if run.id == training.id or at(reader.get_config(run.id), "source.part") in _OWN_PARTS:
        return False
    theirs, own = (None if path is None else os.path.normpath(path) for path in (run.source_path, training.source_path))
    return theirs != own


def _read(content: bytes) -> Mapping[str, Any] | None:
    """The figures of a file, or ``None`` if it holds others: any program may keep artifacts of this type."""
    try:
        figures = json.loads(content)
    except ValueError:
        return None
    is_ours = isinstance(figures, dict) and isinstance(at(figures, "scores.by_name"), dict) and "part" in figures
    return figures if is_ours else None
