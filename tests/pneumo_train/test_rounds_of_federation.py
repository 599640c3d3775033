"""The rounds of a federation, played without an engine of others and without a network: who is asked, what is taken."""

import dataclasses
import math
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from pneumo_train.config.federation import federation_of
from pneumo_train.config.optimizer import OptimizerConfig
from pneumo_train.config.settings import load_config
from pneumo_train.errors import ConfigError, DivergedError, FederationError
from pneumo_train.federated import FederatedTrainer
from pneumo_train.federating.rounds import Played, Rounds
from pneumo_train.federating.values import Answer, Arrays, Request
from support.federations import InProcess

START: Arrays = {"weight": np.zeros((2, 2), np.float32), "mean": np.zeros(3, np.float32)}
NAMES = ("anna", "bern", "chur", "davos")

Work = Callable[[Request], Answer]


def add_one(request: Request) -> Answer:
    """Every weight is one more after a round of training."""
    arrays = {name: array + 1 for name, array in request.arrays.items()} if request.task == "train" else {}
    return Answer(client=request.client, num_examples=10, metrics={"val_loss": 0.5}, arrays=arrays)


def play(work: Work, look: Callable[[Arrays], Mapping[str, float]] | None = None, **values: Any) -> list[Played]:
    rounds = Rounds(
        engine=InProcess(work),
        config=federation_of({"num_clients": len(NAMES), "num_rounds": 3, **values}),
        optimizer=OptimizerConfig(),
        names=NAMES,
        look=look or (lambda _arrays: {"val_loss": 0.5}),
        seed=7,
        images=dict.fromkeys(NAMES, 10),
    )
    return list(rounds.play(START))


def test_each_round_goes_on_from_the_weights_of_the_one_before() -> None:
    played = play(add_one)

    assert [each.number for each in played] == [1, 2, 3]
    assert [float(each.arrays["weight"][0, 0]) for each in played] == [1, 2, 3]
    assert all(set(each.replies) == set(each.looks) == set(NAMES) for each in played)


def test_a_round_that_is_over_holds_the_weights_of_no_client_so_that_their_memory_is_free_for_the_next_one() -> None:
    sent: list[weakref.ref[Any]] = []
    alive: dict[tuple[str, int], int] = {}

    def work(request: Request) -> Answer:
        if request.client == NAMES[0]:
            alive[request.task, request.round] = sum(array() is not None for array in sent)
        answer = add_one(request)
        sent.extend(map(weakref.ref, answer.arrays.values()))
        return answer

    played = play(work)

    assert len(sent) == 3 * len(NAMES) * len(START)
    assert alive == dict.fromkeys([(task, number) for number in (1, 2, 3) for task in ("train", "evaluate")], 0)
    assert all(reply.answer and not reply.answer.arrays for each in played for reply in each.replies.values())


BAD: dict[str, tuple[Callable[[Answer], Answer], str]] = {
    "NaN": (lambda good: _with(good, weight=np.full((2, 2), np.nan, np.float32)), "weight holds values that are NaN"),
    "shape": (lambda good: _with(good, weight=np.zeros((2, 3), np.float32)), "has the shape (2, 3)"),
    "whole numbers": (lambda good: _with(good, weight=np.zeros((2, 2), np.int64)), "holds int64"),
    "finer numbers": (lambda good: _with(good, weight=np.ones((2, 2))), "weight holds float64; float32 was sent"),
    "one more": (lambda good: _with(good, bias=np.zeros(1, np.float32)), "bias too many"),
    "one less": (lambda good: dataclasses.replace(good, arrays={"mean": good.arrays["mean"]}), "weight missing"),
    "no examples": (lambda good: dataclasses.replace(good, num_examples=0), "num-examples is 0"),
    "more examples than it has": (
        lambda good: dataclasses.replace(good, num_examples=9_000),
        "num-examples is 9,000; the client has 10 images to train on",
    ),
    "half an example": (lambda good: dataclasses.replace(good, num_examples=cast("int", 0.5)), "num-examples is 0.5"),
    "another's name": (lambda good: dataclasses.replace(good, client="anna"), "it calls itself 'anna'"),
}


def _with(good: Answer, **arrays: Any) -> Answer:
    return dataclasses.replace(good, arrays={**good.arrays, **arrays})


@pytest.mark.parametrize("kind", BAD)
def test_an_answer_that_is_no_good_costs_its_client_the_round_and_nobody_else_anything(kind: str) -> None:
    spoil, reason = BAD[kind]

    def work(request: Request) -> Answer:
        good = add_one(request)
        is_bad = request.task == "train" and (request.client, request.round) == ("chur", 2)
        return spoil(good) if is_bad else good

    played = play(work)

    refused = played[1].replies["chur"]
    assert refused.status == "refused"
    assert reason in refused.reason
    assert [reply.status for reply in played[1].replies.values()].count("completed") == 3
    assert "chur" not in played[1].looks
    assert played[2].replies["chur"].status == "completed"
    assert float(played[2].arrays["weight"][0, 0]) == 3


def test_fewer_good_answers_than_asked_for_end_the_federation_with_the_reason_of_each() -> None:
    def work(request: Request) -> Answer:
        if request.round == 2 and request.client != "anna":
            raise OSError(f"the disk of {request.client} is full")
        return add_one(request)

    played = play(work, min_answers=2)

    assert len(played) == 2
    failure = played[-1].failure
    assert isinstance(failure, FederationError)
    assert "round 2: 1 of 4 clients" in str(failure)
    assert all(f"the disk of {name} is full" in str(failure) for name in NAMES[1:])
    assert np.array_equal(played[-1].arrays["weight"], played[0].arrays["weight"])


def test_a_round_in_which_no_weight_changes_ends_the_federation() -> None:
    def work(request: Request) -> Answer:
        return dataclasses.replace(add_one(request), arrays=request.arrays)

    (played,) = play(work)

    assert isinstance(played.failure, FederationError)
    assert "no weight has changed" in str(played.failure)


def test_a_loss_that_is_no_number_on_the_servers_films_ends_the_federation() -> None:
    (played,) = play(add_one, look=lambda _arrays: {"val_loss": math.nan})

    assert isinstance(played.failure, DivergedError)


def test_the_seed_draws_who_is_asked_whoever_failed_before() -> None:
    def fail_first(request: Request) -> Answer:
        if request.round == 1 and request.client in {"anna", "bern"}:
            raise OSError("gone")
        return add_one(request)

    undisturbed, disturbed = (
        [list(each.replies) for each in play(work, client_fraction=0.75, num_rounds=6)]
        for work in (add_one, fail_first)
    )

    assert undisturbed == disturbed
    assert {len(asked) for asked in undisturbed} == {3}
    assert len(set(map(tuple, undisturbed))) > 1


def test_a_metric_that_no_round_has_cannot_pick_the_best_one(tmp_path: Path) -> None:
    trainer = FederatedTrainer(config=load_config(overrides={"training.monitor": "train_loss"}))

    with pytest.raises(ConfigError, match=r"training\.monitor = 'train_loss': .*val_auroc"):
        trainer.train(tmp_path)
