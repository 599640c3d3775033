"""What ran, what deviates and what did not run: per clause and backend, as values, text, JSON and a Markdown page.

The outcome of a clause is worked out from all its tests: ``failed`` if one failed, else ``deviated`` if one is a
declared deviation, else ``ran`` if all ran, ``partly`` if some did, and ``not run``. What did not run is never called
passed.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from runstore.testing.clauses import CLAUSES, FAMILIES

FORMAT: Final = 1
OUTCOMES: Final = ("ran", "partly", "deviated", "not run", "failed")
SYMBOLS: Final = {"ran": "●", "partly": "◐", "deviated": "△", "not run": "○", "failed": "✗"}

MARKER: Final = "<!-- What follows is generated from conformance.json. -->"

_RANK: Final = {"not run": 0, "ran": 1, "deviated": 2, "failed": 3}


class ConformanceReport:
    """Collects outcomes of tests. One test may be added many times (its parameters): the worst counts."""

    def __init__(self) -> None:
        # backend -> clause -> test -> (outcome, reason)
        self._found: dict[str, dict[str, dict[str, tuple[str, str]]]] = {}

    def add(self, *, backend: str, test: str, clauses: Iterable[str], outcome: str, reason: str = "") -> None:
        """Adds one outcome of a test: ``ran``, ``deviated``, ``not run`` or ``failed``."""
        for clause in clauses:
            tests = self._found.setdefault(backend, {}).setdefault(clause, {})
            known = tests.get(test)
            if known is None or _RANK[outcome] > _RANK[known[0]]:
                tests[test] = (outcome, reason)

    def __bool__(self) -> bool:
        """Whether any test of the kit was seen."""
        return bool(self._found)

    def as_json(self) -> str:
        """The report as JSON text; every clause is in it, also those without a test that ran."""
        backends = {backend: self._of_backend(backend) for backend in sorted(self._found)}
        return json.dumps({"format": FORMAT, "backends": backends}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A report that was written with :meth:`as_json`."""
        report = cls()
        data = json.loads(text)
        if data.get("format") != FORMAT:
            raise ValueError(f"a conformance report of format {data.get('format')!r}; this release reads {FORMAT}")
        for backend, clauses in data["backends"].items():
            for clause, found in clauses.items():
                for test, (outcome, reason) in found["tests"].items():
                    report.add(backend=backend, test=test, clauses=[clause], outcome=outcome, reason=reason)
        return report

    def as_text(self) -> list[str]:
        """The report for people, as lines."""
        lines: list[str] = []
        for backend, clauses in json.loads(self.as_json())["backends"].items():
            counts = Counter(found["outcome"] for found in clauses.values())
            lines.append(f"{backend}: " + ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES))
            for outcome in OUTCOMES[1:]:
                for clause, found in clauses.items():
                    if found["outcome"] == outcome:
                        lines.append(f"  {outcome} {clause}: {_why(found)}")
        return lines

    def as_markdown(self) -> str:
        """The matrix of clauses and backends, and below it the reasons."""
        backends: dict[str, dict[str, Any]] = json.loads(self.as_json())["backends"]
        lines = [f"| clause | {' | '.join(backends)} |", f"|---|{'---|' * len(backends)}"]
        for family, subject in FAMILIES.items():
            lines.append(f"| **{family}** {subject} |{' |' * len(backends)}")
            for clause in (each for each in CLAUSES if each.startswith(f"{family}.")):
                cells = (SYMBOLS[found[clause]["outcome"]] for found in backends.values())
                lines.append(f"| [{clause}](contract.md) | {' | '.join(cells)} |")
        counted = {
            backend: Counter(found["outcome"] for found in clauses.values()) for backend, clauses in backends.items()
        }
        for outcome in OUTCOMES:
            cells = (str(counts[outcome]) for counts in counted.values())
            lines.append(f"| {SYMBOLS[outcome]} {outcome} | {' | '.join(cells)} |")
        for outcome, heading in (
            ("deviated", "Declared deviations"),
            ("partly", "Run in part"),
            ("not run", "Not run"),
        ):
            told = [
                f"- {backend}, {clause}: {_why(found)}"
                for backend, clauses in backends.items()
                for clause, found in clauses.items()
                if found["outcome"] == outcome
            ]
            lines += ["", f"## {heading}", "", *(told or ["None."])]
        return "\n".join(lines) + "\n"

    def _of_backend(self, backend: str) -> dict[str, dict[str, Any]]:
        found = self._found[backend]
        return {
            clause: {"outcome": outcome_of(found.get(clause, {})), "tests": dict(sorted(found.get(clause, {}).items()))}
            for clause in CLAUSES
        }


def outcome_of(tests: Mapping[str, tuple[str, str]]) -> str:
    """The outcome of a clause from those of its tests."""
    seen = {outcome for outcome, _ in tests.values()}
    for worst in ("failed", "deviated"):
        if worst in seen:
            return worst
    if "ran" not in seen:
        return "not run"
    return "partly" if "not run" in seen else "ran"


def write_page(report: Path, page: Path) -> None:
    """Puts the matrix of a JSON report into a Markdown page, in place of all that follows its marker."""
    head, marker, _ = page.read_text(encoding="utf-8").partition(MARKER)
    if not marker:
        raise ValueError(f"{page} has no line {MARKER!r}, after which the matrix goes")
    matrix = ConformanceReport.from_json(report.read_text(encoding="utf-8")).as_markdown()
    page.write_text(f"{head}{MARKER}\n\n{matrix}", encoding="utf-8")


def _why(found: Mapping[str, Any]) -> str:
    """The reasons of those tests that made the outcome, each once."""
    blamed = "not run" if found["outcome"] == "partly" else found["outcome"]
    reasons: dict[str, list[str]] = {}
    for test, (outcome, reason) in found["tests"].items():
        if outcome == blamed:
            reasons.setdefault(reason or outcome, []).append(test.removeprefix("test_").replace("_", " "))
    if not reasons:
        return "no test of it was run"
    return "; ".join(f"{reason} ({', '.join(tests)})" for reason, tests in reasons.items())


if __name__ == "__main__":
    write_page(Path(sys.argv[1]), Path(sys.argv[2]))
