"""``pneumo-train study``: rows that are kept are of the films that are given, or the study is refused."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pneumo_train.errors import DataError
from pneumo_train.studying.afterwards import look_again
from pneumo_train.studying.leading import run_study
from pneumo_train.studying.plan import Study, Task, tasks_of
from runstore import Store, open_store

pytestmark = pytest.mark.training

STUDY = {
    "name": "tiny",
    "tables": [
        {
            "name": "one",
            "set": {
                "data.image_size": 32,
                "data.patient_column": "source_patient",
                "data.validation_fraction": 0.3,
                "model.architecture": "small",
                "training.max_epochs": 1,
                "training.threads": 1,
                "training.accelerator": "cpu",
                "evaluation.bootstrap_draws": 0,
            },
            "seeds": [1],
            "rows": [
                {"name": "trained", "set": {"data.split_file": "parts.csv"}},
                {"name": "looks again", "of": "trained", "set": {"evaluation.threshold_rule": "fixed"}},
            ],
        }
    ],
}


def led(store: Store, tasks: tuple[Task, ...], source: Path) -> list[str]:
    told: list[str] = []
    failed = run_study(
        store,
        tasks,
        name="tiny",
        experiment="tiny",
        source_path=source,
        checkpoint_dir=Path("checkpoints"),
        logs_dir=Path("logs"),
        tell=told.append,
    )
    assert not failed
    return told


def write_parts(source: Path, turn: int) -> None:
    """A split by patient into the file that the study names; of another turn it is another one."""
    with (source / "stage2_train_metadata.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    patients = sorted({(row["Target"], row["source_patient"]) for row in rows})
    place = {patient: number for number, (_, patient) in enumerate(patients)}
    with Path("parts.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("image", "part"))
        for row in rows:
            part = "validation" if place[row["source_patient"]] % 4 == turn else "train"
            writer.writerow((row["patientId"], part))


@pytest.fixture(scope="module")
def folder(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which both rows were trained from ``films``."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RUNSTORE_URL", raising=False)
        patch.setenv("RUNSTORE_STATE_DIR", str(folder / "state"))
        patch.chdir(folder)
        shutil.copytree(phantoms, folder / "films")
        write_parts(folder / "films", turn=0)
        with open_store("sqlite:///runs.db") as store:
            led(store, tasks_of(msgspec.convert(STUDY, Study)), folder / "films")
        yield folder


@pytest.fixture
def tasks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Task, ...]:
    monkeypatch.chdir(folder)
    write_parts(folder / "films", turn=0)
    return tasks_of(msgspec.convert(STUDY, Study))


def test_rows_of_the_same_films_are_kept_wherever_they_lie_now(
    folder: Path, tasks: tuple[Task, ...], tmp_path: Path
) -> None:
    shutil.copytree(folder / "films", tmp_path / "moved")

    with open_store("sqlite:///runs.db") as store:
        told = led(store, tasks, tmp_path / "moved")

    assert [line.split(" is kept as ")[0] for line in told] == [
        "1 of 2: one: trained, seed 1:",
        "2 of 2: one: looks again, seed 1:",
    ]


def test_a_split_file_that_was_written_anew_is_refused_before_anything_is_trained(
    folder: Path, tasks: tuple[Task, ...]
) -> None:
    write_parts(folder / "films", turn=1)

    with open_store("sqlite:///runs.db") as store:
        before = len(store.search_runs().items)
        with pytest.raises(DataError, match=r"'one: trained, seed 1' is kept as \S+, of another split of the films"):
            led(store, tasks, folder / "films")
        assert len(store.search_runs().items) == before


@pytest.mark.parametrize("place", [0, -1])
def test_a_film_that_was_changed_since_is_refused(
    folder: Path, tasks: tuple[Task, ...], tmp_path: Path, place: int
) -> None:
    shutil.copytree(folder / "films", tmp_path / "changed")
    films = sorted((tmp_path / "changed").rglob("*.png"))
    films[place].write_bytes(films[place].read_bytes() + b"!")

    with (
        open_store("sqlite:///runs.db") as store,
        pytest.raises(DataError, match="of other films, labels or patients"),
    ):
        led(store, tasks, tmp_path / "changed")


def test_a_model_does_not_look_again_at_a_validation_part_that_it_may_have_learnt_from(
    folder: Path, tasks: tuple[Task, ...]
) -> None:
    write_parts(folder / "films", turn=1)

    with open_store("sqlite:///runs.db") as store:
        (trained,) = store.search_runs("tag.row = 'trained'").items
        with pytest.raises(DataError, match="its split is not the one of the training"):
            look_again(
                store,
                tasks[1],
                trained.id,
                source_path=folder / "films",
                experiment="tiny",
                parent_run_id=trained.id,
                tags={},
            )
