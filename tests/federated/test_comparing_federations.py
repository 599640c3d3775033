"""``pneumo-train compare-federation`` as a person starts it: killed, gone on with, and looked at in the store."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("flwr", reason="Flower is not installed; it comes with the extra federated of pneumo-train")

from pneumo_train.cli import main
from pneumo_train.comparing.kept import COMPARISON, ROW
from pneumo_train.demo.phantoms import write_phantoms
from runstore import Run, RunReader, RunStatus, open_reader, open_store

pytestmark = [pytest.mark.training, pytest.mark.federated, pytest.mark.filterwarnings("default")]

URL = "sqlite:///runs.db"
ROWS = ["federation", "centralized", "client-0 alone", "client-1 alone"]
SETTINGS = """\
seed: 5
data: {image_size: 32, patient_column: source_patient, validation_fraction: 0.25, test_fraction: 0.25}
model: {architecture: small}
training: {batch_size: 8, accelerator: cpu, threads: 1}
evaluation: {bootstrap_draws: 50}
num_clients: 2
num_rounds: 2
seeds: "1"
"""
COMMAND = ["compare-federation", "--config", "train.yaml", "--source", "films", "--store", URL, "--progress", "false"]


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which a comparison was killed in its federation and gone on with."""
    folder = tmp_path_factory.mktemp("comparison")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RUNSTORE_URL", raising=False)
        patch.setenv("RUNSTORE_STATE_DIR", str(folder / "state"))
        patch.chdir(folder)
        write_phantoms("films", patients=60, films_per_patient=1, positive_share=0.5, size=48, seed=1)
        Path("train.yaml").write_text(SETTINGS)
        kill_in_its_federation()
        assert main([*COMMAND, "--export", "table.json"]) == 0
        yield folder


def kill_in_its_federation() -> None:
    killed = subprocess.Popen([sys.executable, "-m", "pneumo_train", *COMMAND], stderr=subprocess.PIPE, text=True)
    assert killed.stderr is not None
    with killed.stderr:
        while not list(Path("results", "comparison_checkpoints").glob("*/round-0001.ckpt")):
            assert killed.poll() is None, killed.stderr.read()
            time.sleep(0.01)
        killed.kill()
        killed.wait()


def runs_of(reader: RunReader, purpose: str) -> list[Run]:
    return list(reader.iter_runs(f"tag.purpose = '{purpose}'", order_by=["start_time"]))


def test_a_comparison_that_was_killed_goes_on_and_every_row_is_a_run_below_it(complete: Path) -> None:
    with open_reader(f"sqlite:///{complete / 'runs.db'}") as reader:
        (whole,) = runs_of(reader, COMPARISON)
        rows = runs_of(reader, ROW)
        artifacts = {artifact.name for artifact in reader.list_artifacts(whole.id)}

    assert [run.tags["row"] for run in rows] == ROWS
    assert {run.status for run in (whole, *rows)} == {RunStatus.COMPLETED}
    assert {run.parent_run_id for run in rows} == {whole.id}
    assert [run.attempt for run in rows] == [2, 1, 1, 1]
    assert [run.training_mode for run in rows] == ["federated", *["centralized"] * 3]
    assert {"comparison/plan.json", "comparison/table.json", "comparison/auroc.png"} <= artifacts
    assert not list((complete / "results" / "comparison_checkpoints").glob("*/*.ckpt"))


def test_all_rows_learn_from_the_clients_own_films_and_are_measured_with_the_same_test_part(complete: Path) -> None:
    with open_reader(f"sqlite:///{complete / 'runs.db'}") as reader:
        federation, *others = runs_of(reader, ROW)
        configs = [reader.get_config(run.id) for run in (federation, *others)]
        looks = [
            reader.get_config(child.id)["data_set"]
            for run in (federation, *others)
            for child in reader.list_children(run.id).items
            if child.tags.get("purpose") == "evaluation"
        ]

    clients = [configs[0]["partition"][f"client-{number}"]["train"] for number in (0, 1)]
    centralized, *alone = (config["split"]["train"] for config in configs[1:])
    assert alone == clients
    assert centralized == {key: sum(client[key] for client in clients) for key in centralized}
    assert [config["training"]["max_epochs"] for config in configs] == [2] * 4
    assert len(looks) == 4
    assert len({look["hash"] for look in looks}) == 1
    assert {look["images"] for look in looks} == {configs[0]["split"]["test"]["images"]}


def test_the_table_has_all_rows_with_intervals_and_tests_and_is_that_of_the_store(
    complete: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table: dict[str, Any] = json.loads((complete / "table.json").read_text(encoding="utf-8"))
    rows = {row["row"]: row for row in table["parts"]["test"]["rows"]}

    assert list(rows) == [*ROWS, "best site alone"]
    assert (table["missing"], table["refused"], table["epochs"], table["seeds"]) == ([], [], 2, [1])
    for name, row in rows.items():
        auroc = row["mean"]["auroc"]
        assert auroc["low"] <= auroc["value"] <= auroc["high"]
        assert name == "federation" or 0 <= row["federation_less_this"]["p"] <= 1
    with open_reader(f"sqlite:///{complete / 'runs.db'}") as reader:
        (whole,) = runs_of(reader, COMPARISON)
        kept = {
            series.name: series.last.value for series in reader.get_summaries(whole.id) if series.dataset_type == "test"
        }
    assert kept["federation_auroc"] == rows["federation"]["mean"]["auroc"]["value"]
    assert kept["federation_less_centralized_p"] == rows["centralized"]["federation_less_this"]["p"]

    assert main(["compare-federation", "--store", f"sqlite:///{complete / 'runs.db'}"]) == 0

    assert "| federation |" in capsys.readouterr().out


@pytest.mark.usefixtures("complete")
def test_what_is_complete_is_not_trained_again_and_a_look_that_is_missing_is_made(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with open_store(URL) as store:
        before = runs_of(store, ROW)
        (look,) = [
            child for child in store.list_children(before[0].id).items if child.tags.get("purpose") == "evaluation"
        ]
        store.delete_run(look.id)

    assert main(COMMAND) == 0

    told = capsys.readouterr()
    assert told.err.count("is kept as") == 4
    with open_reader(URL) as reader:
        assert [run.id for run in runs_of(reader, ROW)] == [run.id for run in before]
        (made,) = [
            child for child in reader.list_children(before[0].id).items if child.tags.get("purpose") == "evaluation"
        ]
        assert (made.status, made.id == look.id) == (RunStatus.COMPLETED, False)
    assert "| federation |" in told.out
