"""A row that trains nothing: the model of another row, with what is decided after a training decided otherwise."""

import os
from collections.abc import Mapping
from functools import partial
from os import PathLike
from typing import Literal

from pneumo_train.centralized import PACKAGES
from pneumo_train.config.settings import TrainConfig, as_dict
from pneumo_train.evaluating.figures import Decision, Evaluation
from pneumo_train.examining.checkpoint import fetch_checkpoint, load_checkpoint
from pneumo_train.examining.examining import decide_on, examine
from pneumo_train.examining.held_out import require_same_split
from pneumo_train.examining.keeping import NAME
from pneumo_train.examining.leading import keep_evaluation
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.preparing.reading import Reading, read_source
from pneumo_train.studying.plan import Task
from runstore import DatasetType, Store
from runstore.provenance import gather_provenance
from runstore.training import RunSession


def look_again(  # noqa: PLR0913 - keyword-only
    store: Store,
    task: Task,
    run_id: str,
    *,
    source_path: str | PathLike[str],
    experiment: str,
    parent_run_id: str,
    tags: Mapping[str, str],
) -> str:
    """Decides and evaluates anew on the validation part, and keeps that as a run of its own, whose id it returns.

    A test part, if there is one, is evaluated with that decision, and kept as a child of that run, as after a training.

    Args:
        store: holds the run.
        task: how to decide and how to look.
        run_id: whose best checkpoint looks.
        source_path: where the run was trained from.
        experiment: of the new run.
        parent_run_id: of the new run: the study's.
        tags: of the new run.

    Raises:
        CheckpointError: the run has no checkpoint that can be used.
        DataError: the films cannot be read, or their split is not the one of that run.
        PredictionError: a prediction is NaN or infinite.
    """
    content, digest = fetch_checkpoint(store, run_id)
    model, _ = load_checkpoint(content, called=f"run {run_id!r}")
    model.tta_views = task.config.model.tta_views
    with read_source(source_path, task.config) as reading:
        require_same_split(reading, "validation", store.get_config(run_id))
        split = {"hash": reading.split.digest(), **reading.split.describe()}
        looked = partial(_looked_at, model, reading, task.config, about={"run": run_id, "checkpoint_sha256": digest})
        validation = looked("validation", None)
        test = looked("test", validation.decision) if reading.split.test else None

    def session(parent: str, name: str, tags: Mapping[str, str]) -> RunSession:
        return RunSession(
            store,
            experiment=experiment,
            parent_run_id=parent,
            name=name,
            source_path=os.fspath(source_path),
            tags=tags,
            provenance=gather_provenance(packages=PACKAGES, seed=task.config.seed),
        )

    row, config = session(parent_run_id, task.name, tags), as_dict(task.config)
    keep_evaluation(row, validation, dataset_type=DatasetType.VALIDATION, config={**config, "split": split})
    if test is not None:
        child = session(row.run_id, NAME.format(part="test"), {"purpose": "evaluation"})
        keep_evaluation(child, test, dataset_type=DatasetType.TEST, config=config)
    return row.run_id


def _looked_at(  # noqa: PLR0913, PLR0917 - what an evaluation is made of
    model: LitClassifier,
    reading: Reading,
    config: TrainConfig,
    part: Literal["validation", "test"],
    decision: Decision | None,
    about: Mapping[str, str],
) -> Evaluation:
    """The evaluation of a part, at a decision or, without one, at that which this part gives."""
    samples = reading.part(part)
    films, data_hash = reading.decode_part(samples)
    logits = None
    if decision is None:
        decision, logits = decide_on(model, films, config)
    return examine(
        model,
        films,
        decision,
        config,
        part=part,
        divisions=reading.divisions(samples),
        about={**about, "data_hash": data_hash},
        logits=logits,
    )
