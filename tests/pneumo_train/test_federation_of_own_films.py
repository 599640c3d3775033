"""A federation whose clients have films of their own, as one over a network: how it goes on, and what it finds before it waits for anybody."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pneumo_train.config.federation import FederationConfig, federation_of
from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.errors import ConfigError, DataError, PneumoTrainError
from pneumo_train.federating.last import LAST, find_last
from pneumo_train.federating.leading import Federation
from pneumo_train.federating.network import Network
from pneumo_train.federating.own import Own
from pneumo_train.federating.own_films import OwnFilms
from pneumo_train.federating.plans import plan_of
from pneumo_train.federating.result import FederationResult
from pneumo_train.federating.sites import Share
from pneumo_train.federating.values import Answer, Engine, Request, Work
from pneumo_train.preparing.reading import read_source
from pneumo_train.samples import Sample, Split
from runstore import RunStatus
from runstore.memory.store import MemoryStore
from runstore.training import RunSession
from support.federations import SMALL, InProcess

pytestmark = pytest.mark.training

AWAY = Share(parts={}, digest="")


@dataclasses.dataclass
class Hospitals:
    """Two clients, asked in this process.

    Attributes:
        splits: the films of each.
        work: of each.
        away: who has not joined; whoever asks such a client gets no answer.
        meddle: is called before each piece of work.
        asked: all that was asked.
        waited: how often somebody waited for the clients.
    """

    splits: dict[str, Split]
    work: dict[str, OwnFilms]
    away: frozenset[str] = frozenset()
    meddle: Callable[[Request], None] = lambda _request: None
    asked: list[Request] = dataclasses.field(default_factory=list)
    waited: int = 0

    @property
    def shares(self) -> Mapping[str, Share]:
        return {name: AWAY if name in self.away else Share.of(split) for name, split in self.splits.items()}

    @contextlib.contextmanager
    def engine_of(
        self, _work: Work, _names: list[str], _config: FederationConfig, _trained: frozenset[str]
    ) -> Iterator[Engine]:
        yield InProcess(self._do)

    @contextlib.contextmanager
    def joined(self) -> "Iterator[Hospitals]":
        self.waited += 1
        yield self

    def _do(self, request: Request) -> Answer:
        self.meddle(request)
        self.asked.append(request)
        if request.client in self.away:
            raise OSError("nobody is there")
        return self.work[request.client](request)


@pytest.fixture
def hospitals(phantoms: Path, tiny_config: TrainConfig, fast_path: Path) -> Iterator[Hospitals]:
    """North has a third of its films positive, south two thirds: the loss goes by who is counted."""
    with read_source(phantoms, tiny_config, is_split=False) as reading:
        by_class = {target: [sample for sample in reading.samples if sample.target == target] for target in (0, 1)}
        splits = {
            "north": halves([*by_class[0][:4], *by_class[1][:2]]),
            "south": halves([*by_class[0][4:6], *by_class[1][2:6]]),
        }
        work: dict[str, OwnFilms] = {}
        for name, split in splits.items():
            (fast_path / name).mkdir()
            work[name] = OwnFilms(fast_path / name, fast_path / name / "own", split, reading.source.config)
        yield Hospitals(splits, work)


def halves(samples: list[Sample]) -> Split:
    return Split(train=tuple(samples[::2]), validation=tuple(samples[1::2]))


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        yield opened


@pytest.fixture
def lead(store: MemoryStore, tiny_config: TrainConfig, phantoms: Path, fast_path: Path) -> Callable[..., Any]:
    config = load_config(overrides=SMALL, base=tiny_config)
    return functools.partial(lead_hospitals, store=store, config=config, source=phantoms, folder=fast_path)


def lead_hospitals(  # noqa: PLR0913 - what a federation can meet
    hospitals: Hospitals,
    *,
    store: MemoryStore,
    config: TrainConfig,
    source: Path,
    folder: Path,
    resume: bool = False,
    **values: Any,
) -> FederationResult:
    with read_source(source, config) as reading:
        held_out = Split(train=(), validation=(*reading.split.train, *reading.split.validation))
        return Federation(
            reading=dataclasses.replace(reading, split=held_out),
            federation=federation_of({"num_clients": len(hospitals.splits), "num_rounds": 2, **values}),
            session=RunSession(store, experiment="federation", run_id="together", training_mode="federated"),
            run_id="together",
            may_exist=True,
            resume=resume,
            checkpoint_dir=folder,
            engine_of=hospitals.engine_of,
            progress=False,
            network=Network(sorted(hospitals.splits), hospitals.joined),
        ).lead("federation", folder)


def cut_off(lead: Callable[..., Any], hospitals: Hospitals, **values: Any) -> None:
    def press(request: Request) -> None:
        if request.round == 2:
            raise KeyboardInterrupt

    hospitals.meddle = press
    with pytest.raises(KeyboardInterrupt):
        lead(hospitals, **values)
    hospitals.meddle = lambda _request: None


def test_a_federation_goes_on_with_the_loss_that_it_had_whoever_has_joined_this_time(
    lead: Callable[..., Any], store: MemoryStore, hospitals: Hospitals
) -> None:
    cut_off(lead, hospitals)
    partition = store.get_config("together")["partition"]
    hospitals.away = frozenset({"south"})

    lead(hospitals, resume=True)

    weights = {request.round: plan_of(request.plan).network["pos_weight"] for request in hospitals.asked}
    assert weights == {1: 1.0, 2: 1.0}  # of both together; of north alone it would be 2
    assert store.get_config("together")["partition"] == partition
    assert set(partition["south"]) == {"hash", "train", "validation"}


def test_a_client_that_joins_late_for_the_first_time_is_told_of_and_changes_no_loss(
    lead: Callable[..., Any], store: MemoryStore, hospitals: Hospitals
) -> None:
    hospitals.away = frozenset({"south"})
    cut_off(lead, hospitals)
    hospitals.away = frozenset()

    lead(hospitals, resume=True)

    assert {plan_of(request.plan).network["pos_weight"] for request in hospitals.asked} == {2.0}
    assert store.get_config("together")["partition"]["south"]["train"]["images"] == 3


def test_a_federation_does_not_go_on_with_other_films_of_a_client_or_with_other_clients(
    lead: Callable[..., Any], store: MemoryStore, hospitals: Hospitals
) -> None:
    cut_off(lead, hospitals)
    before, splits = store.get_run("together"), dict(hospitals.splits)

    def refused(kind: type[PneumoTrainError], message: str, changed: dict[str, Split]) -> None:
        hospitals.splits = changed
        with pytest.raises(kind, match=message):
            lead(hospitals, resume=True)
        assert store.get_run("together") == before

    south = dataclasses.replace(splits["south"], train=splits["south"].train[1:])
    refused(DataError, r"south has other films, .* \(5 images now, 6 then\)", {**splits, "south": south})
    refused(
        ConfigError, r"begun with 2 clients \(north, south\), and now east was not there", {**splits, "east": south}
    )
    refused(ConfigError, "south is missing", {"north": splits["north"], "west": south})


def test_what_the_server_can_find_wrong_by_itself_it_finds_before_it_waits_for_clients(
    lead: Callable[..., Any], store: MemoryStore, hospitals: Hospitals
) -> None:
    cut_off(lead, hospitals)
    assert hospitals.waited == 1

    with pytest.raises(ConfigError, match="num_rounds = 9: the run 'together' was begun with 2"):
        lead(hospitals, resume=True, num_rounds=9)
    with pytest.raises(ConfigError, match="this run has ended as interrupted"):
        lead(hospitals)
    assert hospitals.waited == 1
    assert store.get_run("together").status is RunStatus.INTERRUPTED


def test_a_last_round_of_an_older_version_is_called_so(
    lead: Callable[..., Any], hospitals: Hospitals, fast_path: Path
) -> None:
    import torch  # noqa: PLC0415 - slow to import

    cut_off(lead, hospitals)
    path = fast_path / "together" / LAST
    content = torch.load(path, weights_only=True)
    torch.save({key: value for key, value in content.items() if key not in {"shares", "token"}}, path)

    with pytest.raises(ConfigError, match=r"an older version .* lacks what is needed to go on \(shares, token\)"):
        find_last(path.parent)


def test_a_federation_that_is_begun_anew_finds_nothing_of_the_clients_of_the_one_before(
    lead: Callable[..., Any], hospitals: Hospitals, fast_path: Path
) -> None:
    def figures(result: FederationResult) -> str:
        return str([(made.metrics, [client.metrics for client in made.clients]) for made in result.rounds])

    first = lead(hospitals, batch_norm="local", num_rounds=3)
    with MemoryStore() as other:
        again = lead(hospitals, store=other, batch_norm="local", num_rounds=3)  # the same clients, which have run on

    assert figures(again) == figures(first)
    kept = [[file.name for file in sorted(own.iterdir())] for own in (fast_path / "north" / "own").iterdir()]
    assert kept == [["000002.npz", "000003.npz"]] * 2


def test_a_client_goes_on_with_its_own_of_the_round_that_the_server_knows_of(fast_path: Path) -> None:
    own = Own(fast_path)
    for number in (1, 2, 3, 4):
        own.keep(number, {"weight": np.full(1, number, np.float32)})

    own.keep(
        2, {"weight": np.full(1, 20, np.float32)}
    )  # it goes on from an earlier round, by a copy of the server's files

    kept = own.read(2)
    assert kept is not None
    assert kept["weight"] == 20
    assert [file.name for file in sorted(fast_path.iterdir())] == ["000002.npz"]
