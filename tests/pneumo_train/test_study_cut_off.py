"""What an earlier call of a study has left of a row that was cut off: nothing of it goes before the row is complete."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pneumo_train import CentralizedTrainer
from pneumo_train.config.settings import load_config
from pneumo_train.errors import DataError, PneumoTrainError
from pneumo_train.studying.again import remove_leftovers, trained
from pneumo_train.studying.kept import find_study
from runstore import RunStatus, Store, open_store
from runstore.training import RunSession

pytestmark = pytest.mark.training

SMALL = {
    "data.image_size": 32,
    "data.patient_column": "source_patient",
    "data.validation_fraction": 0.3,
    "model.architecture": "small",
    "training.threads": 1,
    "training.accelerator": "cpu",
}


def train_of(folder: Path, source: Path, **values: Any) -> Any:
    config = load_config(overrides=SMALL | values)
    trainer = CentralizedTrainer(checkpoint_dir=folder / "checkpoints", logs_dir=folder / "logs", config=config)
    return partial(trainer.train, source)


def left_of(folder: Path, run_id: str) -> Path:
    last = folder / "checkpoints" / run_id / "last.ckpt"
    last.parent.mkdir(parents=True)
    last.write_bytes(b"half a file")
    return last


def end_row(store: Store, study: str, digest: str, status: RunStatus) -> str:
    tags = {"purpose": "study row", "digest": digest}
    session = RunSession(store, experiment="tiny", parent_run_id=study, tags=tags)
    session.begin()
    session.end(status)
    return session.run_id


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"data.split_file": "not there.csv"}, "split_file"),
        ({"data.patient_column": "nobody"}, "nobody"),
        ({"training.precision": "16-mixed"}, "needs a GPU"),
    ],
)
@pytest.mark.usefixtures("no_store")
def test_a_mistake_that_says_nothing_of_a_checkpoint_stops_the_row_and_removes_none(
    phantoms: Path, tmp_path: Path, values: dict[str, Any], told: str
) -> None:
    last, lines = left_of(tmp_path, "cut"), list[str]()

    with pytest.raises(PneumoTrainError, match=told):
        trained(train_of(tmp_path, phantoms, **values), tmp_path / "checkpoints", ("cut",), lines.append)

    assert last.read_bytes() == b"half a file"


@pytest.mark.usefixtures("no_store")
def test_a_checkpoint_that_does_not_fit_stays_until_another_training_of_its_row_is_complete(
    phantoms: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(phantoms, source)
    film = next(source.rglob("*.png"))
    content = film.read_bytes()
    film.write_bytes(b"no film")
    last, lines = left_of(tmp_path, "cut"), list[str]()
    train = train_of(tmp_path, source, **{"training.max_epochs": 1, "evaluation.bootstrap_draws": 0})

    with pytest.raises(DataError, match="cannot be read"):
        trained(train, tmp_path / "checkpoints", ("cut",), lines.append)
    stayed = last.exists()
    film.write_bytes(content)
    result = trained(train, tmp_path / "checkpoints", ("cut",), lines.append)

    assert stayed
    assert [line.split(":")[0] for line in lines] == 2 * [
        "cannot go on with cut, which stays until the row is complete"
    ]
    assert result.total_epochs_trained == 1
    assert not list((tmp_path / "checkpoints").iterdir())


def test_of_a_row_that_none_has_completed_every_try_is_kept_and_of_another_one_no_try_is(tmp_path: Path) -> None:
    with open_store("memory://", durable=False) as store:
        whole = RunSession(store, experiment="tiny", name="tiny", tags={"purpose": "study"})
        whole.begin()
        older, newer = (end_row(store, whole.run_id, "open", RunStatus.INTERRUPTED) for _ in range(2))
        over = end_row(store, whole.run_id, "done", RunStatus.INTERRUPTED)
        end_row(store, whole.run_id, "done", RunStatus.COMPLETED)
        whole.end(RunStatus.COMPLETED)
        for run_id in (older, newer, over):
            left_of(tmp_path, run_id)

        kept = find_study(store, "tiny", "tiny")
        assert kept is not None
        remove_leftovers(kept, tmp_path / "checkpoints")

    assert kept.cut_off == {"open": (newer, older)}
    assert {place.name for place in (tmp_path / "checkpoints").iterdir()} == {older, newer}


@pytest.fixture
def no_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
