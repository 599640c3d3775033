"""The suite runs, finds its answers right and writes its table. Its figures at this size mean nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run_suite(tmp_path: Path, *arguments: str) -> tuple[list[dict[str, Any]], str]:
    results = tmp_path / "results.jsonl"
    command = [sys.executable, "-m", "benchmarks", "--profile", "smoke", "--here", f"--results={results}"]
    ran = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in results.read_text().splitlines()], ran.stdout


def test_every_workload_runs_on_sqlite_and_every_answer_is_right(tmp_path: Path) -> None:
    results, table = run_suite(tmp_path, "--system=runstore/sqlite")

    measured = {result["row"] for result in results if result.get("contestant") == "runstore/sqlite"}
    assert {"ingest", "single", "concurrent-8", "disk", "search-30", "list", "history-2000", "sample-2000"} <= measured
    assert [result for result in results if "error" in result or result.get("is_right") is False] == []
    assert "| runstore/sqlite |" in table


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    results, table = run_suite(
        tmp_path, "--system=raw upsert/sqlite", "--only=single", "--until=00:00", "--set=rounds=1"
    )

    assert [result["row"] for result in results if "seconds" in result] == ["single"]
    assert "| disk for a point, SQLite | ≤ 40 bytes | not measured |" in table


def test_a_size_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--profile=smoke", "--set=speed=1", f"--results={tmp_path / 'r'}"]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert "there is no size 'speed'; known: rounds, ingest_points" in ran.stderr


@pytest.mark.server
def test_a_server_backend_is_measured_on_a_server_of_the_suites_own(tmp_path: Path) -> None:
    results, _ = run_suite(
        tmp_path, "--system=runstore/postgresql", "--system=raw COPY/postgresql", "--only=ingest", "--only=disk"
    )

    assert [result["error"] for result in results if "error" in result] == []
    done = {(result["row"], result["contestant"]): result for result in results if "n" in result}
    assert {key: result["is_right"] for key, result in done.items()} == {
        ("ingest", "runstore/postgresql"): True,
        ("ingest", "raw COPY/postgresql"): True,
        ("disk", "runstore/postgresql"): True,
    }
    assert done["disk", "runstore/postgresql"]["disk_bytes"] > 0


def test_a_row_that_is_skipped_is_not_measured_and_the_lock_is_taken(tmp_path: Path) -> None:
    lock = tmp_path / "lock"

    results, _ = run_suite(
        tmp_path, "--system=raw upsert/sqlite", "--only=single", "--only=disk", "--skip=disk", f"--lock={lock}"
    )

    assert [result["row"] for result in results if "seconds" in result] == ["single"]
    assert lock.exists()
