"""The progress bar of fitting, in characters that the terminal can show."""

import sys
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar
from pytorch_lightning.callbacks.progress.rich_progress import CustomTimeColumn
from rich.progress import Task
from rich.text import Text

_BULLET = "\N{BULLET}"


class FitProgressBar(RichProgressBar):
    """As Lightning's, whose times are parted by a bullet; where that cannot be spelled, by a slash."""

    def configure_columns(self, trainer: pl.Trainer) -> list[Any]:
        """Lightning's columns."""
        columns = super().configure_columns(trainer)
        try:
            _BULLET.encode(sys.stdout.encoding or "ascii")
        except UnicodeEncodeError:
            return [_PlainTimes(column.style) if isinstance(column, CustomTimeColumn) else column for column in columns]
        return columns


class _PlainTimes(CustomTimeColumn):
    def render(self, task: Task) -> Text:
        text: Text = super().render(task)
        return Text(text.plain.replace(_BULLET, "/"), style=self.style)
