"""Mistakes that are told before torch is imported, which takes seconds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_TELL = "import sys; from pneumo_train.cli import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"


@pytest.mark.training
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere only torch knows of GPUs")
@pytest.mark.parametrize("hidden", ["", "-1"])
def test_gpu_where_every_gpu_is_hidden_is_told_without_torch(phantoms: Path, tmp_path: Path, hidden: str) -> None:
    command = ("fit", "--source", str(phantoms), "--training.accelerator", "gpu", "--progress", "false")

    told = subprocess.run(
        [sys.executable, "-c", _TELL, *command],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": hidden},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.split() == ["2", "False"]
    assert "training.accelerator = 'gpu': torch finds no GPU" in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
