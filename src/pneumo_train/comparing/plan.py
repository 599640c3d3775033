"""What is trained to compare a federation: three ways from the same films, each with every seed, looked at with the same films."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import ConfigError
from pneumo_train.federating.plans import parts_of
from pneumo_train.preparing.reading import Reading
from pneumo_train.samples import Sample, Split
from pneumo_train.splitting.among_clients import deal_out
from pneumo_train.splitting.split_file import write_split
from pneumo_train.studying.plan import digest_of

FEDERATION: Final = "federation"
CENTRALIZED: Final = "centralized"
ALONE: Final = "{site} alone"
"""The rows of a comparison; there is one of the last kind for each site."""

_OF_THE_MACHINE: Final = frozenset({"round_timeout", "min_answers"})
"""Keys of a federation that say nothing of what it gives."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A row with one seed.

    Attributes:
        config: all of its configuration, but for where the split file lies.
        split: the text of the split file.
        digest: names the task in a store, by the configuration, the seed and the split.
        learns_from: images, patients and positives.
        refusal: why it cannot be trained; empty if it can.
    """

    row: str
    seed: int
    config: TrainConfig
    split: str
    digest: str
    learns_from: Mapping[str, int]
    refusal: str

    @property
    def name(self) -> str:
        """What its run is called."""
        return f"{self.row}, seed {self.seed}"

    def split_file(self, folder: Path) -> Path:
        """Where its split file lies: another one for another split, so that a run that is gone on with finds its own."""
        return folder / f"split-{hashlib.sha256(self.split.encode()).hexdigest()[:16]}.csv"


def tasks_of(whole: Reading, divided: Reading, federation: FederationConfig, seeds: Sequence[int]) -> tuple[Task, ...]:
    """All rows with the first seed, then with the second one, and so on.

    The test part and the validation part are the same for all. The seed deals out the training part, and draws all else. Of it
    every way learns from the same films: those that clients do not keep to look at. Every way has as many epochs.

    Args:
        whole: the source, not divided.
        divided: the same, divided.
        federation: the course of the federation.
        seeds: at least one, each once.

    Raises:
        ConfigError: the source has no test part.
        DataError: the training part cannot be dealt out.
    """
    if not divided.split.test:
        raise ConfigError(
            f"{divided.source.path}: has no test part, and ways to train are compared on films that none has seen; give "
            "--data.test_fraction 0.2, or a --data.split_column with test rows"
        )
    return tuple(task for seed in seeds for task in _tasks_of(whole, divided, federation, seed))


def epochs_of(federation: FederationConfig) -> int:
    """How many epochs each way has."""
    return federation.num_rounds * federation.local_epochs


def _tasks_of(whole: Reading, divided: Reading, federation: FederationConfig, seed: int) -> Iterator[Task]:
    config = _seeded(divided.config, federation, seed)
    dealt = deal_out(divided.split.train, federation, seed=seed)
    learnt = {name: parts_of(name, mine, config.data, seed=seed).train for name, mine in dealt.items()}
    rounds = {key: value for key, value in _given(federation).items() if key not in _OF_THE_MACHINE}

    def task(row: str, train: Sequence[Sample], learns_from: Sequence[Sample], also: Any = None) -> Task:
        split = write_split(whole.samples, dataclasses.replace(divided.split, train=tuple(train)))
        hashed = hashlib.sha256(split.encode()).hexdigest()
        return Task(
            row=row,
            seed=seed,
            config=config,
            split=split,
            digest=digest_of(config, [row, hashed, also]),
            learns_from=Split(train=tuple(learns_from), validation=()).describe()["train"],
            refusal=_refusal(learns_from),
        )

    together = [sample for mine in learnt.values() for sample in mine]
    # The federation is given all films that are dealt out: what its clients keep to look at, it divides off itself.
    yield task(FEDERATION, divided.split.train, together, rounds)
    yield task(CENTRALIZED, together, together)
    for name, mine in learnt.items():
        yield task(ALONE.format(site=name), mine, mine)


def _seeded(config: TrainConfig, federation: FederationConfig, seed: int) -> TrainConfig:
    """The configuration of every row: the split comes from a file, and a training ends when its epochs are over."""
    return dataclasses.replace(
        config,
        seed=seed,
        data=dataclasses.replace(
            config.data,
            sample_fraction=1.0,
            split_column=None,
            split_file=None,
            test_fraction=0.0,
            folds=None,
            fold=0,
        ),
        training=dataclasses.replace(config.training, max_epochs=epochs_of(federation), early_stopping_patience=0),
    )


def _given(federation: FederationConfig) -> dict[str, Any]:
    """What is no default: a key that comes later leaves digests as they are."""
    usual = dataclasses.asdict(FederationConfig())
    return {key: value for key, value in dataclasses.asdict(federation).items() if value != usual[key]}


def _refusal(samples: Sequence[Sample]) -> str:
    targets = {sample.target for sample in samples}
    return "" if len(targets) > 1 else f"its {len(samples):,} films are of one class, and a classifier needs two"
