"""The page about studies shows the tables of what `pneumo-train study NAME --export docs/FILE.json` has written."""

import json
import re
from typing import Any

import pytest

from documentation.pages import PAGES
from pneumo_train.studying.plan import load_study
from pneumo_train.studying.table import as_markdown

PATH = PAGES["docs/study.md"]
FILES = {"study.json": "kermany-128", "study-contrary.json": "kermany-128-contrary"}
"""The exports, and the study of each."""

WRITTEN = re.compile(r"(?s)(<!-- What follows is written from (\S+)\. -->\n)(.*?)(?=\n## |\Z)")
"""A mark, the file that it names, and the tables up to the next chapter."""


def kept(file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PATH.with_name(file).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("file", FILES)
def test_the_tables_of_the_page_are_those_of_the_export(file: str) -> None:
    shown = {name: tables for _, name, tables in WRITTEN.findall(PATH.read_text(encoding="utf-8"))}

    assert set(shown) == set(FILES)
    assert shown[file] == as_markdown(kept(file)), (
        "PYTHONPATH=tests python -m documentation.test_page_of_study writes them anew"
    )


@pytest.mark.parametrize(("file", "name"), FILES.items())
def test_the_export_is_one_of_the_study_that_comes_with_the_trainer(file: str, name: str) -> None:
    study, export = load_study(name), kept(file)

    assert export["study"] == study.name
    assert [
        (table["name"], table["set"], [(row["name"], row["set"]) for row in table["rows"]])
        for table in export["tables"]
    ] == [(table.name, table.set, [(row.name, row.set) for row in table.rows]) for table in study.tables]


if __name__ == "__main__":
    PATH.write_text(
        WRITTEN.sub(lambda found: found[1] + as_markdown(kept(found[2])), PATH.read_text(encoding="utf-8")),
        encoding="utf-8",
    )
