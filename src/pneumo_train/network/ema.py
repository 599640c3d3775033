"""A moving average of a network's weights: steadier than the weights of any one step."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class MovingAverage:
    """The average of a module's weights and of its running statistics.

    It begins short, ``(1 + n) / (10 + n)`` at step n, so that the first steps are soon forgotten, and ends at ``decay``.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._module = module
        self._decay = decay
        self.steps = 0
        self.average = {name: value.detach().clone() for name, value in module.state_dict().items()}
        self._weights: dict[str, Tensor] | None = None

    @torch.no_grad()
    def update(self) -> None:
        """Takes in the weights as they are after a step."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        averages, values = [], []
        for name, value in self._module.state_dict().items():
            if value.is_floating_point():
                averages.append(self.average[name])
                values.append(value)
            else:
                self.average[name].copy_(value)
        torch._foreach_lerp_(averages, values, 1 - decay)

    def go_on(self, average: Mapping[str, Tensor], steps: int) -> None:
        """Takes up an average that was kept."""
        self.steps = steps
        for name, value in average.items():
            self.average[name].copy_(value)

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """The weights that training goes on with, also while the average is in their place."""
        return self._module.state_dict() if self._weights is None else self._weights

    def put_in(self) -> None:
        """Puts the average in the place of the weights, which are kept."""
        if self._weights is None:
            self._weights = {name: value.detach().clone() for name, value in self._module.state_dict().items()}
            self._module.load_state_dict(self.average)

    def take_out(self) -> None:
        """Puts the weights back."""
        if self._weights is not None:
            self._module.load_state_dict(self._weights)
            self._weights = None
