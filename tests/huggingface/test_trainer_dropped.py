"""A callback that nobody holds any more keeps no thread and no file, also where its training never ended."""

import gc
import threading
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")
pytestmark = pytest.mark.training

from transformers import TrainerControl, TrainerState, TrainingArguments  # noqa: E402

from runstore.huggingface import RunStoreCallback  # noqa: E402
from runstore.opening.stores import open_reader  # noqa: E402


def of_ours() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("runstore")}


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("options", [{}, {"durable": False}, {"system_metrics_s": 0.05}])
def test_callbacks_that_are_dropped_keep_no_thread_and_no_file(options: dict[str, Any], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"

    def train(number: int) -> None:
        callback = RunStoreCallback(url, experiment="e", run_id=f"run-{number}", **options)
        arguments = TrainingArguments(output_dir=str(tmp_path / "out"), use_cpu=True, report_to="none")
        state, control = TrainerState(), TrainerControl()
        callback.on_train_begin(arguments, state, control)
        callback.on_log(arguments, state, control, logs={"loss": 1.0})

    files, others = open_files(), of_ours()
    for number in range(5):
        train(number)
    deadline = time.monotonic() + 120
    gc.collect()
    while (of_ours() - others or open_files() >= files + 5) and time.monotonic() < deadline:
        time.sleep(0.05)
        gc.collect()  # a heartbeat under way may leave its connection to the collector

    assert of_ours() <= others
    assert open_files() < files + 5
    with open_reader(url) as reader:
        assert len(reader.search_runs().items) == 5
