"""The networks by name, and what the trainer must know of each."""

import dataclasses
import math
from collections.abc import Callable
from typing import cast

from torch import nn
from torchvision.models import densenet121, resnet18, resnet34, resnet50

from pneumo_train.config.model import ModelConfig
from pneumo_train.network.lite0 import EfficientNetLite0
from pneumo_train.network.small import SmallNet
from pneumo_train.network.stem import FoldedConv

_GROUPS = 32


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network without its last layer.

    Attributes:
        backbone: from images (N, channels, H, W), scaled, to features (N, width).
        width: of the features.
        stem: what comes before the blocks.
        blocks: in order; what is fine-tuned is counted from the end.
        tail: what comes after the blocks; trained if any block is.
        first: the name of the first layer in the backbone.
        maps: the module that gives the last feature maps, (N, C, h, w).
        scaling: the name of the scale of values that its usual weights were trained with.
    """

    backbone: nn.Module
    width: int
    stem: list[nn.Module]
    blocks: list[nn.Module]
    tail: list[nn.Module]
    first: str
    maps: nn.Module
    scaling: str


def build(config: ModelConfig) -> Network:
    """The network of a configuration, its weights drawn by torch's generator."""
    builders: dict[str, Callable[[], Network]] = {
        "resnet": lambda: _resnet(config.depth),
        "densenet121": _densenet,
        "efficientnet_lite0": _lite0,
        "small": _small,
    }
    network = builders[config.architecture]()
    if config.norm == "group":
        network = _in_groups(network)
    if config.channels == 1:
        _take_one_channel(network)
    return network


def _in_groups(network: Network) -> Network:
    """The same with group normalisation in the place of batch normalisation: at most 32 groups, which divide the channels."""
    made: dict[nn.Module, nn.Module] = {}
    for parent in list(network.backbone.modules()):
        for name, norm in list(parent.named_children()):
            if isinstance(norm, nn.BatchNorm2d):
                made[norm] = nn.GroupNorm(math.gcd(_GROUPS, norm.num_features), norm.num_features, eps=norm.eps)
                setattr(parent, name, made[norm])

    def new(modules: list[nn.Module]) -> list[nn.Module]:
        return [made.get(module, module) for module in modules]

    return dataclasses.replace(
        network,
        stem=new(network.stem),
        blocks=new(network.blocks),
        tail=new(network.tail),
        maps=made.get(network.maps, network.maps),
    )


def _take_one_channel(network: Network) -> None:
    """Puts a first layer of one channel in the place of that of three."""
    parent, _, leaf = network.first.rpartition(".")
    place, before = network.backbone.get_submodule(parent), network.backbone.get_submodule(network.first)
    layer = FoldedConv(cast("nn.Conv2d", before))
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    setattr(place, leaf, layer)
    network.stem[:] = [layer if module is before else module for module in network.stem]


def _resnet(depth: int) -> Network:
    net = {18: resnet18, 34: resnet34, 50: resnet50}[depth](weights=None)
    width = net.fc.in_features
    net.fc = nn.Identity()
    blocks = [block for layer in (net.layer1, net.layer2, net.layer3, net.layer4) for block in layer]
    return Network(
        backbone=net,
        width=width,
        stem=[net.conv1, net.bn1],
        blocks=blocks,
        tail=[],
        first="conv1",
        maps=net.layer4,
        scaling="imagenet",
    )


def _densenet() -> Network:
    net = densenet121(weights=None)
    width = net.classifier.in_features
    net.classifier = nn.Identity()
    parts = dict(net.features.named_children())
    blocks: list[nn.Module] = []
    for name, part in parts.items():
        if name.startswith("denseblock"):
            blocks.extend(part.children())
        elif name.startswith("transition"):
            blocks.append(part)
    return Network(
        backbone=net,
        width=width,
        stem=[parts["conv0"], parts["norm0"]],
        blocks=blocks,
        tail=[parts["norm5"]],
        first="features.conv0",
        maps=net.features,
        scaling="imagenet",
    )


def _lite0() -> Network:
    net = EfficientNetLite0()
    return Network(
        backbone=net,
        width=net.width,
        stem=[net.conv_stem, net.bn0],
        blocks=list(net.blocks),
        tail=[net.conv_head, net.bn1],
        first="conv_stem",
        maps=net.bn1,
        scaling="lite",
    )


def _small() -> Network:
    net = SmallNet()
    return Network(
        backbone=net,
        width=net.width,
        stem=[net.conv0, net.norm0],
        blocks=list(net.blocks),
        tail=[],
        first="conv0",
        maps=net.blocks,
        scaling="imagenet",
    )
