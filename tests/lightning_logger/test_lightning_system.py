"""How the machine fares, on request."""

import threading
from collections.abc import Callable

import pytest
from pytorch_lightning import Trainer

from lightning_logger.models import StoppedModel
from runstore.lightning import RunStoreLogger
from runstore.memory.store import MemoryStore
from support.waiting import wait_until

pytestmark = pytest.mark.training

MakeTrainer = Callable[..., Trainer]


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "runstore-system-metrics"]


def test_readings_come_while_training_lasts_in_series_of_their_own(
    store: MemoryStore, make_trainer: MakeTrainer
) -> None:
    pytest.importorskip("psutil")
    logger = RunStoreLogger(store=store, system_metrics_s=0.01)
    seen: list[int] = []

    def wait_for_a_reading() -> None:
        assert len(watchers()) == 1
        wait_until(
            lambda: any(summary.name.startswith("system/") for summary in store.get_summaries(logger.run_id)),
            "a figure of the machine",
            pause_s=0.01,
        )
        seen.append(1)

    make_trainer(logger=logger).fit(StoppedModel(wait_for_a_reading))

    names = {summary.name for summary in store.get_summaries(logger.run_id)}
    memory = store.get_history(logger.run_id, "system/memory_percent", "other")
    assert seen == [1]
    assert {"system/cpu_percent", "system/memory_percent", "system/process_memory_mib", "system/disk_percent"} <= names
    assert 0 < memory.values[0] <= 100
    assert memory.steps[0] > 1_700_000_000
    assert watchers() == []


def test_without_the_request_nothing_is_read(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    logger = RunStoreLogger(store=store)

    make_trainer(logger=logger).fit(StoppedModel(lambda: None))

    assert not any(summary.name.startswith("system/") for summary in store.get_summaries(logger.run_id))
