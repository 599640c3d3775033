"""The contract's page, the kit's clauses and the kit's tests list the same ids, and the matrix is up to date."""

import json
import re
from pathlib import Path

from runstore.testing import CLAUSES, FAMILIES, RunStoreConformance
from runstore.testing.conformance import clauses_of, kit_tests
from runstore.testing.report import ConformanceReport

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_kit_quotes_the_contract_word_for_word() -> None:
    text = (DOCS / "contract.md").read_text()

    assert dict(re.findall(r"^- \*\*([A-Z]+\.\d+)\*\* (.+)$", text, re.MULTILINE)) == CLAUSES
    assert dict(re.findall(r"^### ([A-Z]+) \S (.+)$", text, re.MULTILINE)) == FAMILIES


def test_no_clause_is_without_a_test() -> None:
    tested = {each for test in kit_tests(RunStoreConformance).values() for each in clauses_of(test)}

    assert sorted(set(CLAUSES) - tested) == []


def test_every_name_of_a_kit_test_is_a_sentence() -> None:
    names = [name.removeprefix("test_") for name in kit_tests(RunStoreConformance)]

    assert [name for name in names if name.count("_") < 3] == []


def test_every_test_of_the_kit_cites_a_clause() -> None:
    methods = {name for name in dir(RunStoreConformance) if name.startswith("test")}

    assert methods == set(kit_tests(RunStoreConformance))


def test_the_matrix_on_the_page_is_generated_from_the_report_beside_it() -> None:
    report = ConformanceReport.from_json((DOCS / "conformance.json").read_text())

    page = (DOCS / "conformance.md").read_text()

    assert report.as_markdown() in page, (
        "run: python -m runstore.testing.report docs/conformance.json docs/conformance.md"
    )


def test_the_report_beside_the_page_knows_the_clauses_and_tests_of_today() -> None:
    backends = json.loads((DOCS / "conformance.json").read_text())["backends"]

    for found in backends.values():
        assert list(found) == list(CLAUSES)
        named = {test for clause in found.values() for test in clause["tests"]}
        assert named == set(kit_tests(RunStoreConformance))
