"""The pytest plugin that reports conformance: ``pytest -p runstore.testing.plugin --runstore-report PATH``.

At the end of a session it says, for each backend, which clauses ran, deviate, and did not run; with
``--runstore-report`` it writes the same as JSON. It works with xdist, and costs nothing in a session without the kit.
"""

import json
from pathlib import Path

import pytest

from runstore.testing.report import ConformanceReport

_PROPERTY = "runstore-conformance"
_REPORT = pytest.StashKey[ConformanceReport]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--runstore-report``."""
    group = parser.getgroup("runstore", "conformance of runstore backends")
    group.addoption("--runstore-report", metavar="PATH", help="write what ran, deviates and did not run, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Begins an empty report."""
    config.stash[_REPORT] = ConformanceReport()
    config.pluginmanager.register(_Listener(config.stash[_REPORT]), "runstore-conformance-listener")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Gives a kit test the facts that its report must carry home from a worker."""
    test = getattr(item, "function", None)
    cited = getattr(test, "__runstore_clauses__", None)
    owner = getattr(item, "cls", None)
    if cited and owner is not None:
        facts = {"backend": owner.backend, "test": test.__name__, "clauses": list(cited)}  # type: ignore[union-attr]
        item.user_properties.append((_PROPERTY, json.dumps(facts)))


class _Listener:
    """Hears the reports of all tests, of workers too."""

    def __init__(self, report: ConformanceReport) -> None:
        self._report = report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        facts = next((json.loads(str(value)) for name, value in report.user_properties if name == _PROPERTY), None)
        if facts is None:
            return
        outcome, reason = _outcome(report)
        if outcome:
            self._report.add(**facts, outcome=outcome, reason=reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says it to people, and writes the JSON."""
    report = terminalreporter.config.stash[_REPORT]
    path = terminalreporter.config.getoption("--runstore-report")
    if path:
        Path(path).write_text(report.as_json(), encoding="utf-8")
    if report:
        terminalreporter.section("conformance to the run store contract")
        for line in report.as_text():
            terminalreporter.write_line(line)


def _outcome(report: pytest.TestReport) -> tuple[str, str]:
    if report.failed:
        strict = "XPASS(strict)" in str(report.longrepr)
        return "failed", "a declared deviation no longer fails: remove it" if strict else f"failed in {report.when}"
    if report.skipped:
        deviation = getattr(report, "wasxfail", None)
        return ("deviated", str(deviation)) if deviation is not None else ("not run", _reason(report))
    return ("ran", "") if report.when == "call" else ("", "")


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ").removeprefix("not run: ")
