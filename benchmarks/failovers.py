"""What a database forgets when it fails over or goes back, and what is missing of a training after it: recorded and bare.

    python benchmarks/failovers.py [--case NAME ...] [--results benchmarks/results/failovers.json] [--page docs/clusters.md]

Each case starts real servers of its own, has a training log to them, and does something to them. Acknowledged is what the
training was told is kept. The figures go to a file, beside those of the cases that were not asked for, and from it into
the table of the page.
"""

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "tests")]

import failover_cases as cases  # noqa: E402 - found by the line above
from recorder_support import folder, machine, use_state_dir  # noqa: E402 - as above

ROOT: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = ROOT / "benchmarks" / "results" / "failovers.json"
PAGE: Final = ROOT / "docs" / "clusters.md"
BEGIN: Final = "<!-- The table is made by benchmarks/failovers.py from its results. -->\n\n"
END: Final = "\n\n<!-- Here the table ends. -->"

CASES: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "PostgreSQL, asynchronous standby promoted": partial(cases.postgresql_failover, is_synchronous=False),
    "PostgreSQL, synchronous standby promoted": partial(cases.postgresql_failover, is_synchronous=True),
    "PostgreSQL, backup restored under the run": cases.backup_restored,
    "PostgreSQL, backup restored after the run": cases.backup_restored_after_end,
    "PostgreSQL, disk of the server lost": cases.disk_lost,
    "Galera, node killed": cases.galera_node_killed,
    "Galera, new database opened by six": cases.galera_first_opening,
    "MongoDB, election": cases.mongodb_election,
}
MISSING: Final = ("runs", "configs", "artifacts", "ends")


def measure(name: str, *, is_recorded: bool) -> dict[str, Any]:
    """One case."""
    with folder(None) as place:
        use_state_dir(place / "state")
        return CASES[name](place, is_recorded=is_recorded)


def table(results: dict[str, Any]) -> str:
    """The page's table: a row a case and way of writing."""
    head = "| what happens | written | points acknowledged | lost | twice | runs, configs, artifacts, ends missing | longest call |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for name in CASES:
        for way in ("recorded", "bare"):
            found = results["cases"][name][way]
            missing = ", ".join(str(found[each]) for each in MISSING)
            raised = f"; raised {', '.join(found['raised'])}" if found["raised"] else ""
            lines.append(
                f"| {name if way == 'recorded' else ''} | {way} | {found['acknowledged']:,} | {found['lost']:,} | "
                f"{found['twice']:,} | {missing}{raised} | {found['longest_ms']:,.0f} ms |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--way", nargs="*", choices=["recorded", "bare"], default=["recorded", "bare"])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args()
    results = json.loads(given.results.read_text()) if given.results.exists() else {"cases": {}}
    for name in given.case:
        for way in given.way:
            found = measure(name, is_recorded=way == "recorded")
            results["cases"].setdefault(name, {})[way] = found
            print(f"{name}, {way}: {found}", flush=True)
            given.results.write_text(json.dumps({"machine": machine(), **results}, indent=1) + "\n")
    text = given.page.read_text(encoding="utf-8")
    if BEGIN in text and set(results["cases"]) >= set(CASES):
        before, _, rest = text.partition(BEGIN)
        given.page.write_text(f"{before}{BEGIN}{table(results)}{END}{rest.partition(END)[2]}", encoding="utf-8")
    lost = [
        name for name, ways in results["cases"].items() if any(ways["recorded"][each] for each in ("lost", "twice"))
    ]
    sys.exit(f"lost or twice: {lost}" if lost else 0)


if __name__ == "__main__":
    main()
