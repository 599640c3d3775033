"""What of a network goes between server and clients: weights and running statistics, and nothing that only counts."""

import torch
from torch import nn

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


def trained_names(model: nn.Module) -> frozenset[str]:
    """Which arrays are trained; the others are running statistics or frozen."""
    return frozenset(name for name, parameter in model.named_parameters() if parameter.requires_grad)
