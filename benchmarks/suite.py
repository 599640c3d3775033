"""Runs the plan: all contestants of a row in turn, round after round, each time in a fresh process."""

import fcntl
import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.environments import OURS, ROOT, Environments
from benchmarks.places import Place, Places
from benchmarks.plan import CONTESTANTS, Contestant, Row
from support.processes import ServerUnavailableError

Result = dict[str, Any]
TIMEOUT_S = 1_800


class WorkerFailedError(Exception):
    """A worker ended without a result; holds the end of what it printed."""


class Worker:
    """One process that is ready to be measured."""

    def __init__(self, python: Path, task: dict[str, Any], log: Path) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "OMP_NUM_THREADS": "1",
            "GIT_PYTHON_REFRESH": "quiet",
        }
        self._log = log
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [str(python), "-m", "benchmarks.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=log.parent,
                env=environment,
                text=True,
            )
        self._say(json.dumps(task))
        self._hear()

    def go(self) -> None:
        """Starts the clock."""
        self._say("go")

    def result(self) -> Result:
        """What was measured; the process has ended then."""
        found = self._hear()
        self.end()
        return found

    def end(self) -> None:
        """Waits for the process, which has nothing more to do."""
        with suppress(BrokenPipeError):
            self._process.communicate(timeout=TIMEOUT_S)
        if self._process.returncode == 0:
            self._log.unlink(missing_ok=True)

    def _say(self, line: str) -> None:
        with suppress(BrokenPipeError):  # its end is seen, with the reason, when it is listened to
            self._process.stdin.write(line + "\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]

    def _hear(self) -> Result:
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            self.end()
            raise WorkerFailedError(self._log.read_text(errors="replace").strip()[-600:] or "(printed nothing)")
        found: Result = json.loads(line)
        return found


class Suite:
    """One run: results go to ``report`` as they come."""

    def __init__(
        self,
        environments: Environments,
        places: Places,
        directory: Path,
        report: Callable[[Result], None],
        *,
        lock: Path | None = None,
    ) -> None:
        self._environments = environments
        self._places = places
        self._directory = directory
        self._report = report
        self._lock = lock
        self._stores: dict[tuple[Any, ...], Place | None] = {}

    def prepare(self, rows: Iterable[Row], takes_part: Callable[[str], bool], *, at_once: int) -> None:
        """Fills the stores that are read later; how long that takes does not matter, so several are filled at once."""
        wanted = {
            row.store_key(each): (row, CONTESTANTS[each])
            for row in rows
            if row.prepare
            for each in row.contestants
            if takes_part(each)
        }
        with ThreadPoolExecutor(at_once) as threads:
            futures = {key: threads.submit(self._filled, row, each) for key, (row, each) in wanted.items()}
        self._stores = {key: future.result() for key, future in futures.items()}

    def run(self, rows: Sequence[Row], takes_part: Callable[[str], bool], *, rounds: int, until: float) -> None:
        """Measures all rows, round after round, until a moment of ``time.time``.

        A contestant that fails in a row is reported as such and not tried again there.
        """
        failed: set[tuple[str, str]] = set()
        for number in range(rounds):
            for row in rows:
                if number >= (row.rounds or rounds):
                    continue
                playing = [each for each in row.contestants if takes_part(each)]
                shift = number % max(len(playing), 1)  # who comes first changes from round to round
                with _held(self._lock, fcntl.LOCK_EX):
                    for each in [*playing[shift:], *playing[:shift]]:
                        if time.time() > until:
                            return
                        if (row.id, each) not in failed and not self._measured(row, CONTESTANTS[each], number):
                            failed.add((row.id, each))

    def _filled(self, row: Row, contestant: Contestant) -> Place | None:
        with _held(self._lock, fcntl.LOCK_SH):
            return self._prepared(row, contestant)

    def _prepared(self, row: Row, contestant: Contestant) -> Place | None:
        place = None
        try:
            place = self._places.new(contestant.backend)
            worker = self._worker(contestant, row.prepare or "", row, place)
            worker.go()
            result = worker.result()
            place.settle()
        except (WorkerFailedError, ServerUnavailableError) as error:
            self._report(_failure(row, contestant, 0, error))
            if place is not None:
                place.release()
            return None
        self._report({"row": f"{row.id}:prepare", "contestant": contestant.id, "round": 0, **result})
        return place

    def _measured(self, row: Row, contestant: Contestant, number: int) -> bool:
        store = self._stores[row.store_key(contestant.id)] if row.prepare else None
        if row.prepare and store is None:
            return False  # reported when it was prepared
        place = None
        try:
            place = store or self._places.new(contestant.backend)
            result = self._together(row, contestant, place)
            if row.measures_disk:
                result["disk_bytes"] = place.size()
        except (WorkerFailedError, ServerUnavailableError) as error:
            self._report(_failure(row, contestant, number, error))
            return False
        finally:
            if store is None and place is not None:
                place.release()
        self._report({"row": row.id, "contestant": contestant.id, "round": number, **result})
        return True

    def _together(self, row: Row, contestant: Contestant, place: Place) -> Result:
        workers: list[Worker] = []
        try:
            # One after the other: how stores are opened at once is a matter of the tests.
            workers.extend(self._worker(contestant, row.workload, row, place) for _ in range(row.workers))
            for worker in workers:
                worker.go()
            results = [worker.result() for worker in workers]
        except BaseException:
            for worker in workers:
                worker.end()
            raise
        if len(results) == 1:
            return _plain(results[0], row)
        began, ended = (choose(result[key] for result in results) for choose, key in ((min, "began"), (max, "ended")))
        merged = {key: sum(result[key] for result in results) for key in ("n", "cpu_s", "peak_rss_mb", "stored")}
        return _plain({**merged, "seconds": ended - began}, row)

    def _worker(self, contestant: Contestant, workload: str, row: Row, place: Place) -> Worker:
        task = {
            "workload": workload,
            "contestant": contestant.place,
            "place": place.as_task(),
            "options": row.options,
        }
        python = self._environments.python(contestant.environment)
        return Worker(python, task, self._directory / f"worker-{secrets.token_hex(4)}.log")

    def imports(self, rounds: int) -> None:
        """Times starting the interpreter, importing the package, and the command's help."""
        python = self._environments.python(OURS)
        commands = {
            "python -c pass": [str(python), "-c", "pass"],
            "import runstore": [str(python), "-c", "import runstore"],
            "runstore --help": [str(python.parent / "runstore"), "--help"],
        }
        for number in range(-1, rounds):  # the first time fills the file cache
            for name, command in commands.items():
                began = time.monotonic()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                if number >= 0:
                    seconds = time.monotonic() - began
                    self._report({"row": "import", "contestant": name, "round": number, "n": 1, "seconds": seconds})


@contextmanager
def _held(file: Path | None, kind: int) -> Iterator[None]:
    if file is None:
        yield
        return
    with file.open("a") as opened:
        fcntl.flock(opened, kind)
        yield


def _plain(result: Result, row: Row) -> Result:
    kept = {key: value for key, value in result.items() if key not in {"began", "ended"}}
    if row.workload in {"ingest", "single"}:
        kept["is_right"] = kept.pop("stored") == kept["n"]
    return kept


def _failure(row: Row, contestant: Contestant, number: int, error: Exception) -> Result:
    return {"row": row.id, "contestant": contestant.id, "round": number, "error": str(error)}
