"""The page about what speaks it: how sure it is stands with a reason in each row, and what it calls refused is refused."""

import re

import pytest

from documentation.pages import PAGES, ROOT
from runstore import open_store
from runstore.errors import RunStoreError, UnknownSchemeError

PAGE = PAGES["docs/what-speaks-it.md"].read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| ([^|]+) \| ((?:tested|should work|not known|refused|for artifacts)[^|]*) \| ([^|]+) \|$", PAGE, re.MULTILINE
)


def test_each_row_says_how_sure_it_is_and_why() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what ")]

    assert len(ROWS) == len(rows)
    assert {sure.partition(",")[0] for _, sure, _ in ROWS} == {
        "tested", "should work", "not known", "refused", "for artifacts alone",
    }  # fmt: skip


def test_what_is_called_tested_names_a_test_that_is_there() -> None:
    for what, sure, why in ROWS:
        if sure.startswith("tested"):
            (test,) = re.findall(r"`(tests/[\w/]+\.py)`", why)
            assert (ROOT / test).is_file(), what


def test_the_versions_that_are_called_tested_are_those_of_the_page_about_backends() -> None:
    named = set(re.findall(r"^\| ((?:SQLite|PostgreSQL|MariaDB|MongoDB) [\d.]+)\b.* \| tested", PAGE, re.MULTILINE))

    assert {each for each in named if each not in PAGES["docs/backends.md"].read_text(encoding="utf-8")} == set()
    assert len(named) == 4


@pytest.mark.parametrize("scheme", ["oracle", "mssql", "clickhouse", "snowflake", "bigquery"])
def test_what_has_no_backend_is_refused_by_its_scheme(scheme: str) -> None:
    with pytest.raises(UnknownSchemeError, match="known"):
        open_store(f"{scheme}://me@host/lab")


def test_a_mongodb_that_confirms_nothing_is_refused() -> None:
    pytest.importorskip("pymongo")
    with pytest.raises(RunStoreError, match="w=0"):
        open_store("mongodb://127.0.0.1:1/lab?w=0")
