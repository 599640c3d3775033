"""What a client knows of itself: its films and the configuration, in a file beside them. It knows no store."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pneumo_train.config.data import DataConfig
from pneumo_train.config.settings import TrainConfig, as_dict, from_dict
from pneumo_train.errors import DataError
from pneumo_train.samples import Sample, Split
from pneumo_train.splitting.by_patient import split_samples
from runstore.local.whole_files import replacing


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A client's films and settings.

    Attributes:
        client: its name.
        train: what it learns from.
        validation: what it looks at after each round.
        config: of the whole federation.
        network: what the network is built from, as a checkpoint keeps it.
        local_epochs: of a round.
        proximal_mu: how strongly it is held near the server's weights; 0 for not at all.
        own: the folder where it keeps its own batch normalisation, or of which federation that is, where the client has folders of
            its own; ``None`` if it is averaged.
    """

    client: str
    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    config: TrainConfig
    network: dict[str, Any]
    local_epochs: int
    proximal_mu: float
    own: str | None = None

    def text(self) -> str:
        """It as JSON."""
        values = {
            "client": self.client,
            "train": [_told(sample) for sample in self.train],
            "validation": [_told(sample) for sample in self.validation],
            "config": as_dict(self.config),
            "network": self.network,
            "local_epochs": self.local_epochs,
            "proximal_mu": self.proximal_mu,
            "own": self.own,
        }
        return json.dumps(values)

    def write(self, path: Path) -> None:
        """Writes it as JSON; the file is whole at every moment."""
        with replacing(path, by=path.with_name(f"{path.name}.partial")) as partial:
            partial.write_text(self.text(), encoding="ascii")


def plan_path(folder: Path, client: str) -> Path:
    """Where the plan of a client lies; its name may be a hospital's, which need not be one of a file."""
    return folder / f"{hashlib.sha256(client.encode()).hexdigest()[:16]}.json"


def read_plan(path: Path) -> Plan:
    """The plan of a file that :meth:`Plan.write` has written."""
    return plan_of(path.read_text(encoding="ascii"))


def plan_of(text: str) -> Plan:
    """The plan of a text that :meth:`Plan.text` has made."""
    values = json.loads(text)
    parts = {part: tuple(_sample_of(told) for told in values[part]) for part in ("train", "validation")}
    return Plan(**{**values, **parts, "config": from_dict(values["config"])})


def parts_of(client: str, samples: Sequence[Sample], config: DataConfig, *, seed: int) -> Split:
    """What a client of a simulation was dealt, for training and for validation, by patient; it may have one class only."""
    own = dataclasses.replace(
        config, sample_fraction=1.0, split_column=None, split_file=None, test_fraction=0.0, folds=None, fold=0
    )
    try:
        return split_samples(samples, own, seed=seed, origin=client)
    except DataError:
        samples = [sample for sample in samples if sample.part != "test"]  # whatever is dealt out
        patients = sorted({sample.patient for sample in samples})
        held_out = set(patients[: max(1, round(config.validation_fraction * len(patients)))])
        return Split(
            train=tuple(sample for sample in samples if sample.patient not in held_out),
            validation=tuple(sample for sample in samples if sample.patient in held_out),
        )


def _told(sample: Sample) -> dict[str, Any]:
    return {**dataclasses.asdict(sample), "path": str(sample.path)}


def _sample_of(told: dict[str, Any]) -> Sample:
    return Sample(**{**told, "path": Path(told["path"])})
