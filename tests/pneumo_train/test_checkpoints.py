"""Checkpoint files are whole or not there."""

from io import FileIO
from pathlib import Path
from typing import Any

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


class StoppedFile(FileIO):
    """A file at whose second write somebody stops the program."""

    writes = 0

    def write(self, data: Any) -> int:
        self.writes += 1
        if self.writes == 2:
            raise SystemExit(143)
        return super().write(data)


def stopped(path: Path, mode: str) -> StoppedFile:
    return StoppedFile(path, mode)


def test_who_stops_a_training_in_the_middle_of_a_checkpoint_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = tmp_path / "last.ckpt"
    io = WholeFileIO()
    io.save_checkpoint({"epoch": 1, "weights": torch.zeros(1000)}, last)

    monkeypatch.setattr(Path, "open", stopped)
    with pytest.raises(SystemExit, match="143"):
        io.save_checkpoint({"epoch": 2, "weights": torch.zeros(2_000_000)}, last)
    monkeypatch.undo()

    assert torch.load(last, weights_only=True)["epoch"] == 1
    assert list(tmp_path.iterdir()) == [last]
