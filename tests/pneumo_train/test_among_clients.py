"""Patients dealt out among clients: disjoint, the same for the same seed, and as unlike as was asked for."""

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest

from pneumo_train.config.data import DataConfig
from pneumo_train.config.federation import FederationConfig, federation_of
from pneumo_train.errors import ConfigError, DataError
from pneumo_train.federating.plans import parts_of
from pneumo_train.samples import Sample
from pneumo_train.splitting.among_clients import LEAST_PATIENTS, deal_out

STRATEGIES = ("iid", "stratified", "by_patient", "dirichlet")


def samples_of(patients: int) -> list[Sample]:
    """Two films of each patient; every third patient is positive."""
    return [
        Sample(
            image_id=f"p{number:03d}-{film}",
            path=Path("film.png"),
            target=int(number % 3 == 0),
            patient=f"p{number:03d}",
        )
        for number in range(patients)
        for film in range(2)
    ]


def config_of(**values: Any) -> FederationConfig:
    return federation_of({"num_clients": 3, **values})


@pytest.mark.parametrize("partition", STRATEGIES)
def test_every_film_is_at_one_client_and_no_patient_at_two(partition: str) -> None:
    samples = samples_of(60)

    dealt = deal_out(samples, config_of(partition=partition), seed=5)

    assert list(dealt) == ["client-0", "client-1", "client-2"]
    assert sorted(sample.image_id for mine in dealt.values() for sample in mine) == sorted(
        sample.image_id for sample in samples
    )
    patients = [{sample.patient for sample in mine} for mine in dealt.values()]
    assert sum(map(len, patients)) == len(set.union(*patients))
    assert min(map(len, patients)) >= LEAST_PATIENTS


@pytest.mark.parametrize("partition", STRATEGIES)
def test_the_seed_deals_the_same_in_any_order_of_rows(partition: str) -> None:
    samples = samples_of(60)
    shuffled = random.Random(1).sample(samples, len(samples))

    def owners(rows: list[Sample], seed: int) -> dict[str, str]:
        dealt = deal_out(rows, config_of(partition=partition), seed=seed)
        return {sample.image_id: name for name, mine in dealt.items() for sample in mine}

    assert owners(samples, 5) == owners(shuffled, 5)
    assert partition == "by_patient" or owners(samples, 5) != owners(samples, 6)


def positive_shares(**values: Any) -> list[float]:
    dealt = deal_out(samples_of(300), config_of(**values), seed=2)
    return [sum(sample.target for sample in mine) / len(mine) for mine in dealt.values()]


def test_stratified_clients_have_the_same_share_of_positives() -> None:
    shares = positive_shares(partition="stratified")

    assert max(shares) - min(shares) < 0.02


def test_a_small_alpha_makes_clients_unlike_and_a_great_one_makes_them_alike() -> None:
    unlike, alike = (positive_shares(partition="dirichlet", dirichlet_alpha=alpha) for alpha in (0.3, 500))

    assert max(unlike) - min(unlike) > 0.3
    assert max(alike) - min(alike) < 0.1


@pytest.mark.parametrize("partition", STRATEGIES)
def test_too_few_patients_for_so_many_clients_are_an_error_that_says_what_to_do(partition: str) -> None:
    with pytest.raises(DataError, match=r"8 patients .* fewer clients"):
        deal_out(samples_of(8), config_of(partition=partition), seed=1)


def test_shares_that_leave_a_client_nothing_are_an_error_that_names_the_alpha() -> None:
    with pytest.raises(DataError, match=r"dirichlet_alpha = 0\.001"):
        deal_out(samples_of(20), config_of(partition="dirichlet", dirichlet_alpha=0.001), seed=1)


def at_sites(*names: str | None) -> list[Sample]:
    """60 patients with two films each, dealt out to these sites in turn."""
    samples = samples_of(60)
    return [dataclasses.replace(sample, site=names[place // 2 % len(names)]) for place, sample in enumerate(samples)]


def test_each_site_is_a_client_with_its_own_films_and_no_patient_of_another() -> None:
    samples = at_sites("St. Anna", "Lyon/A", "Köln")

    dealt = deal_out(samples, config_of(partition="site"), seed=1)

    assert list(dealt) == ["Köln", "Lyon/A", "St. Anna"]
    assert {name: {sample.site for sample in mine} for name, mine in dealt.items()} == {name: {name} for name in dealt}
    assert sorted(sample.image_id for mine in dealt.values() for sample in mine) == [s.image_id for s in samples]
    patients = [{sample.patient for sample in mine} for mine in dealt.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 60
    shuffled = random.Random(1).sample(samples, len(samples))
    assert {name: set(mine) for name, mine in deal_out(shuffled, config_of(partition="site"), seed=2).items()} == {
        name: set(mine) for name, mine in dealt.items()
    }


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        (at_sites("A", "B", None), r"40 of 120 films have no site, as p002-0, p002-1, p005-0 and 37 more; fill in"),
        (at_sites("A", "B"), r"num_clients = 3: .* 2 sites \(A, B\).* give num_clients = 2"),
        (at_sites("A", "B", "C", "D"), r"num_clients = 3: .* 4 sites \(A, B, C and 1 more\).* give num_clients = 4"),
        (at_sites("A"), r"1 sites \(A\).* one is no federation"),
        ([*at_sites("A", "B", "C"), *(dataclasses.replace(s, site="B", image_id="x") for s in at_sites("A")[:1])],
         r"1 of 60 patients have films of several sites, as 'p000' \('A' and 'B'\)"),
        ([*at_sites("A", "B"), *(dataclasses.replace(s, site="C", patient="c") for s in at_sites("A")[:1])],
         r"'C' has 1 patients to learn from, and each client needs 4"),
        (at_sites("A", "B", "C" * 300), r"300 characters; give at most 255"),
    ],
)  # fmt: skip
def test_sites_that_are_no_clients_are_an_error_that_says_what_to_do(samples: list[Sample], told: str) -> None:
    with pytest.raises(DataError, match=told):
        deal_out(samples, config_of(partition="site"), seed=1)


@pytest.mark.parametrize(
    ("key", "value"), [("num_clients", 1), ("partition", "by_magic"), ("round_timeout", 0), ("min_answers", 4)]
)
def test_a_federation_that_cannot_be_is_refused_by_its_key(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{key} = "):
        config_of(**{key: value})


@pytest.mark.parametrize(
    "values", [{"test_fraction": 0.3}, {"folds": 3, "fold": 1}, {"split_file": "parts.csv"}, {"split_column": "part"}]
)
def test_how_the_whole_source_was_split_takes_no_film_from_a_client(values: dict[str, Any]) -> None:
    samples = [dataclasses.replace(sample, part="train") for sample in samples_of(30)]

    assert parts_of("client-0", samples, DataConfig(**values), seed=1) == parts_of(
        "client-0", samples, DataConfig(), seed=1
    )
