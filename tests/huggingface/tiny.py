"""A model of a few numbers and data of a few rows, for a real ``Trainer``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainingArguments


class TinyConfig(PretrainedConfig):
    model_type = "tiny"

    def __init__(self, width: int = 4, **kwargs: Any) -> None:
        self.width = width
        super().__init__(**kwargs)


class TinyModel(PreTrainedModel):
    """A line through four numbers; does something, such as raising an error, when it has been called often enough."""

    config_class = TinyConfig

    def __init__(self, config: TinyConfig, act: Callable[[], Any] | None = None, *, at: int = 3) -> None:
        super().__init__(config)
        self.line = torch.nn.Linear(config.width, 1)
        self.act, self.at, self.calls = act, at, 0
        self.post_init()

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        self.calls += 1
        if self.act is not None and self.calls == self.at:
            self.act()
        preds = self.line(x).squeeze(-1)
        return {"logits": preds} if labels is None else {"loss": (preds - labels).pow(2).mean(), "logits": preds}


def rows(count: int = 8) -> list[dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    return [{"x": torch.rand(4, generator=generator), "labels": torch.tensor(1.0)} for _ in range(count)]


def tiny_trainer(folder: Path, callback: Any, *, act: Callable[[], Any] | None = None, **options: Any) -> Trainer:
    """Two steps an epoch, two epochs, evaluated and saved after each."""
    arguments: dict[str, Any] = {
        "output_dir": str(folder / "out"),
        "num_train_epochs": 2,
        "per_device_train_batch_size": 4,
        "logging_steps": 1,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
        "seed": 7,
    }
    return Trainer(
        model=TinyModel(TinyConfig(), act),
        args=TrainingArguments(**arguments | options),
        train_dataset=rows(),
        eval_dataset=rows(4),
        callbacks=None if callback is None else [callback],
    )
