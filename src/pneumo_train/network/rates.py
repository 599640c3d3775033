"""AdamW: which weights decay, which learn slower, and how the learning rate goes up and down."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from pneumo_train.config.monitored import Better
from pneumo_train.config.optimizer import OptimizerConfig


def adamw(head: nn.Module, backbone: nn.Module, config: OptimizerConfig) -> torch.optim.AdamW:
    """AdamW on what is not frozen. The first group learns at the learning rate; norms and biases do not decay."""
    groups = [
        {"params": parameters, "lr": rate, "weight_decay": decay}
        for module, rate in (
            (head, config.learning_rate),
            (backbone, config.learning_rate * config.backbone_rate),
        )
        for parameters, decay in zip(_by_decay(module.parameters()), (config.weight_decay, 0.0), strict=True)
        if parameters
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def _by_decay(parameters: Iterable[nn.Parameter]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    return [each for each in trained if each.ndim > 1], [each for each in trained if each.ndim <= 1]


def schedules(
    optimizer: torch.optim.Optimizer,
    config: OptimizerConfig,
    *,
    monitor: str,
    mode: Better,
    steps: Callable[[], tuple[int, int]],
) -> list[dict[str, Any]]:
    """What Lightning is to step: by step while the rate is warmed up and for a cosine, by epoch for a plateau.

    Args:
        optimizer: whose rates are meant.
        config: how.
        monitor: what a plateau looks at.
        mode: whether that is better when less or when more.
        steps: tells the steps of an epoch and of the whole training; asked only where it matters.
    """
    if config.schedule == "cosine":
        in_epoch, in_all = steps()
        warm = round(config.warmup_epochs * in_epoch)
        curves = [_cosine(warm, in_all, config.min_lr / group["lr"]) for group in optimizer.param_groups]
        return [{"scheduler": torch.optim.lr_scheduler.LambdaLR(optimizer, curves), "interval": "step"}]
    warming: list[dict[str, Any]] = []
    if config.warmup_epochs:
        in_epoch, _ = steps()
        warm = max(1, round(config.warmup_epochs * in_epoch))
        rising = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / (warm + 1), total_iters=warm)
        warming = [{"scheduler": rising, "interval": "step"}]
    falling = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode=mode,
        factor=config.reduce_lr_factor,
        patience=config.reduce_lr_patience,
        min_lr=config.min_lr,
    )
    return [*warming, {"scheduler": falling, "monitor": monitor, "interval": "epoch"}]


def _cosine(warm: int, in_all: int, least: float) -> Callable[[int], float]:
    """The share of the learning rate at each step."""

    def share(step: int) -> float:
        if step < warm:
            return (step + 1) / (warm + 1)
        progress = min(1.0, (step - warm) / max(1, in_all - warm))
        return max(least, (1 + math.cos(math.pi * progress)) / 2)

    return share
