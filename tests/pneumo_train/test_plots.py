"""The plot of a run."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.training


@pytest.mark.parametrize("title", ["cost $1$ \\frac{", "100 % \N{BULLET} $", "Müller"])
def test_any_title_can_be_drawn(tmp_path: Path, title: str) -> None:
    """An experiment's name is no mathematics."""
    from pneumo_train.plots import plot_training  # noqa: PLC0415 - matplotlib is of the extra

    history = [{"epoch": 0.0, "train_loss": 0.7, "val_loss": float("nan"), "val_auroc": 0.5}]

    plot = plot_training(history, tmp_path / "plots" / "training.png", title=title, best_epoch=0)

    assert plot.read_bytes().startswith(b"\x89PNG")
