"""The page is looked at as the benchmarks do it, in Chromium. The figures at this size mean nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.server

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_started_filtered_and_compared_and_the_filters_answer_is_right(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    sizes = ("page_runs=300", "page_many_runs=400", "page_curve_points=1200", "page_keys=1200")
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--profile=smoke",
        "--here",
        "--only=page",
        "--system=runstore/sqlite",
    ]
    options = [f"--results={results}", f"--environments={tmp_path}", *(f"--set={size}" for size in sizes)]

    ran = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    found = [json.loads(line) for line in results.read_text().splitlines()]
    assert [result for result in found if "error" in result or result.get("is_right") is False] == []
    rows = {result["row"] for result in found if "contestant" in result}
    assert rows == {
        *(f"page-{what}-{runs}" for what in ("start", "table", "filter", "memory") for runs in (300, 400)),
        *("page-columns", "page-names", "page-curves"),
    }
    assert "### The page: a filter is answered, 300 runs" in ran.stdout
