"""What others may import: the modules one level below `runstore`, and what each gives. A change here is one for
users or authors of backends: it brings a fragment in `changelog.d/`, and a name that goes is kept for a release first."""

import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import runstore

NAMES = Path(__file__).with_name("names.txt")
PRIVATE = {"cli", "local", "lightning_entry"}
"""What is there for our own packages: commands, this machine's files and processes, Lightning's entry point."""
NEEDS = {"huggingface": "transformers", "lightning": "pytorch_lightning", "optuna": "optuna"}
"""What must be installed for a module."""


def modules() -> list[str]:
    found = [each.name for each in pkgutil.iter_modules(runstore.__path__)]
    return sorted(name for name in found if not name.startswith("_") and name not in PRIVATE)


def names_of(module: str) -> list[str]:
    """What ``__all__`` lists; of a module that has none, what it defines."""
    found = import_module(f"runstore.{module}")
    defined = [name for name, value in vars(found).items() if getattr(value, "__module__", "") == found.__name__]
    return sorted(getattr(found, "__all__", (name for name in defined if not name.startswith("_"))))


def listed() -> str:
    """What the file is to hold: a module a line, its names behind a colon."""
    names = {"runstore": sorted(runstore.__all__), **{module: names_of(module) for module in modules()}}
    return "".join(f"{module}: {' '.join(found)}\n" for module, found in names.items())


def pinned() -> dict[str, list[str]]:
    """The names of each module, as the file has them."""
    lines = [line.partition(":") for line in NAMES.read_text(encoding="utf-8").splitlines()]
    return {module: names.split() for module, _, names in lines}


def test_the_public_modules_are_those_of_the_list() -> None:
    assert ["runstore", *modules()] == list(pinned())


def test_the_names_of_the_package_itself_are_those_of_the_list() -> None:
    assert sorted(runstore.__all__) == pinned()["runstore"]
    assert all(hasattr(runstore, name) for name in runstore.__all__)


@pytest.mark.parametrize("module", modules())
def test_the_names_of_a_module_are_those_of_the_list_and_are_there(module: str) -> None:
    if module in NEEDS:
        pytest.importorskip(NEEDS[module])
    found = names_of(module)

    assert found == pinned()[module], "after an intended change: python tests/public_api/test_public_names.py"
    assert [name for name in found if not hasattr(import_module(f"runstore.{module}"), name)] == []


if __name__ == "__main__":
    NAMES.write_text(listed(), encoding="utf-8")
