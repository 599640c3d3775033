"""The kit's own promises: overrides refused, deviations strict, "not run" never "passed", failures that tell."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from kit.mutants.base import MutantHarness
from kit.mutants.configs import ConfigIsReplaced, TrueBecomesOne
from kit.mutants.metrics import LastIsByArrival, RetryDuplicatesPoints
from kit.runner import breaches_of
from runstore.memory.store import MemoryStore
from runstore.testing import RunStoreConformance
from runstore.testing.bench import Bench
from runstore.testing.report import ConformanceReport, outcome_of
from runstore.testing.stateful import run_machine

SUITE = """
import pytest
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.testing import Harness, RunStoreConformance
from runstore.values import ConfigDocument

class Forgetful(MemoryStore):
    def merge_config(self, run_id, config):
        self._entry(run_id).config = ConfigDocument("{{}}")
        super().merge_config(run_id, config)

class MyHarness(Harness):
    deviations = {deviations}
    def __init__(self):
        self.database = MemoryDatabase()
    def open(self):
        return {store}(self.database)
    def fresh(self):
        return MyHarness()

@pytest.fixture
def harness():
    return MyHarness()

class TestMine(RunStoreConformance):
    backend = "mine"
"""


def run_suite(
    folder: Path, *, store: str = "MemoryStore", deviations: str = "{}", select: str = "", workers: int = 0
) -> tuple[str, dict[str, dict[str, object]]]:
    """Runs the kit in a pytest of its own; gives what it printed, and the clauses of its report."""
    (folder / "test_mine.py").write_text(SUITE.format(store=store, deviations=deviations))
    command = [sys.executable, "-m", "pytest", "-p", "runstore.testing.plugin", "-p", "no:cacheprovider", "-q"]
    command += ["--runstore-report", "report.json", "-k", select, f"-n{workers}", "--rootdir", ".", "-c", "/dev/null"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = json.loads((folder / "report.json").read_text())["backends"]
    return done.stdout, report.get("mine", {})


def test_overriding_a_kit_test_is_refused_when_the_class_is_made() -> None:
    with pytest.raises(TypeError, match=r"test_the_first_description_wins.*EXP\.4"):

        class TestMine(RunStoreConformance):
            def test_the_first_description_wins(self) -> None: ...  # type: ignore[override]


def test_overriding_through_another_base_is_refused_too() -> None:
    class Lenient:
        test_the_first_description_wins = None

    with pytest.raises(TypeError, match=r"EXP\.4"):

        class TestMine(Lenient, RunStoreConformance):  # type: ignore[misc]
            pass


def test_a_declared_deviation_is_an_expected_failure_and_stands_in_the_report(tmp_path: Path) -> None:
    printed, clauses = run_suite(
        tmp_path,
        store="Forgetful",
        deviations="{'test_logging_again_merges_key_by_key_and_the_last_value_wins': 'it forgets'}",
        select="merges_key_by_key or config_twice",
    )

    assert "1 passed, " in printed
    assert "1 xfailed" in printed
    assert clauses["CFG.2"]["outcome"] == "deviated"
    assert "deviated CFG.2" in printed
    assert "it forgets" in printed


def test_a_deviation_that_no_longer_fails_is_red(tmp_path: Path) -> None:
    printed, clauses = run_suite(tmp_path, deviations="{'EXP.4': 'outlived'}", select="first_description")

    assert "1 failed" in printed
    assert clauses["EXP.4"]["outcome"] == "failed"
    assert "a declared deviation no longer fails: remove it" in printed


def test_a_deviation_from_an_unknown_clause_is_refused(tmp_path: Path) -> None:
    printed, _ = run_suite(tmp_path, deviations="{'EXP.99': 'x'}", select="test_the_first_description")

    assert "EXP.99" in printed
    assert "1 error" in printed


def test_what_did_not_run_is_never_called_ran(tmp_path: Path) -> None:
    _, clauses = run_suite(tmp_path, select="first_description or additive", workers=2)

    assert clauses["EXP.4"]["outcome"] == "ran"
    assert clauses["OPEN.3"]["outcome"] == "not run"
    assert {clauses[each]["outcome"] for each in clauses if each != "EXP.4"} == {"not run"}


def test_the_outcome_of_a_clause_is_that_of_its_worst_test() -> None:
    ran, deviated, failed, skipped = ("ran", ""), ("deviated", "r"), ("failed", ""), ("not run", "r")

    assert outcome_of({}) == "not run"
    assert outcome_of({"a": skipped}) == "not run"
    assert outcome_of({"a": skipped, "b": ran}) == "partly"
    assert outcome_of({"a": ran, "b": ran}) == "ran"
    assert outcome_of({"a": ran, "b": deviated, "c": skipped}) == "deviated"
    assert outcome_of({"a": deviated, "b": failed}) == "failed"


def test_a_report_survives_its_json() -> None:
    report = ConformanceReport()
    report.add(backend="a", test="test_x", clauses=["MET.1"], outcome="ran")
    report.add(backend="a", test="test_x", clauses=["MET.1"], outcome="failed", reason="failed in call")

    again = ConformanceReport.from_json(report.as_json())

    assert again.as_json() == report.as_json()
    assert "failed MET.1" in "\n".join(again.as_text())


def test_a_failure_names_clause_backend_and_calls() -> None:
    (error,) = breaches_of("MET.1", lambda: MutantHarness(RetryDuplicatesPoints)).values()

    story = "\n".join(error.__notes__)
    assert "MET.1 broke on" in story
    assert "run_1 = store.ensure_run(experiment_1)" in story
    assert "store.log_metrics(run_1, [MetricPoint(name='loss'" in story


@pytest.mark.parametrize("kind", [TrueBecomesOne, LastIsByArrival, ConfigIsReplaced, RetryDuplicatesPoints])
def test_the_state_machine_finds_a_planted_bug_and_tells_it_as_a_short_script(
    kind: type[MemoryStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hypothesis.internal.conjecture.engine.MAX_SHRINKS", 120)  # what comes after is a line or two
    # Of four hundred hunts the longest took about a hundred examples. What explains a failure beyond its shortest
    # script would take longer than hunting and shortening together.
    until_found = settings(max_examples=2000, phases=(Phase.generate, Phase.shrink))

    with Bench(MutantHarness(kind), backend="mutant") as bench:
        with pytest.raises((AssertionError, ExceptionGroup)):
            run_machine(bench, tmp_path, settings=until_found)
        script = str(bench.trace)

    assert "run_1 = store" in script
    assert len(script.splitlines()) <= 25, script
