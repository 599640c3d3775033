"""A client's work in a process of its own: how it ends, and who notices."""

import dataclasses
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from pneumo_train.errors import DataError, FederationError
from pneumo_train.federating.apart import Apart, workplace
from pneumo_train.federating.values import Answer, Request, Work
from pneumo_train.processors import processors

REQUEST = Request(
    task="train", round=1, client="anna", arrays={"weight": np.zeros(3, np.float32)}, learning_rate=0.1, timeout=60
)


@dataclasses.dataclass(frozen=True)
class Does:
    """What the request's client is called is what becomes of it."""

    folder: Path

    def __call__(self, request: Request) -> Answer:
        (self.folder / f"{request.client} {request.round}").write_text(str(os.getpid()))
        match request.client:
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "leaves":
                os.write(2, b"the driver is gone\n")
                os._exit(3)
            case "raises":
                raise OSError("the disk is full")
            case "refuses":
                raise DataError("film 7 cannot be read")
            case "sleeps":
                time.sleep(600)
        return Answer(client=request.client, num_examples=os.getpid(), metrics={}, arrays=request.arrays)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clients")


@pytest.fixture(scope="module")
def apart(folder: Path) -> Iterator[Apart]:
    with workplace(Does(folder), side_by_side=2) as work:
        yield work


@dataclasses.dataclass(frozen=True)
class CountsThreads:
    """Says how many threads torch is to take there."""

    def __call__(self, request: Request) -> Answer:
        return Answer(client=request.client, num_examples=int(os.environ["OMP_NUM_THREADS"]), metrics={}, arrays={})


@pytest.mark.parametrize(
    ("side_by_side", "threads", "own", "each"),
    [(2, 4, "", 2), (3, 2, "", 1), (1, 3, "2", 3), (2, None, "6", 3), (1, None, "none", processors())],
)
def test_clients_that_work_side_by_side_share_the_threads_that_there_are_to_be(
    monkeypatch: pytest.MonkeyPatch, side_by_side: int, threads: int | None, own: str, each: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", own)

    with workplace(CountsThreads(), side_by_side=side_by_side, threads=threads) as work:
        assert ask(work, "anna").num_examples == each


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process cannot be kept to some processors here")
def test_a_process_that_may_use_one_processor_counts_one() -> None:
    mine = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(mine)})
        assert processors() == 1
    finally:
        os.sched_setaffinity(0, mine)


def ask(work: Work, client: str, **changed: Any) -> Answer:
    return work(dataclasses.replace(REQUEST, client=client, **changed))


def test_each_request_is_done_in_a_process_of_its_own_and_arrays_come_back_as_they_went(apart: Work) -> None:
    first, second = ask(apart, "anna"), ask(apart, "anna")

    assert len({first.num_examples, second.num_examples, os.getpid()}) == 3
    assert np.array_equal(first.arrays["weight"], REQUEST.arrays["weight"])
    assert first.arrays["weight"].dtype == np.float32


ENDS = {
    "killed": "its process was ended by SIGKILL, without an answer",
    "leaves": "exit status 3, without an answer; it said last: the driver is gone",
    "raises": "OSError: the disk is full",
    "refuses": "film 7 cannot be read",
}


@pytest.mark.parametrize("client", ENDS)
def test_how_a_client_has_ended_is_told_and_the_next_is_served(apart: Work, client: str) -> None:
    with pytest.raises(FederationError) as caught:
        ask(apart, client)

    assert ENDS[client] in str(caught.value)
    assert ask(apart, "anna").client == "anna"


def test_a_client_that_takes_longer_than_it_may_is_stopped(apart: Work, folder: Path) -> None:
    with pytest.raises(FederationError, match=r"no answer within 0\.5 s; its process was stopped"):
        ask(apart, "sleeps", timeout=0.5)

    assert not _lives(folder / "sleeps 1")


def test_work_that_nobody_wants_any_more_is_stopped(apart: Apart, folder: Path) -> None:
    started = folder / "sleeps 3"

    with pytest.raises(FederationError, match="the server has given up what it had asked"):
        apart(dataclasses.replace(REQUEST, client="sleeps", round=3), started.exists)

    _wait_until(lambda: bool(started.read_text()) and not _lives(started))


def test_processes_of_clients_end_with_whoever_has_asked_and_with_the_federation(folder: Path) -> None:
    before = set(psutil.Process().children())
    with workplace(Does(folder), side_by_side=2) as work:
        (forking,) = set(psutil.Process().children()) - before
        asker = multiprocessing.get_context("spawn").Process(target=ask, args=(work, "sleeps"), kwargs={"round": 2})
        asker.start()
        started = folder / "sleeps 2"
        _wait_until(lambda: started.exists() and bool(started.read_text()))

        asker.kill()
        asker.join()

        _wait_until(lambda: not _lives(started))
    assert not forking.is_running()


@dataclasses.dataclass(frozen=True)
class Tells:
    """Writes down the environment that it finds."""

    folder: Path

    def __call__(self, request: Request) -> Answer:
        (self.folder / "environment").write_text(json.dumps(dict(os.environ)))
        return Answer(client=request.client, num_examples=1, metrics={}, arrays=request.arrays)


def test_no_client_has_anything_of_the_stores_in_its_environment_and_each_has_what_it_computes_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = {"RUNSTORE_URL": "postgresql://me:word@host/lab", "PGPASSWORD": "word", "AWS_SECRET_ACCESS_KEY": "word"}
    needed = {
        "CUDA_VISIBLE_DEVICES": "-1",
        "PNEUMO_TRAIN_CACHE_DIR": str(tmp_path / "cache"),
        "PATH": os.environ["PATH"],
    }
    for name, value in (secret | needed).items():
        monkeypatch.setenv(name, value)

    with workplace(Tells(tmp_path), side_by_side=2) as work:
        ask(work, "anna")

    found = json.loads((tmp_path / "environment").read_text())
    assert [name for name in secret if name in found] == []
    assert {name: found[name] for name in needed} == needed


def _lives(file: Path) -> bool:
    pid = int(file.read_text())
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _wait_until(happens: Callable[[], bool]) -> None:
    while not happens():
        time.sleep(0.01)
