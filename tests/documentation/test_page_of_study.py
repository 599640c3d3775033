"""The page about studies shows the tables of study.json, which `pneumo-train study kermany-128 --export docs/study.json` writes."""

import json
from typing import Any

from documentation.pages import PAGES
from pneumo_train.studying.plan import load_study
from pneumo_train.studying.table import as_markdown

PATH = PAGES["docs/study.md"]
MARKER = "<!-- What follows is written from study.json. -->\n"


def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PATH.with_name("study.json").read_text(encoding="utf-8"))
    return found


def test_the_tables_of_the_page_are_those_of_the_export() -> None:
    _, marker, tables = PATH.read_text(encoding="utf-8").partition(MARKER)

    assert marker
    assert tables == as_markdown(kept()), "PYTHONPATH=tests python -m documentation.test_page_of_study writes them anew"


def test_the_export_is_one_of_the_study_that_comes_with_the_trainer() -> None:
    study, export = load_study("kermany-128"), kept()

    assert export["study"] == study.name
    assert [
        (table["name"], table["set"], [(row["name"], row["set"]) for row in table["rows"]])
        for table in export["tables"]
    ] == [(table.name, table.set, [(row.name, row.set) for row in table.rows]) for table in study.tables]


if __name__ == "__main__":
    before, marker, _ = PATH.read_text(encoding="utf-8").partition(MARKER)
    PATH.write_text(before + marker + as_markdown(kept()), encoding="utf-8")
