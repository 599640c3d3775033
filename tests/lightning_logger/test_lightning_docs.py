"""The page about Lightning tells the truth: its blocks run, one after the other."""

import re
from pathlib import Path

import pytest

from runstore.opening import open_store

pytestmark = pytest.mark.training

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lightning.md"


def test_each_block_of_the_page_runs_after_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))
    names: dict[str, object] = {"__name__": "documentation"}

    for number, block in enumerate(
        re.findall(r"^```py\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL), start=1
    ):
        exec(compile(block, f"{PAGE.name}, block {number}", "exec"), names)

    with open_store("sqlite:///runs.db", durable=False) as store:
        resumed, *others = store.search_runs(order_by=["attempt desc"]).items
        assert (resumed.status, resumed.attempt) == ("completed", 2)
        assert [run.status for run in others] == ["completed", "completed"]
        assert "notes.txt" in {artifact.name for artifact in store.list_artifacts(resumed.id)}
