"""A row that trains nothing: the model of another row, with what is decided after a training decided otherwise."""

import os
from collections.abc import Mapping
from os import PathLike

from pneumo_train.centralized import PACKAGES
from pneumo_train.config.settings import as_dict
from pneumo_train.examining.checkpoint import fetch_checkpoint, load_checkpoint
from pneumo_train.examining.examining import decide_on, examine
from pneumo_train.examining.leading import keep_evaluation
from pneumo_train.preparing.reading import read_source
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
        DataError: the films cannot be read.
        PredictionError: a prediction is NaN or infinite.
    """
    content, digest = fetch_checkpoint(store, run_id)
    model, _ = load_checkpoint(content, called=f"run {run_id!r}")
    model.tta_views = task.config.model.tta_views
    with read_source(source_path, task.config) as reading:
        samples = reading.split.validation
        films, data_hash = reading.decode_part(samples)
        decision, logits = decide_on(model, films, task.config)
        evaluation = examine(
            model,
            films,
            decision,
            task.config,
            part="validation",
            divisions=reading.divisions(samples),
            about={"run": run_id, "checkpoint_sha256": digest, "data_hash": data_hash},
            logits=logits,
        )
    session = RunSession(
        store,
        experiment=experiment,
        parent_run_id=parent_run_id,
        name=task.name,
        source_path=os.fspath(source_path),
        tags=tags,
        provenance=gather_provenance(packages=PACKAGES, seed=task.config.seed),
    )
    keep_evaluation(session, evaluation, dataset_type=DatasetType.VALIDATION, config=as_dict(task.config))
    return session.run_id
