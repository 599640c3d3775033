"""``python -m benchmarks``: measures, and writes results as JSON lines and a table in Markdown."""

import argparse
import datetime
import json
import math
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import pages, plan, report
from benchmarks.environments import LIGHTNING, LOCKS, OURS, OURS_SQL, ROOT, Environments
from benchmarks.machine import describe
from benchmarks.places import Places, scratch
from benchmarks.suite import Suite

KEPT = Path(__file__).with_name("results")
"""Earlier results: the page shows the newest of each contestant in each row, with its date."""


def main() -> None:
    arguments = _arguments()
    results = arguments.results
    results.parent.mkdir(parents=True, exist_ok=True)
    if arguments.prepare_only:
        _prepare_pages(arguments)
        return
    if not arguments.table_only:
        _measure(arguments, results)
    kept = sorted(KEPT.glob("*.jsonl")) if arguments.docs else []
    files = dict.fromkeys(file.resolve() for file in [*kept, results])
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    notes = Path(__file__).with_name("notes.md").read_text()
    text = report.render(lines, notes=notes)
    if arguments.docs:
        (ROOT / "docs" / "benchmarks.md").write_text(text)
    print(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--profile", choices=plan.PROFILES, default="standard", help="how large (default: standard)")
    parser.add_argument(
        "--quick", action="store_const", const="quick", dest="profile", help="under three minutes, without peers"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="TEXT", help="rows whose name holds TEXT; repeatable"
    )
    parser.add_argument(
        "--skip",
        action="append",
        default=[],
        metavar="TEXT",
        help="leave out rows whose name holds TEXT (training: Lightning's loggers, whose environment takes 5.4 GB); "
        "repeatable; the page keeps their last results",
    )
    parser.add_argument(
        "--system", action="append", default=[], metavar="TEXT", help="contestants (system/backend) that hold TEXT"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SIZE=N[,N]",
        help=f"change a size of the profile: {', '.join(plan.Sizes._fields)}",
    )
    parser.add_argument("--rounds", type=int, help="how often each contestant is measured")
    parser.add_argument(
        "--here", action="store_true", help="measure runstore of this interpreter, not a fresh installation"
    )
    parser.add_argument(
        "--prepare-only",
        action="store_true",
        help="make the environments of the pages' servers and fill their stores, which are kept; measure nothing",
    )
    parser.add_argument("--start-at", metavar="HH:MM", help="prepare now, measure from then on (local time)")
    parser.add_argument("--until", metavar="HH:MM", help="begin no measurement after that; what is missing is said")
    parser.add_argument(
        "--lock",
        type=Path,
        metavar="FILE",
        help="lock this file, shared while a store is filled and exclusive while a row is measured, for those who share "
        "the machine",
    )
    parser.add_argument(
        "--prepare-at-once", type=int, default=2, metavar="N", help="how many stores are filled at once"
    )
    parser.add_argument(
        "--environments", type=Path, default=ROOT / ".benchmarks", help="where the environments are kept"
    )
    parser.add_argument(
        "--scratch", type=Path, default=Path(tempfile.gettempdir()), help="a directory on the disk to measure"
    )
    parser.add_argument("--results", type=Path, default=ROOT / ".benchmarks" / "results.jsonl", help="the JSON lines")
    parser.add_argument("--append", action="store_true", help="add to the results instead of replacing them")
    parser.add_argument(
        "--docs",
        action="store_true",
        help="write the table into docs/benchmarks.md, from these results and those in benchmarks/results: the newest win",
    )
    parser.add_argument("--table-only", action="store_true", help="measure nothing, render the results again")
    return parser.parse_args()


def _measure(arguments: argparse.Namespace, results: Path) -> None:
    start_at = _moment(arguments.start_at, default=0.0)  # now: preparing may take until after it
    sizes = plan.resized(plan.PROFILES[arguments.profile], arguments.set)
    environments = Environments(arguments.environments, here=arguments.here)

    def is_chosen(row: str) -> bool:
        is_wanted = not arguments.only or any(text in row for text in arguments.only)
        return is_wanted and not any(text in row for text in arguments.skip)

    chosen = [row for row in plan.rows(sizes) if is_chosen(row.id)]
    with ExitStack() as stack:
        output = stack.enter_context(results.open("a" if arguments.append else "w"))
        directory = stack.enter_context(scratch(arguments.scratch))
        places = Places(directory, stack)

        def keep(result: dict[str, Any]) -> None:
            output.write(json.dumps(result) + "\n")
            output.flush()
            print(report.line(result), file=sys.stderr, flush=True)

        def takes_part(contestant: str) -> bool:
            return not arguments.system or any(text in contestant for text in arguments.system)

        for name in {
            plan.CONTESTANTS[each].environment for row in chosen for each in row.contestants if takes_part(each)
        }:
            environments.python(name)  # installing is no part of any measurement
        suite = Suite(environments, places, directory, keep, lock=arguments.lock)
        if is_chosen("import"):
            environments.python(OURS)
        keep({"row": "machine", **describe(), "profile": arguments.profile})
        suite.prepare(chosen, takes_part, at_once=arguments.prepare_at_once)
        time.sleep(max(0.0, start_at - time.time()))
        keep({"row": "load", "load": os.getloadavg()[0]})
        until = _moment(arguments.until, default=math.inf)
        suite.run(chosen, takes_part, rounds=arguments.rounds or sizes.rounds, until=until)
        if is_chosen("page") and sizes.page_runs:
            pages.Measuring(
                stores=arguments.environments / "stores",
                environments=environments,
                sizes=_pages_sizes(sizes),
                takes_part=takes_part,
                places=places,
                logs=directory,
                keep=keep,
            ).run(arguments.rounds or sizes.rounds)
        if is_chosen("import"):
            suite.imports(sizes.imports)
        if not arguments.here and is_chosen("install"):
            for name in (OURS_SQL, "mlflow"):
                megabytes, distributions = environments.size(name)
                keep({"row": "install", "contestant": name, "megabytes": megabytes, "distributions": distributions})
        keep({"row": "versions", **places.versions(), **_versions(environments, chosen)})


def _prepare_pages(arguments: argparse.Namespace) -> None:
    sizes = plan.resized(plan.PROFILES[arguments.profile], arguments.set)
    environments = Environments(arguments.environments, here=arguments.here)
    pages.prepare(
        arguments.environments / "stores",
        environments,
        _pages_sizes(sizes),
        lambda contestant: not arguments.system or any(text in contestant for text in arguments.system),
    )


def _pages_sizes(sizes: plan.Sizes) -> pages.Sizes:
    return pages.Sizes(sizes.page_runs, sizes.page_many_runs, sizes.page_curve_points, sizes.page_keys)


def _moment(clock: str | None, *, default: float) -> float:
    """The next time the clock shows this, as a moment of ``time.time``."""
    if clock is None:
        return default
    hour, minute = map(int, clock.split(":"))
    now = datetime.datetime.now().astimezone()
    moment = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (moment if moment > now else moment + datetime.timedelta(days=1)).timestamp()


def _versions(environments: Environments, rows: list[plan.Row]) -> dict[str, str]:
    packages = ("runstore", "sqlalchemy", "psycopg", "pymysql", "pymongo", "numpy")
    found = environments.versions(OURS, packages)
    peers: dict[str, tuple[str, ...]] = {name: (name,) for name in ("mlflow", "mlflow-mongodb", "sacred", "trackio")}
    peers[LIGHTNING] = ("pytorch-lightning", "torch", "tensorboard", "mlflow", "wandb")
    for name, shown in peers.items():
        pinned = dict(line.split("==") for line in (LOCKS / f"{name}.txt").read_text().splitlines() if "==" in line)
        if any(plan.CONTESTANTS[each].environment == name for row in rows for each in row.contestants):
            found |= {package: pinned[package] for package in shown}
    return found


main()
