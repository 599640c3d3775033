"""The typed, frozen configuration of a training, from a YAML file and overrides.

One tree of dataclasses serves three ends: the command line makes its options from it (hence no ``slots``:
jsonargparse reads nested defaults through ``__dict__``), the trainer reads it, and the store keeps all of it with the
run (:func:`as_dict`).
"""

import dataclasses
import difflib
import functools
import operator
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from pneumo_train.config.data import DataConfig
from pneumo_train.config.evaluation import EvaluationConfig
from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.loss import LossConfig
from pneumo_train.config.model import ModelConfig
from pneumo_train.config.optimizer import OptimizerConfig
from pneumo_train.config.recipes import file_of, names
from pneumo_train.config.training import TrainingConfig
from pneumo_train.config.wanted import wanted
from pneumo_train.errors import ConfigError

COMMAND_KEYS = frozenset(
    {
        "source",
        "store",
        "experiment",
        "csv",
        "run_id",
        "resume",
        "checkpoint_dir",
        "logs_dir",
        "progress",
        "config",
    }
)
"""Keys that ``--print_config`` of a command writes beside the configuration; a file may hold them."""

FEDERATION_KEYS = frozenset(
    {"side_by_side", "name", "seeds", "export", *(field.name for field in dataclasses.fields(FederationConfig))}
)
"""Those of the commands that federate alone; a file may hold them, and no other command is told of them."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The whole configuration of a training.

    Attributes:
        seed: of the split, the initial weights, the shuffling and the augmentation.
        data: what is read, and how it is split.
        model: the network.
        loss: what training makes small.
        optimizer: the learning rate, its way down, and the average of the weights.
        training: the course of the training.
        evaluation: how the model is evaluated, and how its threshold is chosen.
    """

    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 42
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    loss: LossConfig = dataclasses.field(default_factory=LossConfig)
    optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = dataclasses.field(default_factory=EvaluationConfig)


SECTIONS: dict[str, type] = {
    "data": DataConfig,
    "model": ModelConfig,
    "loss": LossConfig,
    "optimizer": OptimizerConfig,
    "training": TrainingConfig,
    "evaluation": EvaluationConfig,
}


def load_config(
    path: str | PathLike[str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    base: TrainConfig | None = None,
) -> TrainConfig:
    """The configuration: the defaults, then the YAML file, then the overrides.

    Args:
        path: a recipe's name, or a YAML file with the sections ``data``, ``model``, ``loss``, ``optimizer``, ``training``, ``evaluation`` and the
            key ``seed``.
        overrides: nested (``{"data": {"image_size": 96}}``), dotted (``{"data.image_size": 96}``), or both.
        base: what to start from instead of the defaults.

    Raises:
        ConfigError: the file cannot be read, a key is unknown, or a value is of the wrong type or out of range.
    """
    values = as_dict(base or TrainConfig())
    if path is not None:
        _merge(values, read_yaml(path), origin=str(path))
    _merge(values, overrides or {}, origin="overrides")
    return from_dict(values)


def read_yaml(path: str | PathLike[str]) -> dict[str, Any]:
    """The configuration keys that a YAML file or a recipe holds, checked for unknown ones.

    Raises:
        ConfigError: the file is missing or no YAML mapping, or names a key that does not exist.
    """
    import yaml  # noqa: PLC0415 - of `pneumo-train`; importing this package needs none of it

    try:
        content = yaml.safe_load(file_of(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"configuration file {path}: cannot be read ({error}); name an existing YAML file, or a recipe: {', '.join(names())}"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"configuration file {path}: no valid YAML: {' '.join(str(error).split())}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"configuration file {path}: holds a {type(content).__name__}; wanted a mapping of sections")
    check_keys(content, origin=str(path))
    return {key: value for key, value in content.items() if key not in COMMAND_KEYS | FEDERATION_KEYS}


def check_keys(values: Mapping[str, Any], *, origin: str, also: Iterable[str] = ()) -> None:
    """Refuses a key that the configuration does not have, naming the closest one that it has.

    Raises:
        ConfigError: names the key, where it stood, and the nearest known key.
    """
    known = {*_known_keys(), *also}
    for key in _paths(values):
        if key not in known | FEDERATION_KEYS:
            raise ConfigError(f"{origin}: unknown key {key!r}{_nearest(key, sorted(known))}")


def from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """The configuration of a nested mapping, types and ranges checked.

    Text that spells a number is a number: YAML 1.1 reads ``1e-3`` as text.

    Raises:
        ConfigError: names the key.
    """
    check_keys(values, origin="configuration")
    try:
        return msgspec.convert(dict(values), TrainConfig, strict=False)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ConfigError):
            raise error.__cause__ from None
        key = str(error).rpartition(" - at ")[2].strip("`").removeprefix("$.")
        value = functools.reduce(operator.getitem, key.split("."), values)
        raise ConfigError(f"{key} = {value!r}: wanted {wanted(TrainConfig, key)}") from error


def as_dict(config: TrainConfig) -> dict[str, Any]:
    """The whole configuration as a nested mapping of plain typed values, ready to be logged."""
    return dataclasses.asdict(config)


def _known_keys() -> Iterator[str]:
    yield from COMMAND_KEYS
    yield "seed"
    for section, kind in SECTIONS.items():
        yield section
        for field in dataclasses.fields(kind):
            yield f"{section}.{field.name}"


def _paths(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _paths(value, prefix=f"{path}.")
        else:
            yield path


def _nearest(key: str, known: "tuple[str, ...] | list[str]") -> str:
    leaf = key.rpartition(".")[2]
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6) or [
        name for name in known if leaf == name.rpartition(".")[2]
    ]
    if not close:
        leaves = {name.rpartition(".")[2]: name for name in known}
        close = [leaves[match] for match in difflib.get_close_matches(leaf, leaves, n=1, cutoff=0.6)]
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


def _merge(target: dict[str, Any], changes: Mapping[str, Any], *, origin: str) -> None:
    check_keys(changes, origin=origin)
    for path in changes:
        *parents, leaf = path.split(".")
        place = target
        for parent in parents:
            place = place[parent]
        if isinstance(changes[path], Mapping) and isinstance(place.get(leaf), dict):
            place[leaf].update(changes[path])
        else:
            place[leaf] = changes[path]
