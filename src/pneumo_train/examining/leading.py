"""An evaluation of a stored run on any source, at any later time: a run of its own, a child of the one that was trained."""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

from pneumo_train.config.data import DataConfig
from pneumo_train.config.settings import SECTIONS, TrainConfig, load_config
from pneumo_train.errors import DataError, SourceError
from pneumo_train.evaluating.calibration import sigmoid
from pneumo_train.evaluating.deciding import calibrated
from pneumo_train.evaluating.delong import Comparison, compare
from pneumo_train.evaluating.figures import Evaluation
from pneumo_train.examining.checkpoint import fetch_checkpoint, load_checkpoint
from pneumo_train.examining.examining import examine
from pneumo_train.examining.held_out import learnt_from, require_held_out_there, require_same_split
from pneumo_train.examining.keeping import NAME, keep_artifacts, points_of
from pneumo_train.examining.logits import logits_of
from pneumo_train.preparing.reading import Reading, read_source
from pneumo_train.showing.keeping import keep_pictures
from pneumo_train.stores import training_of
from pneumo_train.terminal import Track
from pneumo_train.words import quoted
from runstore import DatasetType, MetricPoint, RunReader, Store
from runstore.provenance import gather_provenance
from runstore.training import RunSession

Part = Literal["all", "train", "validation", "test"]

PACKAGES = ("runstore", "torch", "torchvision", "numpy", "pillow")
"""Whose versions are kept with an evaluation."""

_LAYOUT = ("csv_filename", "images_dir", "split_column", "subset_column", "site_column", "sample_fraction")
"""What a training said of its source that says nothing of another one."""

_DATASET_TYPES = {"train": DatasetType.TRAIN, "validation": DatasetType.VALIDATION}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An evaluation that is kept.

    Attributes:
        run_id: of the evaluation, a child of the training.
        evaluation: all its figures.
        comparison: with another run on the same images, if one was named.
        notes: what a person should look at.
    """

    run_id: str
    evaluation: Evaluation
    comparison: Comparison | None
    notes: tuple[str, ...]


def evaluate_run(  # noqa: PLR0913 - keyword-only
    store: Store,
    run_id: str,
    source_path: str | os.PathLike[str],
    *,
    part: Part = "all",
    name: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    against: str | None = None,
    track: Track = iter,
) -> Kept:
    """Evaluates the best checkpoint of a run at its own threshold and temperature, and keeps that as a child run.

    Args:
        store: holds the run; it stays the caller's.
        run_id: a run of ``pneumo-train fit``: its id, a part of it, its name, or ``@1`` for the newest. It is not changed.
        source_path: a directory or a zip with a metadata CSV and images.
        part: all images, or one part of the split that the training made of this same source.
        name: what the set is called; the part's name without one.
        overrides: keys of the configuration that are other than in training, dotted.
        against: another run, whose best checkpoint looks at the same images; of a part, it must not have learnt from them.
        track: wraps the iteration over images, for a progress bar.

    Raises:
        CheckpointError: a run has no checkpoint that can be used.
        SourceError: the source holds no table or no images.
        DataError: the table or the images cannot be used.
        PredictionError: a prediction is NaN or infinite.
        RunStoreError: there is no such run, or the store does not take the evaluation.
    """
    run_id = training_of(store, run_id)
    against = None if against is None else training_of(store, against)
    run = store.get_run(run_id)
    content, digest = fetch_checkpoint(store, run_id)
    model, decision = load_checkpoint(content, called=f"run {run_id!r}")
    config = _config_of(store, run_id, part, overrides or {})
    other = None if against is None else fetch_checkpoint(store, against)
    with _read(source_path, config, part, overrides or {}) as reading:
        samples = reading.part(part)
        if not samples:
            raise DataError(f"{source_path}: the part {part!r} has no images; give another --part, or all")
        require_same_split(reading, part, store.get_config(run_id))
        if against is not None:
            require_held_out_there(reading, part, samples, store, against)
        films, data_hash = reading.decode_part(samples, track=track)
        about = {"run": run_id, "checkpoint_sha256": digest, "data_hash": data_hash}
        evaluation = examine(
            model,
            films,
            decision,
            config,
            part=name or part,
            divisions=reading.divisions(samples),
            about=about,
        )
        comparison = None
        if other is not None and against is not None:
            other_model, other_decision = load_checkpoint(other[0], called=f"run {against!r}")
            other_config = _config_of(store, against, part, overrides or {})
            if other_config.data.image_size != config.data.image_size:
                other_reading = dataclasses.replace(reading, config=other_config)
                other_films, _ = other_reading.decode_part(samples, track=track)
            else:
                other_films = films
            logits = logits_of(other_model, other_films, batch_size=config.training.batch_size)
            comparison = _compared(evaluation, calibrated(logits, other_decision), config)
        session = _keep(store, run.experiment_id, evaluation, comparison, reading, part, against)
        keep_pictures(session, evaluation, films, model)
        notes = (*reading.notes, *learnt_from(reading, part, run))
        if against not in {None, run_id}:
            notes += learnt_from(reading, part, store.get_run(against), f"the run {against!r}")
        return Kept(run_id=session.run_id, evaluation=evaluation, comparison=comparison, notes=notes)


@contextmanager
def _read(
    source_path: str | os.PathLike[str], config: TrainConfig, part: Part, given: Mapping[str, Any]
) -> Iterator[Reading]:
    """The source; what it lacks that the training has named, and nobody here, is said to be the training's."""
    with ExitStack() as stack:
        try:
            reading = stack.enter_context(read_source(source_path, config, is_split=part != "all"))
        except (SourceError, DataError) as error:
            values, plain = config.data, DataConfig()
            theirs = [
                f"--data.{key} {quoted(str(getattr(values, key)))}"
                for key in (each.name for each in dataclasses.fields(values))
                if f"data.{key}" in str(error)
                and f"data.{key}" not in given
                and getattr(values, key) != getattr(plain, key)
            ]
            if not theirs:
                raise
            raise type(error)(
                f"{error}; the training had {' and '.join(theirs)}: give what this source has, or take it back by null, as in "
                f"{theirs[0].split()[0]} null"
            ) from error
        yield reading


def _compared(evaluation: Evaluation, logits: Any, config: TrainConfig) -> Comparison:
    evaluated = evaluation.evaluated
    try:
        return compare(
            evaluated.targets,
            evaluated.probabilities,
            sigmoid(logits),
            evaluated.patients,
            draws=config.evaluation.bootstrap_draws,
            seed=config.seed,
        )
    except ValueError as error:
        raise DataError(f"{error}: the two runs cannot be compared on this part") from error


def _keep(  # noqa: PLR0913, PLR0917 - all that an evaluation is made of
    store: Store,
    experiment_id: str,
    evaluation: Evaluation,
    comparison: Comparison | None,
    reading: Reading,
    part: Part,
    against: str | None,
) -> RunSession:
    """Stores an evaluation as a run of its own; what has led it."""
    about = evaluation.about
    session = RunSession(
        store,
        experiment_id=experiment_id,
        parent_run_id=about["run"],
        name=NAME.format(part=evaluation.evaluated.part),
        source_path=os.fspath(reading.source.path),
        tags={"purpose": "evaluation"},
        provenance=gather_provenance(packages=PACKAGES, seed=reading.config.seed),
    )
    keep_evaluation(session, evaluation, dataset_type=_DATASET_TYPES.get(part, DatasetType.TEST), config={
        "data": dataclasses.asdict(reading.config.data),
        "evaluation": dataclasses.asdict(reading.config.evaluation),
        "seed": reading.config.seed,
        "source": {"path": os.fspath(reading.source.path), "csv": reading.source.table_name, "part": part},
        **({"against": against} if against else {}),
    }, comparison=comparison)  # fmt: skip
    return session


def keep_evaluation(
    session: RunSession,
    evaluation: Evaluation,
    *,
    dataset_type: DatasetType,
    config: Mapping[str, Any],
    comparison: Comparison | None = None,
) -> bool:
    """Fills the run of an evaluation and ends it; whether the store took everything."""
    scores, decision = evaluation.scores, evaluation.decision
    session.begin()
    try:
        session.log_config(
            {
                **config,
                "checkpoint": {"run": evaluation.about["run"], "sha256": evaluation.about["checkpoint_sha256"]},
                "decision": {
                    "threshold": decision.threshold,
                    "rule": decision.rule,
                    "temperature": decision.temperature,
                    "shift": decision.shift,
                    "chosen_on": decision.chosen_on,
                },
                "data_set": {
                    "name": evaluation.evaluated.part,
                    "hash": evaluation.about["data_hash"],
                    "images": scores.images,
                    "patients": scores.patients,
                    "positives": scores.positives,
                },
            }
        )
        session.log_metrics(points_of(evaluation, dataset_type))
        if comparison is not None:
            session.log_metrics(
                MetricPoint(name=f"against_{field}", dataset_type=dataset_type, value=float(value), step=0)
                for field, value in dataclasses.asdict(comparison).items()
            )
        keep_artifacts(session, evaluation)
    except BaseException as error:
        session.end_with(error)
        raise
    return session.end_with(None) and session.failures == 0


def _config_of(reader: RunReader, run_id: str, part: Part, overrides: Mapping[str, Any]) -> TrainConfig:
    """The configuration of the training, without what it said of its own source when another may be meant."""
    stored = reader.get_config(run_id)
    values: dict[str, Any] = {"seed": stored["seed"]} if "seed" in stored else {}
    for section, kind in SECTIONS.items():
        known = {field.name for field in dataclasses.fields(kind)}
        given = stored.get(section, {})
        values[section] = {key: value for key, value in given.items() if key in known}
    if part == "all":
        values["data"] = {key: value for key, value in values["data"].items() if key not in _LAYOUT}
    return load_config(overrides=overrides, base=load_config(overrides=values))
