"""The README's picture is what the commands print today, and its figures are those that were measured."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from documentation.pages import PAGES, ROOT

README = PAGES["README.md"].read_text(encoding="utf-8")
PICTURE = ROOT / "docs/pictures/terminal.svg"


def test_the_picture_is_what_its_script_draws_today(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    drawn = tmp_path / "terminal.svg"

    command = [sys.executable, str(ROOT / "scripts/draw_terminal.py"), str(drawn)]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert drawn.read_text() == PICTURE.read_text(), "python scripts/draw_terminal.py docs/pictures/terminal.svg"


def test_the_picture_asks_nobody_for_anything_and_says_what_it_shows() -> None:
    text = PICTURE.read_text(encoding="utf-8")

    assert "<title>" in text
    assert re.findall(r"https?://[^\"']*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.findall(r"<(?:script|image|use|foreignObject)|@import|url\(", text)


def rows(page: str, heading: str) -> dict[str, list[str]]:
    """The table under a heading: the cells of each row after the first, without ranges."""
    table = PAGES[page].read_text(encoding="utf-8").partition(f"{heading}\n")[2].partition("\n#")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return {name: [re.sub(r" \(.*\)", "", cell) for cell in more] for name, *more in cells}


def test_the_figures_of_the_comparison_are_those_of_the_page_about_benchmarks() -> None:
    compared = rows("README.md", "## Which tool?")
    calls = rows("docs/start-run.md", "## The same with other tools")
    batches = rows("docs/benchmarks.md", "### Batches of 1,000 points of 10 metrics, one run")
    histories = rows("docs/benchmarks.md", "### One series of 100,000 points, read whole into columns")

    tools = ["runstore", "MLflow", "Sacred", "Aim", "Trackio", "W&B"]
    assert compared[""] == tools
    assert compared["a call of two numbers"] == [
        f"{calls[name][2]} µs{how}" if name in calls else ""
        for name, how in [*((tool, "") for tool in tools[:-1]), ("W&B, offline", ", offline")]
    ]
    for database in ("SQLite", "MongoDB"):
        assert compared[f"points a second into {database}"] == [
            batches.get(f"{tool}/{database.lower()}", [""])[0] for tool in tools
        ]
    read = [histories.get(f"{tool}/sqlite", [""])[0] for tool in tools]
    assert compared["100,000 points read from SQLite"] == [each and f"{each} ms" for each in read]
