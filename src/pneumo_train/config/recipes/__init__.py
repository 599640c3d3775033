"""Configurations that come with the trainer, by name: what ``--config NAME`` takes where no file is called so."""

from os import PathLike
from pathlib import Path

_HERE = Path(__file__).parent


def names() -> list[str]:
    """The names of the recipes."""
    return sorted(path.stem for path in _HERE.glob("*.yaml"))


def file_of(path: str | PathLike[str]) -> Path:
    """The file of a recipe, or the path as it is where it names none or a file of that name is there."""
    named = Path(path)
    return _HERE / f"{path}.yaml" if not named.exists() and str(path) in names() else named
