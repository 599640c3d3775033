"""Differential privacy of clients: what is clipped, what noise is added, and the account of it. Without a network."""

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from documentation.pages import PAGES
from pneumo_train.config.federation import federation_of
from pneumo_train.config.optimizer import OptimizerConfig
from pneumo_train.errors import ConfigError
from pneumo_train.federating.privacy import Private, epsilon, mean_of
from pneumo_train.federating.recording import told
from pneumo_train.federating.rounds import Played, Rounds, planned_epsilon
from pneumo_train.federating.values import Answer, Arrays, Request
from support.federations import InProcess

pytestmark = pytest.mark.training  # what a federation keeps is read by torch

START: Arrays = {
    "weight": np.ones((2, 2), np.float32),
    "bias": np.zeros(1, np.float32),
    "frozen": np.full(3, 7, np.float32),
}
NAMES = ("anna", "bern", "chur", "davos")


class Quiet(np.random.Generator):
    """Gives no noise, and says how much it was asked for."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))
        self.scales: list[float] = []

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        self.scales.append(scale)
        return np.full(size, loc)


def private(**values: Any) -> Private:
    standard: dict[str, Any] = {
        "clip": 1.0,
        "noise": 2.0,
        "delta": 1e-5,
        "asked": 2,
        "trained": {"weight", "bias"},
        "spent": {},
        "keep": lambda _spent: None,
    }
    return Private(**standard | values)


def moved(weight: float, bias: float = 0.0, frozen: float = 0.0) -> Arrays:
    by = {"weight": weight, "bias": bias, "frozen": frozen}
    return {name: array + np.float32(by[name]) for name, array in START.items()}


def test_a_change_is_clipped_over_all_that_is_trained_and_a_shorter_one_is_left() -> None:
    draw = Quiet()
    answers = {"anna": moved(1.5, bias=4.0), "bern": moved(0.1, bias=-0.2)}  # of the lengths 5 and 0.28

    made = mean_of(START, answers, private(), draw)

    assert np.allclose(made["weight"], 1 + (1.5 / 5 + 0.1) / 2)
    assert np.allclose(made["bias"], (4.0 / 5 - 0.2) / 2)
    assert draw.scales == [2.0, 2.0]
    assert {array.dtype for array in made.values()} == {np.dtype(np.float32)}


def test_no_client_moves_the_sum_by_more_than_the_clip_however_far_it_goes() -> None:
    held = mean_of(START, {"anna": moved(0.3)}, private(clip=0.5, asked=1), Quiet())

    for far in (1e3, 1e30):
        both = mean_of(START, {"anna": moved(0.3), "bern": moved(far)}, private(clip=0.5, asked=1), Quiet())
        change = np.concatenate([(both[name].astype(float) - held[name]).ravel() for name in START])
        assert math.sqrt(float(change @ change)) == pytest.approx(0.5, rel=1e-5)


def test_a_client_that_has_not_answered_counts_as_one_that_changed_nothing() -> None:
    both = mean_of(START, {"anna": moved(0.2), "bern": moved(0.0)}, private(), Quiet())
    one = mean_of(START, {"anna": moved(0.2)}, private(), Quiet())

    assert all(np.array_equal(both[name], one[name]) for name in START)


def test_what_is_not_trained_stays_whatever_a_client_sends() -> None:
    made = mean_of(START, {"anna": moved(0.1, frozen=5.0)}, private(), Quiet())

    assert made["frozen"] is START["frozen"]


def test_the_noise_has_the_deviation_that_was_asked_for_and_the_seed_of_the_run_does_not_tell_it() -> None:
    wide: Arrays = {"weight": np.zeros(200_000, np.float32)}

    def released() -> Arrays:
        np.random.seed(7)  # noqa: NPY002 - as a training does
        return private(clip=3.0, noise=0.5, asked=5).release(wide, {}, ["anna"])

    first, second = released()["weight"], released()["weight"]

    assert float(first.std()) == pytest.approx(3.0 * 0.5 / 5, rel=0.02)
    assert abs(float(first.mean())) < 0.005
    assert abs(float(np.corrcoef(first, second)[0, 1])) < 0.02


PUBLISHED = [  # of the tests of Google's dp-accounting: noise, how many releases, delta, epsilon
    (1.0, 1, 0.12693674, 1.0),
    (1.0, 1, 0.02092364, 2.0),
    (1.0, 9, 0.78760074, 1.0),
    (0.344, 1, 1.016e-05, 16.0),
]


@pytest.mark.parametrize(("noise", "releases", "delta", "expected"), PUBLISHED)
def test_epsilon_is_what_others_have_published(noise: float, releases: int, delta: float, expected: float) -> None:
    assert epsilon(noise, releases, delta) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("noise", "releases"), [(0.01, 10_000), (0.5, 3), (1.0, 1), (4.0, 100), (1000.0, 1)])
def test_epsilon_lies_below_the_bound_of_renyi_and_rises_with_each_release(noise: float, releases: int) -> None:
    delta = 1e-5
    orders = 1 + np.logspace(-4, 5, 2000)
    bound = np.min(
        releases * orders / (2 * noise**2) + np.log1p(-1 / orders) - (math.log(delta) + np.log(orders)) / (orders - 1)
    )

    spent = epsilon(noise, releases, delta)

    assert 0 < spent < epsilon(noise, releases + 1, delta)
    assert 0.5 * bound < spent < bound


def test_the_table_of_the_page_about_federations_is_what_is_told() -> None:
    page = PAGES["docs/federated.md"].read_text(encoding="utf-8")

    rows = re.findall(r"^\| `--dp_noise (\d)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)

    assert len(rows) == 4
    for noise, *spent in rows:
        assert spent == [f"{epsilon(float(noise), rounds, 1e-5):.2f}" for rounds in (10, 30, 100)]


def test_nothing_is_spent_before_the_first_release() -> None:
    assert epsilon(1.0, 0, 1e-5) == 0


def play(spent: Mapping[str, int] | None = None, after: int = 0, **values: Any) -> tuple[list[Played], list[str]]:
    """Rounds under differential privacy in which each weight moves by one, and what happened in which order."""
    happened: list[str] = []
    config = federation_of({"num_clients": 4, "num_rounds": 4, "dp_clip": 1, "dp_noise": 2, **values})

    def work(request: Request) -> Answer:
        happened.append(request.task)
        if (request.client, request.round) == ("anna", 2):
            raise OSError("gone")
        arrays = {name: array + 1 for name, array in request.arrays.items()} if request.task == "train" else {}
        return Answer(client=request.client, num_examples=10, metrics={"val_loss": 0.5}, arrays=arrays)

    def look(_arrays: Arrays) -> dict[str, float]:
        happened.append("look")
        return {"val_loss": 0.5}

    account = private(
        asked=config.asked, spent=dict(spent or {}), keep=lambda _spent: happened.append("kept"), trained={"weight"}
    )
    rounds = Rounds(
        engine=InProcess(work),
        config=config,
        optimizer=OptimizerConfig(),
        names=NAMES,
        look=look,
        seed=7,
        private=account,
    )
    return list(rounds.play(START, after=after)), happened


def test_what_is_spent_is_kept_before_anybody_sees_the_weights() -> None:
    _, happened = play(num_rounds=1)

    assert happened == ["train"] * 4 + ["kept", "look"] + ["evaluate"] * 4


def test_each_round_tells_what_each_client_has_spent_and_the_federation_the_most() -> None:
    played, _ = play(client_fraction=0.5)

    asked = dict.fromkeys(NAMES, 0)
    for each in played:
        for name in each.replies:
            asked[name] += 1
        made = told(each)
        assert made.metrics["epsilon"] == pytest.approx(epsilon(2, max(asked.values()), 1e-5))
        assert {client.client: client.metrics["epsilon"] for client in made.clients} == {
            name: pytest.approx(epsilon(2, asked[name], 1e-5)) for name in each.replies
        }
    config = federation_of({"num_clients": 4, "num_rounds": 4, "dp_clip": 1, "dp_noise": 2, "client_fraction": 0.5})
    assert planned_epsilon(NAMES, config, seed=7) == pytest.approx(epsilon(2, max(asked.values()), 1e-5))
    assert 0 < min(asked.values()) < 4


def test_a_federation_that_goes_on_counts_the_release_of_the_round_that_was_cut_off() -> None:
    (third, fourth), _ = play(spent=dict.fromkeys(NAMES, 3), after=2)  # two rounds, and one that was cut off

    assert told(third).metrics["epsilon"] == pytest.approx(epsilon(2, 4, 1e-5))
    assert told(fourth).metrics["epsilon"] == pytest.approx(epsilon(2, 5, 1e-5))


def test_a_round_with_too_few_answers_releases_nothing_and_spends_nothing() -> None:
    played, _ = play(min_answers=4)

    assert [each.failure is None for each in played] == [True, False]
    assert set(played[1].epsilons.values()) == {epsilon(2, 1, 1e-5)}
    assert np.array_equal(played[1].arrays["weight"], played[0].arrays["weight"])


def test_a_client_that_had_no_part_in_a_release_has_spent_nothing() -> None:
    played, _ = play(num_rounds=1)

    made = told(dataclasses.replace(played[0], epsilons={"bern": 1.5}))

    assert {client.client: client.metrics["epsilon"] for client in made.clients} == {
        "anna": 0.0,
        "bern": 1.5,
        "chur": 0.0,
        "davos": 0.0,
    }
    assert made.metrics["epsilon"] == 1.5


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "noise without clipping": ({"dp_noise": 1.0}, r"dp_noise = 1\.0: stands beside dp_clip = 0\.0"),
    "clipping without noise": ({"dp_clip": 1.0}, r"dp_noise = 0\.0: stands beside dp_clip = 1\.0"),
    "Adam at the server": ({"dp_noise": 1, "dp_clip": 1, "strategy": "fedadam"}, "is not offered with fedadam"),
    "FedBN": ({"dp_noise": 1, "dp_clip": 1, "batch_norm": "local"}, r"model\.norm = group"),
    "no delta": ({"dp_delta": 0}, "dp_delta = 0: wanted a number, above 0 and below 1"),
    "secure aggregation": ({"secure_aggregation": True}, "secure_aggregation = True: Flower has SecAgg .* legacy"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_does_not_go_together_is_refused_with_its_reason(kind: str) -> None:
    values, message = REFUSED[kind]

    with pytest.raises(ConfigError, match=message):
        federation_of(values)


def test_without_differential_privacy_a_round_tells_no_epsilon() -> None:
    played, _ = play(num_rounds=1)

    assert "epsilon" not in told(dataclasses.replace(played[0], epsilons={})).metrics
