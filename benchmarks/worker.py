"""One measurement in a fresh process: reads a task, gets ready, waits for "go", and prints its result as JSON.

Runs in the contestant's own environment, which holds nothing of ours: standard library only.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    reply = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a contestant prints must not mix with the result
    task = json.loads(sys.stdin.readline())
    work = getattr(importlib.import_module("benchmarks.workloads"), task["workload"])
    module, _, name = task["contestant"].partition(":")
    contestant = getattr(importlib.import_module(f"benchmarks.contestants.{module}"), name)(task["place"])
    measured = work(contestant, task["options"])
    _send(reply, {"ready": True})
    if sys.stdin.readline().strip() == "go":
        _send(reply, _measure(measured))
    contestant.close()


def _measure(measured: Any) -> dict[str, Any]:
    cpu, began = time.process_time(), time.monotonic()
    result: dict[str, Any] = measured()
    ended = time.monotonic()
    used = {
        "began": began,
        "ended": ended,
        "seconds": ended - began,
        "cpu_s": time.process_time() - cpu,
        "peak_rss_mb": _peak_mb(),
    }
    check = result.pop("check", None)
    if check is not None:
        result |= check()
    return used | result


def _peak_mb() -> float:
    # getrusage would count what the parent held when this process was forked.
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) / 1024


def _send(reply: Any, message: dict[str, Any]) -> None:
    reply.write(json.dumps(message) + "\n")
    reply.flush()


if __name__ == "__main__":
    main()
