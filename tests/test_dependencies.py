"""What ``pip install`` brings, counted by walking the requirements of what is installed; and what ``make`` installs."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).resolve().parent.parent
_MOST_WITH_SQL = 20
_MOST_WITH_PAGE = 8
_PYTHONS = ("3.11", "3.12", "3.13")
_CONSTRAINTS = ("constraints.txt", "constraints-federated.txt")
_BESIDE_FLOWER = {"sql", "lightning", "federated", "weights"}
"""The extras of the environment that has Flower, which holds others to versions of its own."""


def _brought_by(texts: list[str], extras: frozenset[str] = frozenset()) -> set[str]:
    """The names of all distributions that these requirements bring, directly or by others, in this environment."""
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(text, extras) for text in texts]
    while waiting:
        text, asked = waiting.pop()
        needed = Requirement(text)
        if needed.marker and not any(needed.marker.evaluate({"extra": extra}) for extra in asked | {""}):
            continue
        name, wanted = canonicalize_name(needed.name), frozenset(needed.extras)
        if (name, wanted) not in seen:
            seen.add((name, wanted))
            found.add(name)
            waiting += [(text, wanted) for text in distribution(name).requires or ()]
    return found


def test_the_core_with_sql_brings_twenty_distributions_at_most() -> None:
    project: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]

    brought = _brought_by(project["dependencies"] + project["optional-dependencies"]["sql"])

    assert {"click", "sqlalchemy"} <= brought
    assert len(brought | {"runstore"}) <= _MOST_WITH_SQL, sorted(brought)


def test_the_page_brings_eight_distributions_at_most_beside_the_core() -> None:
    project: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]

    brought = _brought_by(project["optional-dependencies"]["ui"]) - _brought_by(project["dependencies"])

    assert {"starlette", "uvicorn", "jinja2"} <= brought
    assert len(brought) <= _MOST_WITH_PAGE, sorted(brought)


def _held(file: str) -> list[Requirement]:
    lines = (_ROOT / file).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def _asked_for(file: str) -> list[Requirement]:
    """All that our distributions ask for: to run, with each extra, to test, to lint, to document and to build.

    Beside Flower, only what it is tried with.
    """
    is_beside_flower = file != _CONSTRAINTS[0]

    def asked_by(extras: dict[str, list[str]]) -> list[list[str]]:
        wanted = _BESIDE_FLOWER if is_beside_flower else extras.keys() - {"federated"}
        return [texts for extra, texts in extras.items() if extra in wanted]

    pyproject: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    project = pyproject["project"]
    groups: dict[str, list[str]] = pyproject["dependency-groups"]
    lists = [project["dependencies"], *asked_by(project["optional-dependencies"])]
    lists += [groups["test"]] if is_beside_flower else [*groups.values(), pyproject["build-system"]["requires"]]
    for beside in (_ROOT / "distributions").glob("*/pyproject.toml"):
        brought = tomllib.loads(beside.read_text(encoding="utf-8"))["project"]
        lists += [brought["dependencies"], *asked_by(brought.get("optional-dependencies", {}))]
    return [asked for texts in lists for asked in map(Requirement, texts) if asked.name != project["name"]]


@pytest.mark.parametrize("file", _CONSTRAINTS)
def test_a_constraint_is_a_name_and_a_version_and_no_address(file: str) -> None:
    text = (_ROOT / file).read_text(encoding="utf-8")

    assert "/" not in text
    assert [str(held) for held in _held(file) if not re.fullmatch(r"==[\w.]+", str(held.specifier))] == []


@pytest.mark.parametrize("file", _CONSTRAINTS)
@pytest.mark.parametrize("python", _PYTHONS)
def test_one_version_of_each_requirement_is_held_and_it_is_in_the_range_that_is_declared(
    python: str, file: str
) -> None:
    linux = {"python_version": python, "python_full_version": f"{python}.9", "sys_platform": "linux"}
    held: dict[str, list[str]] = {}
    for each in _held(file):
        if each.marker is None or each.marker.evaluate(linux):
            held.setdefault(canonicalize_name(each.name), []).append(str(each.specifier).removeprefix("=="))

    unfit = [
        f"{asked}: {versions}"
        for asked in _asked_for(file)
        if (asked.marker is None or asked.marker.evaluate(linux))
        and (
            len(versions := held.get(canonicalize_name(asked.name), [])) != 1
            or not asked.specifier.contains(versions[0])
        )
    ]

    assert unfit == [], "run: make constraints"
    assert [name for name, versions in held.items() if len(versions) > 1] == []


def test_continuous_integration_differs_from_make_all_by_the_demand_for_servers_alone() -> None:
    commands = (_ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert re.findall(r"^\s*export (\w+)", commands, re.MULTILINE) == ["RUNSTORE_TEST_REQUIRE"]
    assert re.findall(r"^make .*", commands, re.MULTILINE) == ["make all"]


def test_the_page_about_installing_names_the_lowest_versions_that_are_declared() -> None:
    page = (_ROOT / "docs" / "install.md").read_text(encoding="utf-8").partition("| oldest tested |")[2].lower()
    named = {"pytorch lightning": "pytorch-lightning", "pytorch": "torch"}
    shown = {
        canonicalize_name(named.get(name, name)): version
        for name, version in re.findall(r"([a-z][a-z0-9]*(?: lightning)?) ([\d.]*\d)", page.partition("\n\n")[0])
    }
    lowest = {canonicalize_name(each.name): each.specifier for each in _asked_for(_CONSTRAINTS[0])}

    assert set(shown) <= set(lowest)
    assert {
        name: version for name, version in shown.items() if f">={version}" not in str(lowest[name]).split(",")
    } == {}
