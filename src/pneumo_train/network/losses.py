"""The loss of one logit for each image, and the mixing of a batch."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's custom


class BinaryLoss(nn.Module):
    """Cross entropy or focal loss of logits, shape (N,), against targets in [0, 1], shape (N,)."""

    def __init__(self, *, pos_weight: float = 1.0, gamma: float = 0.0, label_smoothing: float = 0.0) -> None:
        """Takes what weighs.

        Args:
            pos_weight: how much more a positive weighs than a negative.
            gamma: of the focal loss; 0 is cross entropy.
            label_smoothing: how much less certain targets are in training; in evaluation they are as given.
        """
        super().__init__()
        self.register_buffer("pos_weight", torch.tensor(pos_weight))
        self._gamma = gamma
        self._label_smoothing = label_smoothing

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The mean over the batch."""
        if self.training and self._label_smoothing:
            target = target * (1 - 2 * self._label_smoothing) + self._label_smoothing
        each = F.binary_cross_entropy_with_logits(
            logits, target, pos_weight=cast("Tensor", self.pos_weight), reduction="none"
        )
        if self._gamma:
            each = each * (target - torch.sigmoid(logits)).abs() ** self._gamma
        return each.mean()


def mixed(images: Tensor, target: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """A batch of which each image is mixed with another one, and its targets by the same share.

    The image's own share is the greater one, so that its own target is what a metric may compare with.
    """
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    share = max(share, 1 - share)
    other = torch.randperm(len(images), device=images.device)
    return share * images + (1 - share) * images[other], share * target + (1 - share) * target[other]
