"""What axe-core finds in views that were saved as files."""

from pathlib import Path
from typing import Any

import pytest

from runstore import open_reader
from runstore_ui.saving import saved_view
from support.browser import window
from support.saved_stores import fill_whole

pytestmark = pytest.mark.server

UNFOLD = "() => { for (const each of document.querySelectorAll('details')) each.open = true; }"


@pytest.mark.parametrize("runs", [["whole"], ["whole", "other"], []], ids=["run", "comparison", "table"])
def test_axe_finds_nothing_in_a_file(runs: list[str], browser: Any, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - it reads half a megabyte, and few tests need it

    url = f"sqlite:///{tmp_path / 'whole.db'}"
    fill_whole(url, tmp_path)
    with open_reader(url) as reader:
        (tmp_path / "it.html").write_text(saved_view(reader, runs), encoding="utf-8")

    with window(browser) as opened:
        opened.goto((tmp_path / "it.html").as_uri())
        opened.evaluate(UNFOLD)
        told = []
        for ground in ("light", "dark"):
            opened.emulate_media(color_scheme=ground)
            results = Axe().run(opened, options={"resultTypes": ["violations"]})
            told += [results.generate_report()] if results.violations_count else []

    assert told == []
