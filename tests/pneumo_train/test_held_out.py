"""``pneumo-train evaluate --against``: no run is judged by films that it has learnt from."""

import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from pneumo_train.config.settings import as_dict, load_config
from pneumo_train.errors import DataError
from pneumo_train.examining.leading import evaluate_run
from pneumo_train.fitting.data_kept import write_split_file
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.preparing.reading import read_source
from pneumo_train.result import BEST_CHECKPOINT, SPLIT_FILE
from pneumo_train.samples import Split
from runstore import Store, open_store, start_run

pytestmark = pytest.mark.training

SMALL = {
    "data.image_size": 32,
    "data.patient_column": "source_patient",
    "data.validation_fraction": 0.3,
    "model.architecture": "small",
    "evaluation.bootstrap_draws": 0,
}


def keep_run(
    store: Store, source: Path, run_id: str, folder: Path, *, keeps_split: bool = True, **values: object
) -> Split:
    """Keeps what a training keeps of itself, with weights that have learnt nothing."""
    config = load_config(overrides=SMALL | {key.replace("__", "."): value for key, value in values.items()})
    model = LitClassifier.from_config(config)
    checkpoint = folder / "best.ckpt"
    torch.save({"hyper_parameters": dict(model.hparams), "state_dict": model.state_dict()}, checkpoint)
    with read_source(source, config) as reading:
        kept = {**as_dict(config), "split": {"hash": reading.split.digest()}}
        split_file = write_split_file(reading, folder / "metrics.csv")
        with start_run("films", store=store, run_id=run_id, config=kept, source_path=str(source)) as run:
            run.log_artifact(checkpoint, name=BEST_CHECKPOINT, artifact_type="model")
            if keeps_split:
                run.log_artifact(split_file, name=SPLIT_FILE, artifact_type="data")
        return reading.split


def evaluations(store: Store) -> int:
    return len(store.search_runs("tag.purpose = 'evaluation'").items)


def test_another_run_is_not_judged_by_films_of_a_test_part_that_it_has_learnt_from(
    phantoms: Path, tmp_path: Path
) -> None:
    with open_store("memory://", durable=False) as store:
        mine = keep_run(store, phantoms, "first", tmp_path, seed=1, data__test_fraction=0.3)
        other = keep_run(store, phantoms, "second", tmp_path, seed=2, data__test_fraction=0.3)

        with pytest.raises(DataError) as refused:
            evaluate_run(store, "first", phantoms, part="test", against="second")

        learnt = {each.image_id for each in (*other.train, *other.validation)}
        wrong = sum(each.image_id in learnt for each in mine.test)
        assert wrong > 0
        assert f"{wrong} of the {len(mine.test)} films of its test part" in str(refused.value)
        assert "'second', which may have learnt from them" in str(refused.value)
        assert evaluations(store) == 0


def test_another_run_that_has_kept_no_split_is_not_compared_on_a_part(phantoms: Path, tmp_path: Path) -> None:
    with open_store("memory://", durable=False) as store:
        keep_run(store, phantoms, "first", tmp_path, seed=1, data__test_fraction=0.3)
        keep_run(store, phantoms, "second", tmp_path, keeps_split=False, seed=2, data__test_fraction=0.3)

        with pytest.raises(DataError, match=r"'second' was trained on another split, and has kept no data/split\.csv"):
            evaluate_run(store, "first", phantoms, part="test", against="second")


def test_runs_whose_test_part_the_table_gives_are_compared_though_their_seeds_drew_two_validation_parts(
    phantoms: Path, tmp_path: Path
) -> None:
    table = phantoms / "stage2_train_metadata.csv"
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    patients = sorted({row["source_patient"] for row in rows})
    with (tmp_path / "parts.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], "part"])
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, "part": "test" if patients.index(row["source_patient"]) % 4 == 0 else "train"})
    given: dict[str, Any] = {"data__csv_filename": "parts.csv", "data__split_column": "part"}
    source = tmp_path / "source"
    source.mkdir()
    (source / "parts.csv").write_bytes((tmp_path / "parts.csv").read_bytes())
    for image in phantoms.rglob("*.png"):
        (source / image.name).symlink_to(image)

    with open_store("memory://", durable=False) as store:
        mine = keep_run(store, source, "first", tmp_path, seed=1, **given)
        other = keep_run(store, source, "second", tmp_path, seed=2, **given)

        kept = evaluate_run(store, "first", source, part="test", against="second")

        assert mine.digest() != other.digest()
        assert kept.comparison is not None
        assert len(kept.evaluation.evaluated.ids) == len(mine.test)
        with pytest.raises(DataError, match="films of its validation part"):
            evaluate_run(store, "first", source, part="validation", against="second")


def test_all_films_of_the_other_runs_training_are_evaluated_with_a_warning_that_names_it(
    phantoms: Path, tmp_path: Path
) -> None:
    with open_store("memory://", durable=False) as store:
        keep_run(store, phantoms, "second", tmp_path, seed=2)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.symlink_to(phantoms)
        keep_run(store, phantoms, "first", tmp_path, seed=1)

        kept = evaluate_run(store, "first", elsewhere, against="second")

    told = [note for note in kept.notes if "has learnt from most of these films" in note]
    assert ["the training" in note or "the run 'second'" in note for note in told] == [True, True]
