"""The table and the picture of the page about clusters are made from what was measured, and by their script."""

import json
import subprocess
import sys
from pathlib import Path

from documentation.pages import ROOT

PAGE = ROOT / "docs" / "clusters.md"
RESULTS = ROOT / "benchmarks" / "results" / "failovers.json"


def test_the_table_of_failovers_is_made_from_what_was_measured() -> None:
    asked = "import json, pathlib, failovers; print(failovers.table(json.loads(pathlib.Path(failovers.RESULTS).read_text())))"
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT / "benchmarks", capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in PAGE.read_text(encoding="utf-8"), "python benchmarks/failovers.py --case"


def test_no_recorded_training_lost_anything_or_has_it_twice() -> None:
    measured = json.loads(RESULTS.read_text(encoding="utf-8"))["cases"]

    assert len(measured) == 8
    for ways in measured.values():
        recorded = ways["recorded"]
        assert recorded["acknowledged"] > 0
        for each in ("lost", "twice", "runs", "configs", "artifacts", "ends", "raised"):
            assert not recorded[each], each


def test_the_picture_of_what_is_sent_again_is_what_its_script_draws_today(tmp_path: Path) -> None:
    drawn = tmp_path / "sent-again.svg"

    subprocess.run([sys.executable, str(ROOT / "scripts" / "draw_sent_again.py"), str(drawn)], check=True)

    assert drawn.read_text() == (ROOT / "docs/pictures/sent-again.svg").read_text()
