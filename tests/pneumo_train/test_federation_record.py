"""What a federation leaves in the store: a run, a run for each client below it, each round, and a checkpoint that works."""

import csv
import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.errors import ConfigError, FederationError
from pneumo_train.examining.leading import evaluate_run
from pneumo_train.federated import FederatedTrainer
from pneumo_train.federating.apart import workplace
from pneumo_train.federating.result import FederationResult
from pneumo_train.federating.values import Answer, Request
from pneumo_train.result import BEST_CHECKPOINT
from runstore import RunStatus, StoreUnavailableError
from runstore.memory.store import MemoryStore
from runstore.rounds import read_rounds
from runstore.series import Points
from support.federations import MOMENTS, SMALL, Dies, lead_two

pytestmark = pytest.mark.training

Lead = Callable[..., FederationResult]


class GoesAway(MemoryStore):
    """A store whose database can be taken away."""

    is_away = False

    def take_points(self, run_id: str, points: Points) -> None:
        if self.is_away:
            raise StoreUnavailableError("the database is away; try again")
        super().take_points(run_id, points)


@pytest.fixture
def store() -> Iterator[GoesAway]:
    with GoesAway() as opened:
        yield opened


@pytest.fixture
def lead(store: GoesAway, tiny_config: TrainConfig, phantoms: Path, fast_path: Path) -> Lead:
    """Leads a federation of two clients over two rounds; ``meddle`` is called before each piece of a client's work."""

    config = load_config(overrides=SMALL, base=tiny_config)
    return functools.partial(lead_two, store, config, phantoms, fast_path)


def test_the_federation_is_a_run_with_a_run_for_each_client_and_every_round(lead: Lead, store: GoesAway) -> None:
    result = lead()

    run = store.get_run("together")
    children = {child.client_id: child for child in store.list_children("together").items}
    assert (run.training_mode, run.status) == ("federated", RunStatus.COMPLETED)
    assert {name: child.id for name, child in children.items()} == result.client_run_ids
    assert {child.status for child in children.values()} == {RunStatus.COMPLETED}
    assert [made.number for made in read_rounds(store, "together")] == [1, 2]
    assert str(tuple(read_rounds(store, "together"))) == str(result.rounds)  # in which NaN is NaN
    assert [point.step for point in store.get_history("together", "auroc", "validation")] == [1, 2]
    for child in children.values():
        for name, dataset_type in (("loss", "train"), ("loss", "validation"), ("global_loss", "validation")):
            assert [point.step for point in store.get_history(child.id, name, dataset_type)] == [1, 2]
    assert result.is_recorded


def test_who_has_which_patients_is_kept_and_the_server_shares_none(lead: Lead, store: GoesAway) -> None:
    lead()

    config = store.get_config("together")
    of_clients = [config["partition"][f"client-{number}"] for number in (0, 1)]
    dealt = sum(part["images"] for split in of_clients for key, part in split.items() if key != "hash")
    assert dealt == config["split"]["train"]["images"]
    assert len({split["hash"] for split in of_clients}) == 2
    assert config["federation"]["partition"] == "iid"


def test_hospitals_are_clients_by_their_names_and_who_has_what_is_kept(
    store: GoesAway, tiny_config: TrainConfig, phantoms: Path, fast_path: Path
) -> None:
    source = shutil.copytree(phantoms, fast_path / "films")
    with (source / "stage2_train_metadata.csv").open(encoding="utf-8", newline="") as stream:
        patients = {row["patientId"]: int(row["source_patient"][-5:]) for row in csv.DictReader(stream)}
    names = ("St. Anna", "../Lyon")
    with (source / "sites.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("patientId", "hospital"), *((i, names[p % 2]) for i, p in patients.items())])
    given = {"data.groups_csv": "sites.csv", "data.site_column": "hospital"}
    config = load_config(overrides={**SMALL, **given}, base=tiny_config)

    result = lead_two(store, config, source, fast_path / "kept", partition="site")

    assert {str(child.client_id) for child in store.list_children("together").items} == set(names)
    assert set(result.client_run_ids) == set(names)
    assert [{each.client: each.status for each in made.clients} for made in read_rounds(store, "together")] == [
        dict.fromkeys(names, "completed")
    ] * 2
    kept = store.get_config("together")
    assert (kept["federation"]["partition"], kept["data"]["site_column"]) == ("site", "hospital")
    dealt = [part["patients"] for split in kept["partition"].values() for key, part in split.items() if key != "hash"]
    assert sum(dealt) == kept["split"]["train"]["patients"]


def test_a_partition_by_site_without_a_column_is_refused_before_anything_is_read() -> None:
    trainer = FederatedTrainer(federation=FederationConfig(partition="site"))

    with pytest.raises(ConfigError, match=r"data\.site_column names no column; .*--data\.site_column hospital"):
        trainer.train("nowhere")


def test_the_checkpoint_of_the_best_round_is_evaluated_as_any_other(
    lead: Lead, store: GoesAway, phantoms: Path
) -> None:
    result = lead()

    kept = evaluate_run(store, "together", phantoms, part="validation")

    assert BEST_CHECKPOINT in {artifact.name for artifact in store.list_artifacts("together")}
    assert kept.evaluation.scores.by_name["auroc"].value == pytest.approx(
        result.evaluations["validation"].scores.by_name["auroc"].value
    )
    assert result.final_metrics["val_auroc"] == pytest.approx(kept.evaluation.scores.by_name["auroc"].value)


def test_the_same_seed_gives_the_same_rounds(lead: Lead) -> None:
    def figures(result: FederationResult) -> str:
        return str([(made.metrics, [client.metrics for client in made.clients]) for made in result.rounds])

    assert figures(lead(run_id="first")) == figures(lead(run_id="again"))


def test_the_run_of_a_federation_that_has_ended_is_not_written_over(lead: Lead) -> None:
    lead()

    with pytest.raises(ConfigError, match="has ended as completed"):
        lead()


def test_a_client_that_drops_out_ends_as_failed_with_its_reason_and_the_others_go_on(
    lead: Lead, store: GoesAway
) -> None:
    def drop_out(request: Request) -> None:
        if request.client == "client-1" and request.round == 2:
            raise OSError("the disk is full")

    result = lead(drop_out)

    children = {child.client_id: child for child in store.list_children("together").items}
    assert store.get_run("together").status is RunStatus.COMPLETED
    assert children["client-0"].status is RunStatus.COMPLETED
    assert children["client-1"].status is RunStatus.FAILED
    dropped = {client.client: client for client in result.rounds[1].clients}["client-1"]
    assert (dropped.status, dropped.reason) == ("failed", "the disk is full")


def test_a_client_that_is_killed_at_any_moment_costs_nobody_else_anything_and_the_record_says_it_all(
    lead: Lead, store: GoesAway
) -> None:
    moments = dict(enumerate(MOMENTS, start=2))
    rounds = range(1, len(moments) + 3)

    result = lead(place=lambda work: workplace(Dies(work, "client-1", moments), side_by_side=2), num_rounds=len(rounds))

    children = {child.client_id: child for child in store.list_children("together").items}
    assert {run.status for run in (store.get_run("together"), *children.values())} == {RunStatus.COMPLETED}
    assert result.is_recorded
    killed = "its process was ended by SIGKILL, without an answer"
    for made in read_rounds(store, "together"):
        of_client = {client.client: client for client in made.clients}
        assert (of_client["client-0"].status, of_client["client-0"].reason) == ("completed", "")
        moment = moments.get(made.number, "none")
        expected = {
            "none": ("completed", ""),
            "looking": ("completed", f"its look at the new weights: failed, {killed}"),
        }.get(moment, ("failed", killed))
        assert (of_client["client-1"].status, of_client["client-1"].reason) == expected, moment
        assert (of_client["client-1"].num_examples is None) == (expected[0] == "failed")
        assert {each.run_id for each in made.clients} == set(result.client_run_ids.values())
        assert "val_auroc" in made.metrics
    trained = [number for number in rounds if moments.get(number) in {None, "looking"}]
    for name, dataset_type, steps in (
        ("loss", "train", trained),
        ("loss", "validation", trained),
        ("global_loss", "validation", [number for number in rounds if number not in moments]),
    ):
        assert [point.step for point in store.get_history(children["client-1"].id, name, dataset_type)] == steps
        assert [point.step for point in store.get_history(children["client-0"].id, name, dataset_type)] == [*rounds]
    assert [point.step for point in store.get_history("together", "auroc", "validation")] == [*rounds]


def test_a_federation_that_nobody_answers_ends_as_failed_and_keeps_the_round(lead: Lead, store: GoesAway) -> None:
    def drop_out(request: Request) -> None:
        if request.round == 2:
            raise OSError("the network is down")

    with pytest.raises(FederationError, match="the network is down"):
        lead(drop_out)

    assert store.get_run("together").status is RunStatus.FAILED
    assert [made.num_completed for made in read_rounds(store, "together")] == [2, 0]
    assert BEST_CHECKPOINT in {artifact.name for artifact in store.list_artifacts("together")}


def test_ctrl_c_ends_the_federation_and_its_clients_as_interrupted(lead: Lead, store: GoesAway) -> None:
    def press(request: Request) -> None:
        if request.round == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lead(press)

    runs = [store.get_run("together"), *store.list_children("together").items]
    assert [run.status for run in runs] == [RunStatus.INTERRUPTED] * 3


def test_a_store_that_goes_away_stops_no_round(lead: Lead, store: GoesAway) -> None:
    def take_away(request: Request) -> None:
        store.is_away = request.round == 2

    result = lead(take_away)

    assert result.num_rounds == 2
    assert not result.is_recorded
    assert [point.step for point in store.get_history("together", "auroc", "validation")] == [1]


def test_fedprox_holds_clients_nearer_to_the_server(lead: Lead) -> None:
    def moved(run_id: str, **values: Any) -> float:
        seen: list[tuple[Request, Answer]] = []
        lead(watch=lambda request, answer: seen.append((request, answer)), run_id=run_id, **values)
        request, answer = seen[0]
        weights = {name: array for name, array in request.arrays.items() if "running" not in name}
        return sum(float(((answer.arrays[name] - array) ** 2).sum()) for name, array in weights.items())

    free = moved("free", strategy="fedavg", local_epochs=3)
    held = moved("held", strategy="fedprox", local_epochs=3, proximal_mu=100.0)

    assert 0 < held < 0.8 * free
