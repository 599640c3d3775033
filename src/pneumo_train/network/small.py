"""A small CNN for first trials: what runs in a minute where a ResNet takes ten."""

import itertools

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's custom

_WIDTHS = (24, 48, 96, 160)


class SmallNet(nn.Module):
    """Convolutions that halve the image five times: from (N, 3, H, W) to (N, 160)."""

    width = _WIDTHS[-1]

    def __init__(self) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(3, _WIDTHS[0], 5, stride=2, padding=2, bias=False)
        self.norm0 = nn.BatchNorm2d(_WIDTHS[0])
        widths = (_WIDTHS[0], *_WIDTHS)
        self.blocks = nn.Sequential(*(_block(before, after) for before, after in itertools.pairwise(widths)))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Features of scaled images."""
        maps: Tensor = self.blocks(F.relu(self.norm0(self.conv0(images))))
        return maps.mean(dim=(2, 3))


def _block(before: int, after: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )
