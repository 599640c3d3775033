"""The typed, frozen configuration of a training, from a YAML file and overrides.

One tree of dataclasses serves three ends: the command line makes its options from it (hence no ``slots``:
jsonargparse reads nested defaults through ``__dict__``), the trainer reads it, and the store keeps all of it with the
run (:func:`as_dict`).
"""

import dataclasses
import difflib
import functools
import operator
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from pneumo_train.errors import ConfigError
from pneumo_train.wanted import GREATEST, wanted
from pneumo_train.words import cleaned

COMMAND_KEYS = frozenset(
    {"source", "store", "experiment", "csv", "run_id", "checkpoint_dir", "logs_dir", "progress", "config"}
)
"""Keys that ``pneumo-train fit --print_config`` writes beside the configuration; a file may hold them."""

_MOST = 100_000_000
"""Above this a count is a slip: no machine trains so."""

_Count = Annotated[int, Meta(ge=1, le=_MOST)]
_CountOrZero = Annotated[int, Meta(ge=0, le=_MOST)]
_NotNegative = Annotated[float, Meta(ge=0, le=GREATEST)]
_Between0And1 = Annotated[float, Meta(gt=0, lt=1)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What is read from the source, and how it is split.

    Attributes:
        csv_filename: the metadata CSV inside the source; found by its name and columns when not given.
        images_dir: the folder of the images inside the source; found when not given.
        image_column: the column that names an image: its file name without or with the ending.
        target_column: the column of the label, 0 or 1.
        patient_column: the column that says whose image it is; the split never cuts a patient in two. When not given,
            patientId if the table has it, else the image column: then each image counts as a patient.
        groups_csv: a second CSV inside the source, joined on image_column, that may hold the columns below and the
            patient column.
        split_column: a column of given parts (train, val or validation, test); its test rows are left out.
        subset_column: use only the rows with 1, true or yes in this column.
        sample_fraction: the share of patients to use.
        validation_fraction: the share of patients for validation when no split is given.
        image_size: side of the square given to the network, in pixels.
        cache_mib: decoded images are kept in memory when they need no more than this many MiB.
    """

    csv_filename: str | None = None
    images_dir: str | None = None
    image_column: str = "patientId"
    target_column: str = "Target"
    patient_column: str | None = None
    groups_csv: str | None = None
    split_column: str | None = None
    subset_column: str | None = None
    sample_fraction: Annotated[float, Meta(gt=0, le=1)] = 1.0
    validation_fraction: _Between0And1 = 0.2
    image_size: Annotated[int, Meta(ge=32, le=1024)] = 224
    cache_mib: _CountOrZero = 2048

    def __post_init__(self) -> None:
        """Cleans the names of columns as those in a table's header are."""
        for key in ("image_column", "target_column", "patient_column", "split_column", "subset_column"):
            if isinstance(name := getattr(self, key), str):
                object.__setattr__(self, key, cleaned(name))
                _check(f"data.{key}", name, getattr(self, key) != "", "must name a column")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The network.

    Attributes:
        depth: layers of the ResNet.
        weights_path: a local file of weights for the ResNet; nothing is ever downloaded.
        freeze_backbone: train the head alone: no gradient, and batch normalisation keeps its statistics.
        fine_tune_layers: with a frozen backbone, how many residual blocks are trained, counted from the end.
        dropout: before the last layer.
        class_weighting: weigh positives by negatives / positives of the training part.
    """

    depth: Literal[18, 34, 50] = 18
    weights_path: str | None = None
    freeze_backbone: bool = False
    fine_tune_layers: _CountOrZero = 0
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.2
    class_weighting: bool = True

    def __post_init__(self) -> None:
        """Checks what one key means for another."""
        _check(
            "model.fine_tune_layers",
            self.fine_tune_layers,
            self.freeze_backbone or self.fine_tune_layers == 0,
            "means something only with model.freeze_backbone = true: without it every layer is trained",
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """AdamW with a ReduceLROnPlateau schedule on the monitored metric.

    Attributes:
        learning_rate: the first learning rate.
        weight_decay: AdamW's.
        reduce_lr_patience: epochs without improvement before the rate is reduced.
        reduce_lr_factor: by how much.
        min_lr: never below this rate.
    """

    learning_rate: Annotated[float, Meta(gt=0, le=GREATEST)] = 1e-3
    weight_decay: _NotNegative = 1e-4
    reduce_lr_patience: _CountOrZero = 3
    reduce_lr_factor: _Between0And1 = 0.5
    min_lr: _NotNegative = 1e-7

    def __post_init__(self) -> None:
        """Checks what one key means for another."""
        _check("optimizer.min_lr", self.min_lr, self.min_lr <= self.learning_rate, "is above optimizer.learning_rate")


Monitor = Literal["val_auroc", "val_f1", "val_accuracy", "val_precision", "val_recall", "val_loss"]
"""The metrics that may pick the best checkpoint."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The course of the training.

    Attributes:
        max_epochs: at most so many epochs.
        batch_size: images a step.
        monitor: the metric that picks the best checkpoint; a loss is minimised, anything else maximised.
        early_stopping_patience: epochs without improvement before training stops; 0 never stops early.
        early_stopping_min_delta: less than this is no improvement.
        save_top_k: how many of the best checkpoints (weights alone) stay on disk, beside the last (complete).
        augmentation_strength: 0 for none, 1 for the usual shifts, turns and exposure changes; never flips.
        gradient_clip_val: the greatest norm of the gradient; 0 for no limit.
        accelerator: cpu, gpu or auto.
        precision: Lightning's word for it: 32-true, 16-mixed or bf16-mixed.
        num_workers: processes that prepare images; 0 prepares them in the training process.
        threads: CPU threads of torch; its own choice when not given.
        deterministic: the same seed gives the same metrics, at some cost of speed.
    """

    max_epochs: _Count = 10
    batch_size: _Count = 32
    monitor: Monitor = "val_auroc"
    early_stopping_patience: _CountOrZero = 5
    early_stopping_min_delta: _NotNegative = 0.001
    save_top_k: _Count = 3
    augmentation_strength: Annotated[float, Meta(ge=0, le=2)] = 1.0
    gradient_clip_val: _NotNegative = 1.0
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    num_workers: Annotated[int, Meta(ge=0, le=256)] = 0
    threads: Annotated[int, Meta(ge=1, le=1024)] | None = None
    deterministic: bool = True

    @property
    def monitor_mode(self) -> Literal["min", "max"]:
        """Whether the monitored metric is better when less or when more."""
        return "min" if self.monitor.endswith("loss") else "max"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The whole configuration of a training.

    Attributes:
        seed: of the split, the initial weights, the shuffling and the augmentation.
        data: what is read, and how it is split.
        model: the network.
        optimizer: the learning rate and its way down.
        training: the course of the training.
    """

    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 42
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)


SECTIONS: dict[str, type] = {
    "data": DataConfig,
    "model": ModelConfig,
    "optimizer": OptimizerConfig,
    "training": TrainingConfig,
}


def load_config(
    path: str | PathLike[str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    base: TrainConfig | None = None,
) -> TrainConfig:
    """The configuration: the defaults, then the YAML file, then the overrides.

    Args:
        path: a YAML file with the sections ``data``, ``model``, ``optimizer``, ``training`` and the key ``seed``.
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
    """The configuration keys that a YAML file holds, checked for unknown ones.

    Raises:
        ConfigError: the file is missing or no YAML mapping, or names a key that does not exist.
    """
    import yaml  # noqa: PLC0415 - of `pneumo-train`; importing this package needs none of it

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration file {path}: cannot be read ({error}); name an existing YAML file") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"configuration file {path}: no valid YAML: {' '.join(str(error).split())}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"configuration file {path}: holds a {type(content).__name__}; wanted a mapping of sections")
    check_keys(content, origin=str(path))
    return {key: value for key, value in content.items() if key not in COMMAND_KEYS}


def check_keys(values: Mapping[str, Any], *, origin: str) -> None:
    """Refuses a key that the configuration does not have, naming the closest one that it has.

    Raises:
        ConfigError: names the key, where it stood, and the nearest known key.
    """
    known = set(_known_keys())
    for key in _paths(values):
        if key not in known:
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


def _check(key: str, value: Any, holds: bool, rule: str) -> None:  # noqa: FBT001 - the condition is the argument
    if not holds:
        raise ConfigError(f"{key} = {value!r}: {rule}")


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
