"""What the pages and the forge's files say of the commands that a contributor types is there, and all of it is said."""

import re
import tomllib
from pathlib import Path

import pytest

from documentation.pages import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
DOORS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / ".pre-commit-config.yaml",
    ROOT / ".ci/run",
    *sorted((ROOT / ".github").rglob("*.*")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
_INNER = {
    *("lint-all", "ruff", "format", "types", "types-here", "types-windows", "types-mac", "types-public"),
    *("arrows", "dependencies", "site", "changelog"),
}


def targets() -> set[str]:
    """What `make` can be asked for."""
    return {name for line in re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE) for name in line.split()}


@pytest.mark.parametrize("path", DOORS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_target_and_script_that_a_page_names_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^|run: |entry: )make (?:--\w+ )?([a-z][a-z-]*)", text, re.MULTILINE))

    assert named - targets() == set()
    for script in re.findall(r"(?:scripts|\.ci)/[a-z-]+(?:\.py)?", text):
        assert (ROOT / script).is_file(), script


def test_each_target_has_its_line_in_the_help_and_in_the_page_for_contributors() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    wanted = targets() - _INNER - {"help"}

    assert wanted - set(re.findall(r'@echo "make ([a-z-]+) ', MAKEFILE)) == set()
    assert wanted - set(re.findall(r"`make ([a-z-]+)[ `]", page)) == set()


@pytest.mark.parametrize(
    "path", [path for path in DOORS if path.suffix in {".yml", ".yaml"}], ids=lambda path: path.name
)
def test_each_file_of_the_forge_can_be_read(path: Path) -> None:
    assert pytest.importorskip("yaml").safe_load(path.read_text(encoding="utf-8"))


PAGES_OF_INSTALLING = [
    path for path in DOORS if path.suffix == ".md" and "pip install" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", PAGES_OF_INSTALLING, ids=lambda path: path.name)
def test_each_extra_that_a_page_has_installed_is_declared(path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r"(?:runstore|\.)\[([a-z,]+)\]", path.read_text(encoding="utf-8"))

    assert {extra for each in named for extra in each.split(",")} <= set(project["optional-dependencies"])
