"""What a page calls by its dotted name, or by its path in the repository, is there."""

import pkgutil
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import runstore
from documentation.pages import PAGES, ROOT

TEXTS = {**PAGES, "CONTRIBUTING.md": ROOT / "CONTRIBUTING.md"}
_NAME = re.compile(r"`((?:runstore|runstore_sql|runstore_mongo)(?:\.\w+)+)(?:\([^`]*\))?`")
_PATH = re.compile(r"`((?:src|tests|scripts|docs|benchmarks|examples)/[\w./-]*)`")
_FILES = (".toml", ".db", ".artifacts", ".yaml", ".md")
"""Endings of a user's files, as in `runstore.toml`."""


def named(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    return [
        (page, found)
        for page, path in TEXTS.items()
        if "decisions/" not in page  # they tell of their day
        for found in sorted(set(pattern.findall(path.read_text(encoding="utf-8"))))
    ]


def is_there(name: str) -> bool:
    *parts, last = name.split(".")
    for length in range(len(parts) + 1, 0, -1):
        module = ".".join([*parts, last][:length])
        try:
            if find_spec(module) is None:
                continue
        except ModuleNotFoundError:
            continue
        found: object = import_module(module)
        for attribute in [*parts, last][length:]:
            if not hasattr(found, attribute):
                fields = getattr(found, "__annotations__", {})
                return attribute in fields
            found = getattr(found, attribute)
        return True
    return False


@pytest.mark.parametrize(("page", "name"), [each for each in named(_NAME) if not each[1].endswith(_FILES)])
def test_each_module_class_or_function_that_a_page_names_is_there(page: str, name: str) -> None:
    if name.startswith("runstore.lightning"):
        pytest.importorskip("pytorch_lightning")
    if name.startswith("runstore.huggingface"):
        pytest.importorskip("transformers")
    if name.startswith("runstore.optuna"):
        pytest.importorskip("optuna")
    assert is_there(name), f"{page} names {name}"


@pytest.mark.parametrize(("page", "path"), named(_PATH))
def test_each_path_that_a_page_names_is_there(page: str, path: str) -> None:
    assert Path(ROOT, path).exists(), f"{page} names {path}"


def test_the_page_about_the_architecture_has_each_room() -> None:
    page = TEXTS["docs/architecture.md"].read_text(encoding="utf-8")
    rooms = {each.name for each in pkgutil.iter_modules(runstore.__path__) if not each.name.startswith("_")}

    assert rooms - {"lightning_entry"} - set(re.findall(r"`runstore\.(\w+)`", page)) == set()
