"""What this machine does not have, as far as that is known without torch, whose import takes seconds."""

import os
import sys
from pathlib import Path

from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import ConfigError

NO_GPU = (
    "training.accelerator = 'gpu': torch finds no GPU on this machine; give cpu or auto, or look at the driver and "
    "at CUDA_VISIBLE_DEVICES"
)

_DEVICES = ("nvidia*", "nvhost*", "nvmap", "kfd", "dxg")
"""The device files of NVIDIA's drivers, of AMD's, and of Windows' below Linux: without one of them torch has no GPU."""


def require_gpu_device(config: TrainConfig) -> None:
    """Refuses ``gpu`` where Linux has no device of that kind or all are hidden; elsewhere only torch can tell.

    Raises:
        ConfigError: there is no GPU.
    """
    if config.training.accelerator != "gpu" or not sys.platform.startswith("linux"):
        return
    hides_all = os.environ.get("CUDA_VISIBLE_DEVICES") in {"", "-1"}
    if hides_all or not any(next(Path("/dev").glob(pattern), None) for pattern in _DEVICES):
        raise ConfigError(NO_GPU)
