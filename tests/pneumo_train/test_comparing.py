"""What a comparison of a federation trains, and the table that it makes of what a store holds."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pneumo_train.cli import main
from pneumo_train.comparing.kept import COMPARISON, PLAN, ROW, find_comparison, keep_plan
from pneumo_train.comparing.plan import Task, tasks_of
from pneumo_train.comparing.table import BEST_SITE, comparison_table
from pneumo_train.comparing.telling import as_json, as_markdown, columns_of, picture_of
from pneumo_train.config.federation import federation_of
from pneumo_train.config.settings import load_config
from pneumo_train.errors import ConfigError, DataError
from pneumo_train.evaluating.delong import compare
from pneumo_train.evaluating.scores import mean_scores
from pneumo_train.preparing.reading import read_source
from runstore import RunStatus, open_store
from runstore.memory.store import MemoryStore
from runstore.predictions import Threshold, media_of, new_predictions
from runstore.training import RunSession

WriteSource = Callable[..., Path]

COLUMNS = ("patientId", "Target", "person", "hospital")
SITES = ("A", "B", "C")
DATA = {"data.patient_column": "person", "data.site_column": "hospital", "data.test_fraction": 0.25}
SEEDS = (1, 2)


@pytest.fixture
def films(write_source: WriteSource) -> Path:
    """80 patients with one film each, every other positive; those of hospital C are all positive."""
    rows = [(f"f{n:02d}", n % 2, f"p{n:02d}", SITES[2 if n % 4 == 1 else n // 40]) for n in range(80)]
    return write_source(rows, columns=COLUMNS)


def tasks(source: Path, *seeds: int, federation: Mapping[str, Any] | None = None, **data: Any) -> tuple[Task, ...]:
    config = load_config(overrides={**DATA, **{f"data.{key}": value for key, value in data.items()}})
    with read_source(source, config, is_split=False) as whole:
        return tasks_of(whole, whole.divided(), federation_of(federation or {}), seeds or SEEDS)


def part(task: Task, name: str) -> set[str]:
    return {row["image"] for row in csv.DictReader(task.split.splitlines()) if row["part"] == name}


def test_all_rows_have_the_same_films_held_out_and_learn_from_the_same_ones_together(films: Path) -> None:
    found = tasks(films)

    assert [task.name for task in found] == [
        f"{row}, seed {seed}"
        for seed in SEEDS
        for row in ("federation", "centralized", "client-0 alone", "client-1 alone", "client-2 alone")
    ]
    for name in ("test", "validation"):
        (same,) = {frozenset(part(task, name)) for task in found}
        assert same
    for federation, centralized, *alone in (found[:5], found[5:]):
        learnt = [part(task, "train") for task in alone]
        assert set.union(*learnt) == part(centralized, "train") < part(federation, "train")
        assert sum(map(len, learnt)) == len(part(centralized, "train")) == federation.learns_from["images"]
    assert part(found[2], "train") != part(found[7], "train")


def test_every_row_has_the_epochs_of_the_federation_and_does_not_stop_early(films: Path) -> None:
    found = tasks(films, federation={"num_rounds": 4, "local_epochs": 3})

    assert {(task.config.training.max_epochs, task.config.training.early_stopping_patience) for task in found} == {
        (12, 0)
    }
    assert [task.config.seed for task in found] == [1] * 5 + [2] * 5


def test_a_row_is_another_for_whatever_changes_what_comes_out_and_for_nothing_else(films: Path) -> None:
    known = [task.digest for task in tasks(films)]
    assert len(set(known)) == len(known)

    assert [
        task.digest for task in tasks(films, cache_mib=7, federation={"round_timeout": 7, "min_answers": 2})
    ] == known
    prox = [task.digest for task in tasks(films, federation={"strategy": "fedprox"})]
    assert [mine == theirs for mine, theirs in zip(prox, known, strict=True)] == ([False] + [True] * 4) * 2
    for changed in (
        tasks(films, federation={"num_rounds": 7}),
        tasks(films, image_size=64),
        tasks(films, validation_fraction=0.3),
        tasks(films, federation={"partition": "stratified"})[2:5],
    ):
        assert not set(known).intersection(task.digest for task in changed)


def test_a_split_that_is_given_is_kept_to_and_films_that_it_does_not_use_stay_unused(
    films: Path, tmp_path: Path
) -> None:
    first = tasks(films)[0]
    rows = first.split.replace("f00,p00,0,train", "f00,p00,0,unused")
    (tmp_path / "split.csv").write_text(rows)

    found = tasks(films, split_file=str(tmp_path / "split.csv"), test_fraction=0.0)

    assert [part(found[0], name) for name in ("test", "validation")] == [
        part(first, name) for name in ("test", "validation")
    ]
    assert all(("f00" in part(task, "unused")) == (rows != first.split) for task in found)


def test_a_source_without_a_test_part_is_refused(films: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no test part, .* --data\.test_fraction 0\.2"):
        tasks(films, test_fraction=0.0)


def test_a_hospital_whose_films_are_of_one_class_is_named_and_the_others_are_trained(films: Path) -> None:
    found = tasks(films, 1, federation={"partition": "site"})

    assert [(task.row, bool(task.refusal)) for task in found] == [
        ("federation", False),
        ("centralized", False),
        ("A alone", False),
        ("B alone", False),
        ("C alone", True),
    ]
    assert re.fullmatch(r"its \d+ films are of one class, and a classifier needs two", found[-1].refusal)


PEOPLE = [f"p{n // 2}" for n in range(60)]
TARGETS = np.array([n % 3 == 0 for n in range(60)], np.int8)
SPREAD = {"federation": 0.6, "centralized": 0.5, "client-0 alone": 1.5, "client-1 alone": 2.5}


def probabilities_of(row: str, seed: int, name: str) -> "np.ndarray[Any, Any]":
    rng = np.random.default_rng([seed, len(row), len(name), int(10 * SPREAD[row])])
    return np.round(1 / (1 + np.exp(-rng.normal(2.0 * TARGETS - 1, SPREAD[row]))), 6)


def keep_said(session: RunSession, name: str, said: Sequence[float], *, ids: Sequence[str] = ()) -> None:
    made = new_predictions(
        ids=ids or [f"f{n}" for n in range(60)],
        classes=("normal", "pneumonia"),
        targets=TARGETS.tolist(),
        scores=list(said),
        groups=PEOPLE,
        thresholds=[Threshold(name="own", value=0.4, chosen_on="validation")],
    )
    session.log_media(media_of(made, f"predictions/{name}"))


def keep_row(store: MemoryStore, parent: str, row: str, seed: int, *, ids: Sequence[str] = ()) -> str:
    """A row that has come to its end, with what its model said of both parts."""
    tags = {"purpose": ROW, "row": row, "seed": str(seed), "digest": f"{row} {seed}"}
    session = RunSession(store, experiment="x", parent_run_id=parent, tags=tags)
    keep_said(session, "validation", probabilities_of(row, seed, "validation").tolist(), ids=ids)
    session.end(RunStatus.COMPLETED)
    look = RunSession(store, experiment="x", parent_run_id=session.run_id, name="evaluation: test")
    keep_said(look, "test", probabilities_of(row, seed, "test").tolist(), ids=ids)
    look.end(RunStatus.COMPLETED)
    return session.run_id


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        yield opened


@pytest.fixture
def kept(store: MemoryStore) -> str:
    """A comparison of two seeds that lacks one row, and has one that cannot be trained; the id of its run."""
    session = RunSession(store, experiment="x", name="three", tags={"purpose": COMPARISON})
    session.begin()
    rows = [
        {
            "row": row,
            "seed": seed,
            "digest": f"{row} {seed}",
            "refusal": "",
            "images": 30,
            "patients": 20,
            "positives": 9,
        }
        for seed in SEEDS
        for row in SPREAD
    ]
    refused = {**rows[-1], "row": "client-2 alone", "digest": "never", "refusal": "its 4 films are of one class"}
    keep_plan(
        session,
        {"federation": {"num_clients": 3}, "epochs": 5, "seeds": list(SEEDS), "draws": 100, "seed": 7, "rows": [*rows, refused]},
    )  # fmt: skip
    for row in rows[:-1]:
        keep_row(store, session.run_id, str(row["row"]), int(str(row["seed"])))
    session.end(RunStatus.COMPLETED)
    return session.run_id


def table_of(store: MemoryStore) -> dict[str, Any]:
    kept = find_comparison(store, "x", "three")
    assert kept is not None
    return comparison_table(store, "three", kept)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("name", ["test", "validation"])
def test_the_figures_are_those_of_what_the_store_holds_and_the_federation_is_compared_with_each_row(
    store: MemoryStore, name: str
) -> None:
    rows = {row["row"]: row for row in table_of(store)["parts"][name]["rows"]}
    order = sorted(range(60), key=lambda n: f"f{n}")  # by which draws of patients go

    def said(row: str, *seeds: int) -> "np.ndarray[Any, Any]":
        return np.stack([probabilities_of(row, seed, name)[order] for seed in seeds])

    targets, people = TARGETS[order], [PEOPLE[n] for n in order]
    for row, seeds in (("centralized", SEEDS), ("client-0 alone", SEEDS), ("client-1 alone", SEEDS[:1])):
        mean = mean_scores(targets, said(row, *seeds), people, thresholds=[0.4] * len(seeds), draws=100, seed=7)
        less = compare(targets, said("federation", *seeds), said(row, *seeds), people, draws=100, seed=7)
        told, against = rows[row]["mean"], rows[row]["federation_less_this"]
        for score in ("auroc", "sensitivity"):
            assert [told[score][key] for key in ("value", "low", "high")] == pytest.approx(
                [mean[score].value, mean[score].low, mean[score].high], abs=1e-5
            )
        for key in ("difference", "low", "high", "p", "low_by_patient", "high_by_patient"):
            assert against[key] == pytest.approx(getattr(less, key), rel=1e-4, abs=1e-5), key
        assert against["seeds"] == list(seeds)
        first = compare(targets, said("federation", 1)[0], said(row, 1)[0], people, draws=100, seed=7)
        assert rows[row]["seeds"][0]["federation_less_this"]["p"] == pytest.approx(first.p, rel=1e-4, abs=1e-5)
    assert rows["federation"]["federation_less_this"] is None
    assert rows["federation"]["deviation"]["auroc"] > 0


@pytest.mark.usefixtures("kept")
def test_the_best_site_is_of_each_seed_the_one_that_does_best_on_the_part(store: MemoryStore) -> None:
    rows = {row["row"]: row for row in table_of(store)["parts"]["test"]["rows"]}

    best = {each["seed"]: each["auroc"]["value"] for each in rows[BEST_SITE]["seeds"]}

    assert best == {
        seed: max(
            each["auroc"]["value"]
            for row in ("client-0 alone", "client-1 alone")
            for each in rows[row]["seeds"]
            if each["seed"] == seed
        )
        for seed in SEEDS
    }


@pytest.mark.usefixtures("kept")
def test_the_table_for_people_has_a_line_for_each_row_and_says_what_is_missing(store: MemoryStore) -> None:
    table = table_of(store)
    text = as_markdown(table)
    (test, _) = (table["parts"][name]["rows"] for name in ("test", "validation"))

    heads = [line.split(" | ")[0].strip("| ") for line in text.splitlines() if line.startswith("| ")]
    assert heads == [
        "trained by", "federation", "centralized", "client-0 alone", "client-1 alone (1 of 2 seeds)", BEST_SITE
    ] * 2  # fmt: skip
    assert f"{test[0]['mean']['auroc']['value']:.4f}" in text
    assert "Not trained yet: client-1 alone, seed 2." in text
    assert "client-2 alone, seed 2, cannot be trained: its 4 films are of one class." in text
    assert json.loads(as_json(table)) == table
    of_seeds, of_means = 7 + 2, 5
    assert {len(values) for values in columns_of(table).values()} == {2 * (of_seeds + of_means)}
    assert [axes.get_title() for axes in picture_of(table).axes] == ["test", "validation"]


def test_a_row_that_was_measured_with_other_films_is_refused(store: MemoryStore, kept: str) -> None:
    other = keep_row(store, kept, "client-1 alone", 2, ids=[f"g{n}" for n in range(60)])

    with pytest.raises(DataError, match=rf"run '{other}' \(client-1 alone, seed 2\) was measured with other films"):
        table_of(store)


def test_a_comparison_without_its_plan_is_refused(store: MemoryStore) -> None:
    RunSession(store, experiment="x", name="three", tags={"purpose": COMPARISON}).begin()

    with pytest.raises(DataError, match=PLAN):
        table_of(store)


@pytest.mark.training
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "--name comparison: the experiment 'pneumonia_detection' of this store holds no such comparison"),
        (("--seeds", "1,2,2"), "option --seeds: wanted whole numbers"),
        (("--seeds", "1;2"), "as 1,2,3; found '1;2'"),
        (("--export", "nowhere/table.md"), "there is no folder"),
        (("--num-clients", "1"), "num_clients = 1: wanted a whole number, at least 2"),
    ],
)
def test_what_cannot_be_compared_is_told_in_a_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))
    command = ["compare-federation", "--store", "sqlite:///runs.db", *options]

    with open_store("sqlite:///runs.db") as store:
        store.get_or_create_experiment("pneumonia_detection")

    assert main(command) == 2
    assert told in " ".join(capsys.readouterr().err.split())
