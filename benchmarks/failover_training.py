"""A training that logs while its database fails over or goes back, and what is missing of it afterwards."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from runstore import MetricPoint, RunReader, RunStoreError, open_reader, open_store
from runstore.errors import StoreUnavailableError

_PAUSE_S = 0.002
_PATIENCE_S = 180


class Training:
    """Logs to one run all the time, and makes a second run, whole and ended, when it is told to; measures each call."""

    def __init__(self, url: str, folder: Path, *, is_recorded: bool) -> None:
        self.runs: list[str] = []
        self.points: dict[str, int] = {}
        self.whole: list[str] = []
        self.raised: list[str] = []
        self.longest_s = 0.0
        self._answered = 0
        self.pausing = threading.Lock()
        self._weights = folder / "weights"
        self._weights.write_bytes(b"weights" * 1000)
        self._is_recorded = is_recorded
        self._store: Any = open_store(url, durable=is_recorded)
        self._asked = threading.Semaphore(0)
        self._made = threading.Event()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._train)

    def __enter__(self) -> Self:
        self._begin()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Ends both runs and the store; no error of it is passed over but those of calls, which are counted."""
        self._is_over.set()
        self._thread.join()
        self._end(self.runs[0])
        self._call(self._store.close)

    def wait_for(self, more: int) -> None:
        """Returns once so many more points were acknowledged or refused."""
        wanted = self._answered + more
        deadline = time.monotonic() + _PATIENCE_S
        while self._answered < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no call returns; raised: {self.raised[-3:]}")
            time.sleep(0.01)

    def settle(self) -> None:
        """Returns once the database has acknowledged what the training was told is kept."""
        if self._is_recorded:
            self._store.flush(deadline_s=_PATIENCE_S)

    def make_another(self) -> None:
        """A run that begins, logs and ends now."""
        self._asked.release()
        if not self._made.wait(_PATIENCE_S):
            raise TimeoutError("the second run was not made")

    def _train(self) -> None:
        while not self._is_over.is_set():
            with self.pausing:
                self._log(self.runs[0])
                if self._asked.acquire(blocking=False):
                    self._begin()
                    for _ in range(50):
                        self._log(self.runs[1])
                    self._end(self.runs[1])
                    self._made.set()
            time.sleep(_PAUSE_S)

    def _begin(self) -> None:
        experiment_id = self._call(lambda: self._store.get_or_create_experiment("failovers"))
        run_id = self._call(lambda: self._store.ensure_run(experiment_id, name=f"run {len(self.runs)}"))
        self._call(lambda: self._store.log_config(run_id, {"lr": 0.1}))
        self.points[run_id] = 0
        self.runs.append(run_id)

    def _log(self, run_id: str) -> None:
        step = self.points[run_id]
        point = MetricPoint("loss", float(step), step, "train")
        if self._call(lambda: self._store.log_metrics(run_id, [point]) or True):
            self.points[run_id] += 1
        self._answered += 1

    def _end(self, run_id: str) -> None:
        kept = self._call(lambda: self._store.log_artifact(run_id, self._weights))
        ended = self._call(lambda: self._store.finalize(run_id, "completed") or True)
        if kept and ended:
            self.whole.append(run_id)

    def _call(self, call: Callable[[], Any]) -> Any:
        """What a call gives, asked again while the store is away, as a program without a recorder must; ``None`` if refused."""
        begun = time.monotonic()
        try:
            while True:
                try:
                    return call()
                except StoreUnavailableError:
                    if time.monotonic() - begun > _PATIENCE_S:
                        raise
        except RunStoreError as error:
            self.raised.append(f"{type(error).__name__}: {error}")
            return None
        finally:
            self.longest_s = max(self.longest_s, time.monotonic() - begun)


def missing_of(training: Training, url: str) -> dict[str, Any]:
    """What a reader finds of a training, beside what the training was told."""
    found = {"acknowledged": 0, "lost": 0, "twice": 0, "runs": 0, "configs": 0, "artifacts": 0, "ends": 0}
    with open_reader(url) as reader:
        for run_id in training.runs:
            _add(found, reader, run_id, training.points[run_id], is_whole=run_id in training.whole)
    longest_ms = round(training.longest_s * 1000, 1)
    return {**found, "longest_ms": longest_ms, "raised": sorted({each.partition(":")[0] for each in training.raised})}


def _add(found: dict[str, int], reader: RunReader, run_id: str, acknowledged: int, *, is_whole: bool) -> None:
    found["acknowledged"] += acknowledged
    if not any(True for _ in reader.iter_runs(f"id = '{run_id}'")):
        found["runs"] += 1
        found["lost"] += acknowledged
        found["configs"] += 1
        found["artifacts"] += is_whole
        found["ends"] += is_whole
        return
    steps = list(reader.get_history(run_id, "loss", "train").steps)
    counted = sum(each.count for each in reader.get_summaries(run_id))
    found["lost"] += len(set(range(acknowledged)) - set(steps))
    found["twice"] += len(steps) - len(set(steps)) + abs(counted - len(steps))
    found["configs"] += reader.get_config(run_id) != {"lr": 0.1}
    found["artifacts"] += is_whole and not _has_weights(reader, run_id)
    found["ends"] += is_whole and reader.get_run(run_id).status != "completed"


def _has_weights(reader: RunReader, run_id: str) -> bool:
    try:
        with reader.open_artifact(run_id, "weights") as file:
            return file.read() == b"weights" * 1000
    except RunStoreError:
        return False
