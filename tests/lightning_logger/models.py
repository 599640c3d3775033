"""Small models that log what projects log."""
# ruff: noqa: ARG002 - Lightning names the arguments of its hooks

from collections.abc import Callable
from typing import Any

import torch
from pytorch_lightning.demos.boring_classes import BoringModel


class Model(BoringModel):
    """Logs a training loss per step and epoch, a validation score and a test score."""

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        loss: torch.Tensor = self.step(batch)
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.log("val_score", self.global_step * 1.0)

    def test_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.log("test_acc", 0.75)


class StoppedModel(Model):
    """Does something, such as raising an error, in one training step or in each test step."""

    def __init__(self, act: Callable[[], Any], *, at: int = 1, in_test: bool = False) -> None:
        super().__init__()
        self._act = act
        self._at = at
        self._in_test = in_test

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        if batch_idx == self._at and not self._in_test:
            self._act()
        return super().training_step(batch, batch_idx)

    def test_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        if self._in_test:
            self._act()
        super().test_step(batch, batch_idx)
