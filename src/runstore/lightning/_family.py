"""The Lightning that the program uses: ``lightning.pytorch`` or ``pytorch_lightning``.

They are the same code under two names, with classes that know nothing of each other. Loading both would double the
time of the import, so the one that is loaded already is taken; before any is loaded, the one that is installed.
"""

import importlib
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

_NAMES = ("lightning.pytorch", "pytorch_lightning")


def _family_name() -> str:
    for name in _NAMES:
        if name in sys.modules:
            return name
    for name in _NAMES:
        with suppress(ModuleNotFoundError):  # of the package that a submodule is asked of
            if find_spec(name) is not None:
                return name
    raise ImportError(
        "runstore.lightning needs Lightning, which is not installed; "
        'do: pip install "runstore[train]" (or: pip install lightning)'
    )


if TYPE_CHECKING:
    from lightning_fabric.loggers.logger import rank_zero_experiment
    from lightning_fabric.utilities.rank_zero import rank_zero_only
    from pytorch_lightning import Callback
    from pytorch_lightning.loggers.logger import Logger
else:
    _name = _family_name()
    Callback = importlib.import_module(_name).Callback
    _loggers = importlib.import_module(f"{_name}.loggers.logger")
    Logger = _loggers.Logger
    rank_zero_experiment = _loggers.rank_zero_experiment
    rank_zero_only = importlib.import_module(f"{_name}.utilities.rank_zero").rank_zero_only


LoggerT = TypeVar("LoggerT", bound=Logger)


def be_a_logger_of_both(kind: type[LoggerT]) -> type[LoggerT]:
    """Makes a class count as a logger of the other Lightning too, where a program has loaded both."""
    for name in _NAMES:
        loggers = sys.modules.get(f"{name}.loggers.logger")
        if loggers is not None and not issubclass(kind, loggers.Logger):
            loggers.Logger.register(kind)
    return kind


def is_rank_zero() -> bool:
    """Whether this process is the one of a distributed training that writes."""
    return not getattr(rank_zero_only, "rank", 0)


__all__ = ["Callback", "Logger", "be_a_logger_of_both", "is_rank_zero", "rank_zero_experiment", "rank_zero_only"]
