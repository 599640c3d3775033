"""What a federation leaves in the store: a run, a run for each client below it, each round, and a checkpoint that works."""

import csv
import functools
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pneumo_train.federating.client as of_client
from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.errors import ConfigError, FederationError
from pneumo_train.examining.leading import evaluate_run
from pneumo_train.federated import FederatedTrainer
from pneumo_train.federating.apart import workplace
from pneumo_train.federating.own import Own
from pneumo_train.federating.privacy import epsilon
from pneumo_train.federating.result import FederationResult
from pneumo_train.federating.values import Answer, Request
from pneumo_train.fitting.fitting import torch_set_up
from pneumo_train.network.classifier import LitClassifier
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


def test_the_checkpoint_of_the_best_round_so_far_is_in_the_store_while_the_next_one_is_played(
    lead: Lead, store: GoesAway
) -> None:
    kept: dict[int, int] = {}

    def look_at_the_store(request: Request) -> None:
        if (request.task, request.client) == ("train", "client-0"):
            best = {each.name: each for each in store.list_artifacts("together")}.get(BEST_CHECKPOINT)
            if best is not None:
                kept[request.round] = best.metadata["epoch"]

    result = lead(look_at_the_store, num_rounds=4)

    scores = {made.number: made.metrics[result.monitor] for made in result.rounds}
    assert kept == {number: max(range(1, number), key=scores.__getitem__) for number in (2, 3, 4)}
    last = {each.name: each for each in store.list_artifacts("together")}[BEST_CHECKPOINT]
    assert last.metadata["epoch"] == result.best_round
    assert last.sha256 == hashlib.sha256(Path(result.best_model_path).read_bytes()).hexdigest()


def test_the_checkpoint_of_each_round_that_was_the_best_so_far_stays_in_the_store(
    store: GoesAway, tiny_config: TrainConfig, phantoms: Path, fast_path: Path, tmp_path: Path
) -> None:
    # At this rate the loss rises in each of the first rounds; with "max" each is the best so far.
    rising = {"training.monitor": "val_loss", "training.monitor_mode": "max", "optimizer.learning_rate": 1e-4}
    config = load_config(overrides={**SMALL, **rising}, base=tiny_config)
    result = lead_two(store, config, phantoms, fast_path, num_rounds=4)

    losses = {made.number: made.metrics["val_loss"] for made in result.rounds}
    bettering = [number for number in losses if all(losses[number] > losses[early] for early in range(1, number))]
    models = {each.name: each for each in store.list_artifacts("together") if each.artifact_type == "model"}
    assert len(bettering) > 1  # or this looks at nothing
    assert models.keys() == {BEST_CHECKPOINT, *(f"checkpoints/round-{number:04d}.ckpt" for number in bettering)}
    for number in bettering:
        kept, path = models[f"checkpoints/round-{number:04d}.ckpt"], tmp_path / f"{number}.ckpt"
        assert (kept.metadata["epoch"], kept.metadata["role"]) == (number, "best so far")
        assert kept.metadata["score"] == pytest.approx(losses[number])
        with store.open_artifact("together", kept.name) as stream:
            path.write_bytes(stream.read())
        assert LitClassifier.load_from_checkpoint(path, map_location="cpu") is not None
    assert len({models[f"checkpoints/round-{number:04d}.ckpt"].sha256 for number in bettering}) == len(bettering)


def test_the_threads_of_the_configuration_are_of_this_machine_and_not_of_each_client(
    lead: Lead, store: GoesAway, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int | None] = []

    def set_up_and_tell(config: TrainConfig) -> AbstractContextManager[None]:
        told.append(config.training.threads)
        return torch_set_up(config)

    monkeypatch.setattr(of_client, "torch_set_up", set_up_and_tell)
    lead(num_rounds=1)

    assert store.get_config("together")["training"]["threads"] == 1
    assert told == [None] * 4


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


PRIVATE: dict[str, Any] = {"dp_clip": 1.0, "dp_noise": 0.2, "client_fraction": 0.5, "num_rounds": 3}


def test_under_differential_privacy_every_round_and_every_client_has_its_epsilon(
    store: GoesAway, tiny_config: TrainConfig, phantoms: Path, fast_path: Path
) -> None:
    config = load_config(overrides={**SMALL, "model.norm": "group"}, base=tiny_config)

    result = lead_two(store, config, phantoms, fast_path, **PRIVATE)

    kept = store.get_history("together", "epsilon", "other")
    children = {child.client_id: child.id for child in store.list_children("together").items}
    asked = {name: [made.number for made in result.rounds if made.clients[0].client == name] for name in children}
    most = [
        max(sum(asked_in <= number for asked_in in numbers) for numbers in asked.values()) for number in range(1, 4)
    ]
    assert [point.step for point in kept] == [1, 2, 3]
    assert [point.value for point in kept] == [epsilon(0.2, count, 1e-5) for count in most]
    for name, run_id in children.items():
        own = store.get_history(run_id, "epsilon", "other")
        assert [point.step for point in own] == asked[name]
        assert [point.value for point in own] == [epsilon(0.2, 1 + each, 1e-5) for each in range(len(asked[name]))]
    told = store.get_config("together")["privacy"]
    assert told == {"unit": "client", "epsilon": kept[-1].value, "delta": 1e-5}
    assert "epsilon" not in result.final_metrics


def test_a_network_with_batch_normalisation_is_refused_under_differential_privacy_and_a_frozen_one_is_not(
    store: GoesAway, tiny_config: TrainConfig, phantoms: Path, fast_path: Path
) -> None:
    config = load_config(overrides=SMALL, base=tiny_config)

    with pytest.raises(ConfigError, match=r"dp_noise = 0\.2: 9 layers .* batch normalisation.*model\.norm = group"):
        lead_two(store, config, phantoms, fast_path, **PRIVATE)
    assert not list(store.iter_runs())

    frozen = load_config(overrides={"model.freeze_backbone": True}, base=config)
    assert lead_two(store, frozen, phantoms, fast_path, **{**PRIVATE, "num_rounds": 1}).num_rounds == 1


def test_the_batch_normalisation_of_a_client_is_its_own_and_its_statistics_do_not_leave_it(
    lead: Lead, fast_path: Path
) -> None:
    seen: list[tuple[Request, Answer]] = []

    result = lead(watch=lambda request, answer: seen.append((request, answer)), batch_norm="local")

    norms = ("backbone.norm0", "backbone.blocks.0.1")
    for request, answer in seen:
        assert not [name for name in (*request.arrays, *answer.arrays) if "running" in name]
    first, second = (
        {
            request.client: answer.arrays
            for request, answer in seen
            if (request.task, request.round) == ("train", number)
        }
        for number in (1, 2)
    )
    for client in ("client-0", "client-1"):
        kept = [Own(fast_path / "together" / "clients" / client).read(number) for number in (1, 2)]
        for own, sent in zip(kept, (first, second), strict=True):
            assert own is not None
            assert {f"{norm}.{part}" for norm in norms for part in ("weight", "bias", "running_var")} <= set(own)
            assert "backbone.conv0.weight" not in own
            assert all(np.array_equal(own[name], sent[client][name]) for name in own if "running" not in name)
    state = torch.load(result.best_model_path, weights_only=True)["state_dict"]
    assert not np.array_equal(state["backbone.norm0.running_var"], np.ones(24))
    assert result.final_metrics["val_auroc"] == pytest.approx(
        result.evaluations["validation"].scores.by_name["auroc"].value
    )


def test_a_client_trains_and_looks_with_its_own_batch_normalisation_and_all_else_of_the_server(
    lead: Lead, fast_path: Path
) -> None:
    used: list[tuple[str, float, float]] = []

    class Watched(LitClassifier):
        def setup(self, stage: str) -> None:
            state = self.state_dict()
            used.append(
                (stage, float(state["backbone.norm0.bias"][0]), float(state["backbone.conv0.weight"][0, 0, 0, 0]))
            )

    sent: list[Request] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_client, "LitClassifier", Watched)
        lead(sent.append, batch_norm="local")

    own = {
        client: [Own(fast_path / "together" / "clients" / client).read(number) for number in (0, 1, 2)]
        for client in ("client-0", "client-1")
    }
    for request, (_, bias, weight) in zip(sent, used, strict=True):
        before = own[request.client][request.round - (request.task == "train")]
        expected = request.arrays if before is None else before
        assert bias == expected["backbone.norm0.bias"][0]
        assert weight == request.arrays["backbone.conv0.weight"][0, 0, 0, 0]
    assert len(used) == 8


def test_a_network_without_batch_normalisation_leaves_a_client_nothing_of_its_own(
    store: GoesAway, tiny_config: TrainConfig, phantoms: Path, fast_path: Path
) -> None:
    config = load_config(overrides={**SMALL, "model.norm": "group"}, base=tiny_config)

    with pytest.raises(ConfigError, match=r"batch_norm = 'local': the network has no batch normalisation"):
        lead_two(store, config, phantoms, fast_path, batch_norm="local")


def test_clients_clip_their_gradients_as_the_training_says(
    store: GoesAway, tiny_config: TrainConfig, phantoms: Path, fast_path: Path
) -> None:
    norms: list[float] = []

    class Watched(LitClassifier):
        def configure_gradient_clipping(self, *arguments: Any, **options: Any) -> None:
            super().configure_gradient_clipping(*arguments, **options)
            squares = [float((each.grad**2).sum()) for each in self.parameters() if each.grad is not None]
            norms.append(sum(squares) ** 0.5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_client, "LitClassifier", Watched)
        config = load_config(overrides={**SMALL, "training.gradient_clip_val": 1e-3}, base=tiny_config)
        lead_two(store, config, phantoms, fast_path, num_rounds=1)

    assert norms == pytest.approx([1e-3] * len(norms), rel=1e-2)
    assert norms


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
