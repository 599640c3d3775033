"""The page about the trainer's settings has a line for each, with its default and what the code says of it."""

import dataclasses
import inspect
import re

from documentation.pages import PAGES
from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.settings import SECTIONS, TrainConfig

PAGE = PAGES["docs/trainer-settings.md"].read_text(encoding="utf-8")


def meanings(kind: type) -> dict[str, str]:
    """What a class's docstring says of each attribute, on one line each."""
    said = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    on_one_line = re.sub(r"\n {8,}", " ", said)
    return dict(re.findall(r"^ {4}(\w+): (.*)$", on_one_line, re.MULTILINE))


def shown(default: object) -> str:
    """A default as a YAML file has it."""
    return "null" if default is None else str(default).lower() if isinstance(default, bool) else str(default)


def rows() -> list[tuple[str, str, str]]:
    found = [("seed", "42", meanings(TrainConfig)["seed"])]
    for section, kind in SECTIONS.items():
        said = meanings(kind)
        found += [(f"{section}.{each.name}", shown(each.default), said[each.name]) for each in dataclasses.fields(kind)]
    return found


def test_each_setting_has_its_line_with_its_default_and_its_meaning() -> None:
    lines = re.findall(r"^\| `([\w.]+)` \| `([^`]+)` \| (.*) \|$", PAGE, re.MULTILINE)

    assert lines == rows()


def test_each_setting_of_a_federation_has_its_line_on_the_page_about_federations() -> None:
    page = PAGES["docs/federated.md"].read_text(encoding="utf-8")
    said = meanings(FederationConfig)

    lines = re.findall(r"^\| `([\w.]+)` \| `([^`]+)` \| (.*) \|$", page, re.MULTILINE)

    assert lines == [(each.name, shown(each.default), said[each.name]) for each in dataclasses.fields(FederationConfig)]
