"""Checkpoint files are whole or not there."""

from pathlib import Path

import pytest
import torch

from pneumo_train.fitting.checkpoints import WholeFileIO

pytestmark = pytest.mark.training


def test_a_full_disk_leaves_the_whole_checkpoint_before_and_nothing_else(small_disk: Path) -> None:
    last = small_disk / "last.ckpt"
    io = WholeFileIO()
    io.save_checkpoint({"epoch": 1, "weights": torch.zeros(1000)}, last)

    with pytest.raises(OSError, match="No space left"):
        io.save_checkpoint({"epoch": 2, "weights": torch.zeros(2_000_000)}, last)

    assert torch.load(last, weights_only=True)["epoch"] == 1
    assert list(small_disk.iterdir()) == [last]
