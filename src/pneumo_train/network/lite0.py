"""EfficientNet-Lite0, in the proportions of its authors: no squeeze-and-excitation, ReLU6.

The names of the layers are those of the published PyTorch weights without their underscores.
"""

import dataclasses

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's custom


@dataclasses.dataclass(frozen=True, slots=True)
class _Stage:
    repeats: int
    kernel: int
    stride: int
    expansion: int
    width: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM_WIDTH = 32
_EPS = 1e-3
_MOMENTUM = 0.01


class EfficientNetLite0(nn.Module):
    """The network without its classifier: from (N, 3, H, W) to (N, 1280)."""

    width = 1280

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = nn.Conv2d(3, _STEM_WIDTH, 3, stride=2, bias=False)
        self.bn0 = _norm(_STEM_WIDTH)
        blocks: list[nn.Module] = []
        width = _STEM_WIDTH
        for stage in _STAGES:
            for repeat in range(stage.repeats):
                blocks.append(_Block(width, stage, stage.stride if repeat == 0 else 1))
                width = stage.width
        self.blocks = nn.ModuleList(blocks)
        self.conv_head = nn.Conv2d(width, self.width, 1, bias=False)
        self.bn1 = _norm(self.width)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Features of images that are scaled to (value - 127) / 128."""
        maps = F.relu6(self.bn0(_same(images, self.conv_stem)))
        for block in self.blocks:
            maps = block(maps)
        return F.relu6(self.bn1(self.conv_head(maps))).mean(dim=(2, 3))


class _Block(nn.Module):
    """Wider, along the image, narrower again; around it the input, where shapes allow."""

    def __init__(self, width: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        inner = width * stage.expansion
        self.expands = stage.expansion != 1
        if self.expands:
            self.expand_conv = nn.Conv2d(width, inner, 1, bias=False)
            self.bn0 = _norm(inner)
        self.depthwise_conv = nn.Conv2d(
            inner,
            inner,
            stage.kernel,
            stride=stride,
            padding=stage.kernel // 2 if stride == 1 else 0,
            groups=inner,
            bias=False,
        )
        self.bn1 = _norm(inner)
        self.project_conv = nn.Conv2d(inner, stage.width, 1, bias=False)
        self.bn2 = _norm(stage.width)
        self.adds_input = stride == 1 and width == stage.width

    def forward(self, maps: Tensor) -> Tensor:
        inner = F.relu6(self.bn0(self.expand_conv(maps))) if self.expands else maps
        inner = F.relu6(self.bn1(_same(inner, self.depthwise_conv)))
        out: Tensor = self.bn2(self.project_conv(inner))
        return out + maps if self.adds_input else out


def _norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=_EPS, momentum=_MOMENTUM)


def _same(maps: Tensor, conv: nn.Conv2d) -> Tensor:
    """TensorFlow's SAME padding, which at stride 2 pads more on the right and below: the weights come from there."""
    stride, kernel = conv.stride[0], conv.kernel_size[0]
    if stride > 1:
        high, wide = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in maps.shape[-2:])
        maps = F.pad(maps, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
    result: Tensor = conv(maps)
    return result
