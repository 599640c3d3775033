"""What a command needs of the place where it runs, asked before it has done half of its work."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from pneumo_train.errors import ConfigError

EXTRA = frozenset(
    {
        "PIL",
        "jsonargparse",
        "matplotlib",
        "numpy",
        "pytorch_lightning",
        "rich",
        "torch",
        "torchmetrics",
        "torchvision",
        "yaml",
    }
)
"""What the distribution ``pneumo-train`` brings; in a checkout the module is there without it, too."""

FEDERATED = frozenset({"flwr"})
"""What its extra ``federated`` brings."""


def require(modules: Iterable[str]) -> None:
    """Refuses a command whose packages are not all installed.

    Raises:
        ModuleNotFoundError: names the first that is missing.
    """
    for module in sorted(modules):
        if find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)


def require_working_directory() -> None:
    """Refuses to begin where relative paths mean nothing.

    Raises:
        ConfigError: the working directory is gone.
    """
    try:
        Path.cwd()
    except OSError as error:
        raise ConfigError(
            f"the working directory is gone or cannot be entered ({error.strerror}); change to another"
        ) from error
