"""The Lightning that the program uses: ``lightning.pytorch`` or ``pytorch_lightning``.

They are the same code under two names, with classes that know nothing of each other. Loading both would double the
time of the import, so the one that is loaded already is taken; before any is loaded, the one that is installed. Should
the program load the other one later, our logger becomes one of its loggers in that moment.
"""

import importlib
import sys
from contextlib import suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

_NAMES = ("lightning.pytorch", "pytorch_lightning")
_FABRICS = {"lightning.fabric": "lightning.pytorch", "lightning_fabric": "pytorch_lightning"}
"""Each Fabric tells the ranks of its own family alone."""

_HOW_TO_INSTALL = 'do: pip install "runstore[lightning]" (or: pip install pytorch-lightning, which brings PyTorch)'


def _family_name() -> str:
    if find_spec("torch") is None:
        raise ImportError(f"runstore.lightning needs PyTorch, which is not installed; {_HOW_TO_INSTALL}")
    for name in _NAMES:
        if sys.modules.get(name) is not None:
            return name
    for fabric, name in _FABRICS.items():
        if sys.modules.get(fabric) is not None and _is_installed(name):
            return name
    for name in _NAMES:
        if _is_installed(name):
            return name
    raise ImportError(f"runstore.lightning needs Lightning, which is not installed; {_HOW_TO_INSTALL}")


def _is_installed(name: str) -> bool:
    with suppress(ModuleNotFoundError):  # of the package that a submodule is asked of
        return find_spec(name) is not None
    return False


if TYPE_CHECKING:
    from lightning_fabric.loggers.logger import _DummyExperiment as DummyExperiment
    from lightning_fabric.utilities.rank_zero import rank_zero_only
    from pytorch_lightning import Callback
    from pytorch_lightning.loggers.logger import Logger
else:
    _name = _family_name()
    Callback = importlib.import_module(_name).Callback
    _loggers = importlib.import_module(f"{_name}.loggers.logger")
    Logger = _loggers.Logger
    DummyExperiment = _loggers.DummyExperiment
    rank_zero_only = importlib.import_module(f"{_name}.utilities.rank_zero").rank_zero_only


LoggerT = TypeVar("LoggerT", bound=Logger)


def be_a_logger_of_both(kind: type[LoggerT]) -> type[LoggerT]:
    """Makes a class count as a logger of both Lightnings, whichever a program loads, and whenever."""
    for name in _NAMES:
        if f"{name}.loggers" in sys.modules:
            _register(kind, name)
        elif _is_installed(name):
            sys.meta_path.insert(0, _Watch(f"{name}.loggers", kind, name))
    return kind


def _register(kind: type[Any], name: str) -> None:
    loggers = sys.modules[f"{name}.loggers"]
    if not issubclass(kind, loggers.Logger):
        loggers.Logger.register(kind)
    # Trainer.log_dir is a folder of the run's own for these classes only, and one for all runs for every other logger:
    # a second run of a LightningCLI then finds the first one's config.yaml and refuses to start. Lightning looks at
    # this nowhere else.
    if not issubclass(kind, loggers.CSVLogger):
        loggers.CSVLogger.register(kind)


class _Watch(MetaPathFinder):
    """Waits for a package to be loaded, and registers our logger with it then."""

    def __init__(self, package: str, kind: type[Any], family: str) -> None:
        self._package = package
        self._kind = kind
        self._family = family

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:  # noqa: ARG002 - the finder's face
        """The spec that the other finders give, with a loader that registers after it has loaded."""
        if fullname != self._package:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Registering(spec.loader, self._kind, self._family)
        return spec


class _Registering(Loader):
    """Loads as the package's own loader does, and registers our logger afterwards."""

    def __init__(self, loader: Loader, kind: type[Any], family: str) -> None:
        self._loader = loader
        self._kind = kind
        self._family = family

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the package's own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As the package's own loader does; then our logger is one of the package's."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _register(self._kind, self._family)


def is_rank_zero() -> bool:
    """Whether Lightning takes this process for the one that writes, as far as the environment tells."""
    return not getattr(rank_zero_only, "rank", 0)


__all__ = ["Callback", "DummyExperiment", "Logger", "be_a_logger_of_both", "is_rank_zero"]
