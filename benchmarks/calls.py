"""The same short program with each tool: how many lines it takes, and how long it stands still for it.

    python -m benchmarks.calls --environments DIRECTORY [--here]

Each program of ``examples/five_lines`` runs as it stands, in a process and a folder of its own. What is timed is a turn of
its loop, which does nothing but log two numbers, and the whole from the first import to the last line, with the end of the
process in it.
"""

import argparse
import ast
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.environments import OURS_SQL, ROOT, Environments

PROGRAMS = ROOT / "examples" / "five_lines"
ENVIRONMENT = {"runstore": OURS_SQL, "wandb": "wandb", "mlflow": "mlflow", "trackio": "trackio"}
PACKAGE = {"runstore": "runstore", "wandb": "wandb", "mlflow": "mlflow", "trackio": "trackio"}

TIMED = """
import json, sys, time
turns, began = [], time.perf_counter()
def timed(count):
    for number in range(count):
        at = time.perf_counter_ns()
        yield number
        turns.append(time.perf_counter_ns() - at)
path = sys.argv[1]
exec(compile(open(path).read(), path, "exec"), {"__name__": "__main__", "range": timed})
with open(sys.argv[2], "w") as file:
    json.dump({"turns": turns, "lasted": time.perf_counter() - began}, file)
"""
"""Runs a program whose loop goes over ``range``, and notes how long each turn takes."""


def lines_of(program: Path) -> int:
    """The lines that hold statements, the import aside."""
    tree = ast.parse(program.read_text(encoding="utf-8"))
    return len(
        {node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt) and not isinstance(node, ast.Import)}
    )


def measure(tool: str, python: Path) -> dict[str, float]:
    """One run of a tool's program."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        (folder / "roc.png").write_bytes(os.urandom(20_000))
        began = time.perf_counter()
        subprocess.run(
            [str(python), "-c", TIMED, str(PROGRAMS / f"with_{tool}.py"), "turns.json"],
            cwd=folder,
            env=os.environ
            | {
                "HOME": name,
                "TRACKIO_DIR": name,
                "WANDB_DIR": name,
                "RUNSTORE_STATE_DIR": f"{name}/state",
                "RUNSTORE_CONSOLE": "off",
            },
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        whole = time.perf_counter() - began
        told = json.loads((folder / "turns.json").read_text(encoding="utf-8"))
    turns = sorted(each / 1000 for each in told["turns"])
    return {
        "p50": statistics.median(turns),
        "p99": turns[int(len(turns) * 0.99)],
        "program": told["lasted"],
        "process": whole,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, default=ROOT / ".benchmarks")
    parser.add_argument("--here", action="store_true", help="ours is this interpreter, as it is")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    environments = Environments(arguments.environments, here=arguments.here)
    found: dict[str, list[dict[str, float]]] = {tool: [] for tool in ENVIRONMENT}
    for _ in range(arguments.rounds):
        for tool, name in ENVIRONMENT.items():
            found[tool].append(measure(tool, environments.python(name)))
            print(tool, {key: round(value, 2) for key, value in found[tool][-1].items()}, file=sys.stderr)
    print("| | version | lines | µs a call (p50) | p99 | seconds in all |\n|---|---|---:|---:|---:|---:|")
    for tool, rounds in found.items():
        at = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
        version = environments.versions(ENVIRONMENT[tool], [PACKAGE[tool]]).get(PACKAGE[tool], "")
        lines = lines_of(PROGRAMS / f"with_{tool}.py")
        print(f"| {tool} | {version} | {lines} | {at['p50']:.1f} | {at['p99']:.0f} | {at['process']:.1f} |")


if __name__ == "__main__":
    main()
