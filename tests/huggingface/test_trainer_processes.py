"""Trainings in processes of their own: two ranks, a program that ends by an exception, Ctrl-C, a process that is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("transformers")
pytestmark = pytest.mark.training

from runstore.model import Run  # noqa: E402
from runstore.opening.stores import open_reader, open_store  # noqa: E402
from support.waiting import wait_until  # noqa: E402

SCRIPT = """
import atexit, os, sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)
from huggingface.tiny import tiny_trainer
from runstore.huggingface import RunStoreCallback

@atexit.register
def end_group():  # PyTorch asks it of each program: gloo's threads that are there when Python ends may abort the process
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()

def act():
    Path("acts").touch()
    while "WAIT" in os.environ:
        time.sleep(0.05)
    if os.environ.get("CRASH") == os.environ.get("RANK", "0"):
        raise ValueError("out of memory")

callback = RunStoreCallback(sys.argv[1], experiment="tiny", durable=False)
trainer = tiny_trainer(Path(), None if "LATER" in os.environ else callback, act=act, **({"ddp_backend": "gloo"} if "RANK" in os.environ else {}))
if "LATER" in os.environ:
    trainer.add_callback(callback)
trainer.train()
Path(f"rank-{trainer.args.process_index}").write_text(f"{callback.session is not None} {'sqlalchemy' in sys.modules}")
"""
TESTS = Path(__file__).resolve().parents[1]


def start(folder: Path, *launcher: str, **environment: str) -> subprocess.Popen[str]:
    script = folder / "train.py"
    script.write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, *launcher, str(script), f"sqlite:///{folder}/runs.db"],
        cwd=folder,
        env=dict(os.environ) | {"PYTHONPATH": str(TESTS)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_of(folder: Path) -> Run:
    with open_reader(f"sqlite:///{folder}/runs.db") as reader:
        (run,) = reader.search_runs().items
        return run


TWO_RANKS = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def test_two_ranks_make_one_run_and_only_rank_zero_touches_the_store(tmp_path: Path) -> None:
    done = start(tmp_path, *TWO_RANKS)
    output, _ = done.communicate()

    assert done.returncode == 0, output
    assert run_of(tmp_path).status == "completed"
    assert (tmp_path / "rank-0").read_text() == "True True"
    assert (tmp_path / "rank-1").read_text().startswith("False")
    with open_store(f"sqlite:///{tmp_path}/runs.db", durable=False) as store:
        assert list(store.get_history(run_of(tmp_path).id, "loss", "train").steps) == [1, 2]


@pytest.mark.parametrize("when", [{}, {"LATER": "1"}])
def test_a_program_that_ends_by_an_exception_has_a_failed_run(when: dict[str, str], tmp_path: Path) -> None:
    done = start(tmp_path, CRASH="0", **when)
    done.communicate()

    run = run_of(tmp_path)
    assert done.returncode == 1
    assert run.failure is not None
    assert (run.status, run.attempt, run.failure.message) == ("failed", 1, "out of memory")


def test_ctrl_c_interrupts_the_run(tmp_path: Path) -> None:
    done = start(tmp_path, WAIT="1")
    wait_until(lambda: (tmp_path / "acts").exists() or done.poll() is not None, "the first step", at_most_s=240)

    done.send_signal(signal.SIGINT)
    output, _ = done.communicate()

    assert run_of(tmp_path).status == "interrupted", output
