"""Programs that run as another user of this machine, which only root may start."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

NOBODY: Final = 65534
OWNER: Final = 65533

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")

_PRELUDE: Final = """
import os, sys, tempfile
from runstore import MetricPoint, open_reader, open_store
from runstore.errors import RunStoreError

def log(store, step):
    store.log_metrics("run", [MetricPoint(name="loss", value=1.0, step=step)])

# Everything is imported before root is left: another user may not be allowed to read where the packages lie.
with tempfile.TemporaryDirectory() as folder:
    state, os.environ["RUNSTORE_STATE_DIR"] = os.environ["RUNSTORE_STATE_DIR"], folder
    for durable in (False, True):
        with open_store(f"sqlite:///{folder}/{durable}.db", durable=durable) as store:
            store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
            log(store, 0)
            store.finalize("run", "completed")
            store.search_runs(), store.get_summaries("run"), store.get_history("run", "loss", "other")
    with open_reader(f"sqlite:///{folder}/True.db") as reader:
        reader.search_runs()
    os.environ["RUNSTORE_STATE_DIR"] = state
user, url = int(sys.argv[1]), sys.argv[2]
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)

def say(*words):
    print(*words, flush=True)
"""


def let_through(folder: Path) -> None:
    """Lets every user pass through to a folder, and does not let them read what lies on the way."""
    for each in (folder, *folder.parents):
        if each != Path("/") and each.stat().st_uid == os.geteuid():
            each.chmod(each.stat().st_mode | 0o111)


class Program:
    """A program of one user; its lines are read one by one, and it goes on when it is told to."""

    def __init__(self, text: str, *, user: int, url: str, state: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PRELUDE + text, str(user), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "RUNSTORE_STATE_DIR": str(state)},
        )

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def rest(self) -> list[str]:
        """What it says until its end."""
        return self._process.communicate("\n")[0].splitlines()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def run_as(user: int, text: str, *, url: str, state: Path) -> list[str]:
    """What a program of this user says."""
    return Program(text, user=user, url=url, state=state).rest()
