"""Each decision has a number of its own, a status, a date, and a line in the list."""

import re
from pathlib import Path

import pytest

from documentation.pages import ROOT

FOLDER = ROOT / "docs" / "decisions"
DECISIONS = sorted(path for path in FOLDER.glob("*.md") if path.name != "index.md")
SECTIONS = ["Context", "Decision", "Consequences"]


def test_the_numbers_follow_each_other() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_status_date_and_sections_and_its_line_in_the_list(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    listed = (FOLDER / "index.md").read_text(encoding="utf-8")

    found = re.match(r"# (\d{4})\. (.+)\n\nStatus: (accepted|superseded by .+?)<br>\nDate: (\d{4}-\d\d-\d\d)\n", text)
    assert found
    assert found[1] == path.name[:4]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    status = found[3].partition("](")[0].replace("[", "")
    assert f"| [{found[1]}]({path.name}) | {found[2]} | {found[4]} | {status} |" in listed
