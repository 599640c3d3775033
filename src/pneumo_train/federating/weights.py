"""What of a network goes between server and clients: weights and running statistics, and nothing that only counts."""

from collections.abc import Collection

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from pneumo_train.config.federation import FederationConfig
from pneumo_train.errors import ConfigError
from pneumo_train.federating.values import Arrays

_NOT_SENT = ("loss.", "losses.", "metrics.")


def arrays_of(model: nn.Module) -> Arrays:
    """Copies of the floating-point arrays of a network. A counter of batches is none, and has no mean."""
    return {
        name: value.detach().cpu().float().numpy().copy()
        for name, value in model.state_dict().items()
        if value.is_floating_point() and not name.startswith(_NOT_SENT)
    }


def put_in(model: nn.Module, arrays: Arrays) -> None:
    """Gives a network these weights; what is not among them stays.

    Raises:
        RuntimeError: the network has no array of a name, or another shape.
    """
    found = model.load_state_dict(
        {name: torch.from_numpy(value.copy()) for name, value in arrays.items()}, strict=False
    )
    if found.unexpected_keys:
        raise RuntimeError(f"the network has no {found.unexpected_keys[0]!r}")


def batch_norms(model: nn.Module) -> dict[str, _BatchNorm]:
    """The layers of batch normalisation that a training moves, by name; those that are frozen stay as they are."""
    was_training = model.training
    model.train()
    found = {name: part for name, part in model.named_modules() if isinstance(part, _BatchNorm) and part.training}
    model.train(was_training)
    return found


def names_below(layers: Collection[str], arrays: Collection[str]) -> frozenset[str]:
    """Which arrays belong to these layers."""
    return frozenset(name for name in arrays if name.rpartition(".")[0] in layers)


def statistics_of(layers: Collection[str]) -> frozenset[str]:
    """The arrays of batch normalisation that are no weights."""
    return frozenset(f"{layer}.{name}" for layer in layers for name in ("running_mean", "running_var"))


def require_norms(model: nn.Module, federation: FederationConfig) -> None:
    """Refuses a network whose normalisation does not go with the federation.

    Raises:
        ConfigError: it has batch normalisation under differential privacy, or none that could be a client's own.
    """
    layers = sorted(batch_norms(model))
    if federation.is_private and layers:
        raise ConfigError(
            f"dp_noise = {federation.dp_noise!r}: {len(layers)} layers of the network have batch normalisation, as {layers[0]}; its "
            "statistics are of a client's films, and noise on them makes variances negative. Give model.norm = group, or train "
            "the head alone by model.freeze_backbone = true"
        )
    if federation.batch_norm == "local" and not layers:
        raise ConfigError(
            "batch_norm = 'local': the network has no batch normalisation that is trained; give batch_norm = averaged, or "
            "model.norm = batch without model.freeze_backbone"
        )


def trained_names(model: nn.Module) -> frozenset[str]:
    """Which arrays are trained; the others are running statistics or frozen."""
    return frozenset(name for name, parameter in model.named_parameters() if parameter.requires_grad)
