"""The model card and the checklist: what the store has is told, what it has not is named, and nothing is made up."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pneumo_train.cli import main
from pneumo_train.reporting.card import WARNING, model_card
from pneumo_train.reporting.checklist import answer, checklist
from pneumo_train.reporting.claim import ITEMS
from pneumo_train.reporting.facts import gather_facts
from pneumo_train.stores import training_of
from runstore import MetricPoint, open_store
from runstore.backend import Store

ALL = ["train", "validation", "test"]
CONFIG: dict[str, Any] = {
    "seed": 7,
    "data": {"image_size": 128, "target_column": "Target", "image_column": "patientId", "validation_fraction": 0.2},
    "model": {"depth": 18, "weights_path": None},
    "optimizer": {"learning_rate": 0.001},
    "source": {"path": "films/", "csv": "films.csv"},
    "data_set": {"hash": "ab12", "images": 100, "left_out": 0, "patient_column": "child"},
    "split": {
        "hash": "cd34",
        "train": {"images": 80, "patients": 50, "positives": 40},
        "validation": {"images": 20, "patients": 12, "positives": 9},
    },
    "derived": {"parameters": {"total": 11, "trained": 11}, "pos_weight": 1.0},
}


def figures(part: str, auroc: float, **more: Any) -> dict[str, Any]:
    """An evaluation as the trainer keeps it."""
    by_name = {
        name: {"value": auroc, "low": auroc - 0.02, "high": auroc + 0.01}
        for name in ("auroc", "sensitivity", "specificity", "ppv", "npv")
    }
    scores = {"images": 20, "patients": 12, "positives": 9, "threshold": 0.31, "draws": 1000, "by_name": by_name}
    decision = {
        "threshold": 0.31,
        "rule": "youden",
        "rule_in_words": "Youden",
        "temperature": 1.2,
        "chosen_on": "validation",
    }
    return {"part": part, "scores": {**scores, "false_positives": 3, "false_negatives": 2}, "decision": decision, **more}  # fmt: skip


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store("memory://", durable=False) as opened:
        assert isinstance(opened, Store)
        yield opened


def new_run(store: Store, experiment: str = "pneumonia", **birth: Any) -> str:
    return store.ensure_run(store.get_or_create_experiment(experiment), **birth)


def trained(store: Store, tmp_path: Path) -> str:
    """A run as ``fit`` leaves it, before any evaluation."""
    run_id = new_run(
        store, source_path="films/", provenance={"versions": {"torch": "2.9"}, "process": {"argv": ["fit"]}}
    )
    store.log_config(run_id, CONFIG)
    store.log_metrics(run_id, [MetricPoint(name="final_auroc", dataset_type="validation", value=0.987, step=3)])
    checkpoint = tmp_path / "best.ckpt"
    checkpoint.write_bytes(b"weights")
    about = {"monitor": "val_auroc", "score": 0.987, "epoch": 3}
    store.log_artifact(run_id, checkpoint, name="checkpoints/best.ckpt", artifact_type="model", metadata=about)
    store.finalize(run_id, "completed")
    return run_id


def keep(store: Store, run_id: str, tmp_path: Path, content: Any) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(content))
    store.log_artifact(run_id, path, name="evaluation/part.json", artifact_type="evaluation")


def states(store: Store, run_id: str, edition: Any = 2024) -> dict[int, str]:
    return {each.number: each.state for each in answer(gather_facts(store, run_id), edition)}


@pytest.mark.parametrize(("edition", "count"), [(2024, 44), (2020, 42)])
def test_each_edition_has_all_its_items_once(edition: int, count: int) -> None:
    numbers = [item.of_2024 if edition == 2024 else item.of_2020 for item in ITEMS]
    assert sorted(number for number in numbers if number is not None) == list(range(1, count + 1))


def test_a_run_of_which_the_store_knows_nothing_has_no_item_filled(store: Store) -> None:
    run_id = new_run(store)
    assert set(states(store, run_id).values()) == {"person"}
    assert set(states(store, run_id, 2020).values()) == {"person"}


def test_a_trained_run_has_the_items_filled_that_its_config_tells(store: Store, tmp_path: Path) -> None:
    found = states(store, trained(store, tmp_path))
    assert {number for number, state in found.items() if state == "filled"} == {19, 20, 22, 23, 24, 26, 27}
    assert {29, 30, 31, 32, 33, 38, 39} <= {number for number, state in found.items() if state == "person"}
    assert found[37] == "in part"  # without intervals


def test_an_item_without_what_it_needs_says_where_it_would_come_from(store: Store, tmp_path: Path) -> None:
    by_number = {each.number: each for each in answer(gather_facts(store, trained(store, tmp_path)))}
    assert "an evaluation with intervals" in by_number[29].left
    assert by_number[3].left == "a person"


def test_an_evaluation_fills_performance_with_its_intervals(store: Store, tmp_path: Path) -> None:
    run_id = trained(store, tmp_path)
    corrupted = {"corruption": "blur", "strength": 5, "setting": "5 px", "by_name": {"auroc": {"value": 0.81}}}
    keep(store, run_id, tmp_path, figures("validation", 0.95, corruptions=[corrupted]))

    by_number = {each.number: each for each in answer(gather_facts(store, run_id))}

    assert [by_number[number].state for number in (29, 30, 37, 38)] == ["filled"] * 4
    assert "AUROC 0.950 (0.930 to 0.960)" in by_number[37].told
    assert "0.810, of blur 5" in by_number[30].told
    assert by_number[33].state == "person"


@pytest.mark.parametrize(
    ("source", "part", "state"),
    [
        ("films/", "all", "person"),
        ("films", "all", "person"),
        ("elsewhere/", "all", "in part"),
        ("/mnt/films", "test", "person"),  # a part of the training's split is of its source, wherever that lies by then
    ],
)
def test_only_a_child_on_another_source_is_a_test_elsewhere(
    store: Store, tmp_path: Path, source: str, part: str, state: str
) -> None:
    run_id = trained(store, tmp_path)
    child = new_run(store, parent_run_id=run_id, source_path=source)
    store.log_config(child, {"source": {"part": part}})
    keep(store, child, tmp_path, figures("test", 0.9))

    facts = gather_facts(store, run_id)

    assert {each.number: each.state for each in answer(facts)}[33] == state
    assert ("Never evaluated on another source" in model_card(facts)) == (state == "person")


def test_the_part_that_chose_the_model_is_no_test_on_data_of_the_same_source(store: Store, tmp_path: Path) -> None:
    run_id = trained(store, tmp_path)
    keep(store, run_id, tmp_path, figures("validation", 0.95))
    before = {each.number: each for each in answer(gather_facts(store, run_id))}[32]
    child = new_run(store, parent_run_id=run_id, source_path="films/")
    keep(store, child, tmp_path, figures("test", 0.9))
    store.log_metrics(run_id, [MetricPoint(name="auroc", dataset_type="train", value=0.999, step=3)])

    after = {each.number: each for each in answer(gather_facts(store, run_id))}[32]

    assert "a test part of this source" in before.left
    assert (after.state, "a test part" in after.left) == ("in part", False)
    assert "AUROC 0.900 (0.880 to 0.910); training part, last epoch: AUROC 0.999" in after.told


@pytest.mark.parametrize(
    ("data", "given", "words"),
    [
        (
            {"test_fraction": 0.15},
            [],
            [
                "drawn by the seed 7",
                "test: a share of 0.15 of the patients",
                "validation: a share of 0.2",
                "test 20 images",
            ],
        ),
        ({"folds": 5, "fold": 2}, ["test"], ["validation: fold 2 (counted from 0) of 5 of the other patients"]),
        (
            {"split_column": "part"},
            ["train", "test"],
            ["train, test as given by the table's column part; drawn"],
        ),
        ({}, ALL, ["train, validation, test as given by the source's folders: train 80"]),
        ({"split_file": "a.csv"}, ALL, ["as given by the file a.csv: train 80"]),
        ({"split_column": "part"}, None, ["train, validation, test as given by the table's column part: train 80"]),
    ],
)
def test_the_checklist_tells_how_each_part_came_about(
    store: Store, data: dict[str, Any], given: list[str] | None, words: list[str]
) -> None:
    run_id = new_run(store)
    store.log_config(
        run_id,
        {
            **CONFIG,
            "data": CONFIG["data"] | data,
            "split": CONFIG["split"] | {"test": {"images": 20}},
            "data_set": CONFIG["data_set"] | ({} if given is None else {"given_parts": given}),
        },
    )

    told = {each.number: each.told for each in answer(gather_facts(store, run_id))}[19]

    for each in words:
        assert each in told


def test_the_data_report_fills_who_the_patients_are_and_what_was_missing(store: Store, tmp_path: Path) -> None:
    run_id = trained(store, tmp_path)
    report = tmp_path / "report.json"
    report.write_text(
        json.dumps({"empty_columns": ["smoker"], "parts": {"train": {"images": 80, "sex": {"F": 30, "M": 50}}}})
    )
    store.log_artifact(run_id, report, name="data/report.json")

    by_number = {each.number: each for each in answer(gather_facts(store, run_id))}

    assert "train: sex F 30, M 50" in by_number[36].told
    assert by_number[12].told.endswith("nothing is filled in; columns without any value: smoker")


def test_the_card_says_what_the_label_is_and_repeats_what_was_warned_of(store: Store, tmp_path: Path) -> None:
    run_id = trained(store, tmp_path)
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"notes": ["7 patients lie in two parts"]}))
    store.log_artifact(run_id, report, name="data/report.json")

    card = model_card(gather_facts(store, run_id))

    assert "| the label | Target: 1 with pneumonia, 0 without; images by patientId |" in card
    assert "* Of the data the run notes: 7 patients lie in two parts" in card


@pytest.mark.parametrize(
    ("data", "label", "level"),
    [
        ({}, "1 with pneumonia, 0 without", "the patient, known by child"),
        (
            {"positive_value": "Lung Opacity", "patient_pattern": "^[0-9]+"},
            "Lung Opacity is positive, all else negative",
            r"the patient, known by what ^\[0-9\]+ finds in child",
        ),
    ],
)
def test_the_checklist_tells_which_label_is_positive_and_how_patients_are_known(
    store: Store, data: dict[str, str], label: str, level: str
) -> None:
    run_id = new_run(store)
    store.log_config(run_id, {**CONFIG, "data": CONFIG["data"] | data})

    by_number = {each.number: each for each in answer(gather_facts(store, run_id), 2020)}

    assert label in by_number[11].told
    assert by_number[21].told == level


def test_the_newest_run_means_its_training_where_it_is_an_evaluation(store: Store) -> None:
    training = new_run(store)
    other = new_run(store, parent_run_id=training)
    evaluation = new_run(store, parent_run_id=training, tags={"purpose": "evaluation"})

    assert training_of(store, "@1") == training_of(store, evaluation) == training
    assert training_of(store, other) == other


def test_a_file_of_another_program_is_no_evaluation(store: Store, tmp_path: Path) -> None:
    run_id = trained(store, tmp_path)
    foreign: tuple[Any, ...] = ([1], {"scores": 3}, {"scores": {"by_name": {}}})
    for content in foreign:
        keep(store, run_id, tmp_path, content)
        assert gather_facts(store, run_id).evaluations == ()


def test_the_card_tells_what_the_store_has_and_what_it_has_not(store: Store, tmp_path: Path) -> None:
    run_id = trained(store, tmp_path)
    card = model_card(gather_facts(store, run_id))
    assert WARNING in card
    assert "| final" not in card
    assert "| auroc | 0.987 |" in card
    assert "| commit | not in the store |" in card
    assert "| train | 80 | 50 | 40 (50.0%) |" in card
    assert "No intervals" in card

    keep(store, run_id, tmp_path, figures("validation", 0.95))
    card = model_card(gather_facts(store, run_id))
    assert "| AUROC | 0.950 (0.930 to 0.960) |" in card
    assert "| threshold | 0.31 |" in card
    assert "No intervals" not in card


def test_a_run_that_did_not_end_well_says_so_on_its_card(store: Store) -> None:
    run_id = new_run(store)
    store.finalize(run_id, "interrupted")
    assert "This run is `interrupted`" in model_card(gather_facts(store, run_id))


def test_names_of_others_do_not_break_the_tables(store: Store) -> None:
    run_id = new_run(store, "a | b\u2028<script>x</script>")
    store.log_config(run_id, {**CONFIG, "source": {"path": "x|y\n# big\n", "csv": "*z*"}})
    facts = gather_facts(store, run_id)
    for text in (model_card(facts), checklist(facts)):
        assert "<script>" not in text.replace("\\<script", "")
        assert "\n# big" not in text
        width = 0
        for line in text.splitlines():
            cells = line.replace("\\|", "").count("|")
            assert not (line.startswith("|") and width and cells != width), line
            width = cells if line.startswith("|") else 0


def test_the_command_prints_the_card_and_writes_the_checklist_without_torch(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    with open_store(url, durable=False) as store:
        run_id = new_run(store)
        store.log_config(run_id, CONFIG)
    code = "import sys; from pneumo_train.cli import main; status = main(sys.argv[1:]); assert 'torch' not in sys.modules; sys.exit(status)"
    done = subprocess.run(
        [sys.executable, "-c", code, "report", run_id, "--store", url], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# Model card: pneumonia")

    out = tmp_path / "claim.md"
    assert main(["report", "@1", "--store", url, "--checklist", "claim", "--edition", "2020", "--out", str(out)]) == 0
    assert out.read_text().startswith(f"# CLAIM 2020 for run {run_id}")
    with open_store(url, durable=False) as store:
        assert store.list_artifacts(run_id) == ()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--checklist", "tripod"], "wanted claim, found 'tripod'"),
        (["--edition", "2021"], "wanted 2024 or 2020, found 2021"),
        (["--out", "no/such/folder/card.md"], "cannot be written"),
        (["--store", "sqlite:///nowhere.db"], "there is no store"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    options: list[str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store("sqlite:///runs.db", durable=False) as store:
        new_run(store)

    assert main(["report", "@1", "--store", "sqlite:///runs.db", *options]) == 2

    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
