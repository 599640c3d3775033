"""A program that is the server of a federation and is killed at three moments of a round, and once more before the run's end.

It is given a store's URL, a source and a folder. Each attempt is a process of its own, forked before anything was computed; the
last one is left alone, and so is another federation, made of the same.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pneumo_train.config.settings import load_config
from pneumo_train.federating.last import Last
from pneumo_train.federating.recording import Record
from pneumo_train.federating.values import Request
from pneumo_train.fitting.examined import Examiner
from runstore import open_store
from support.federations import SMALL, lead_two

TINY = {
    "seed": 3,
    "data.image_size": 32,
    "data.patient_column": "source_patient",
    "data.validation_fraction": 0.3,
    "training.batch_size": 8,
    "training.threads": 1,
    "training.accelerator": "cpu",
}


def die(*_: object) -> Any:
    """Ends this process as a machine that is switched off does."""
    os.kill(os.getpid(), signal.SIGKILL)


def lead(run_id: str, meddle: Callable[[Request], None] = lambda _request: None) -> None:
    """Leads a federation of three rounds, or goes on with it."""
    url, source, folder = sys.argv[1:]
    with open_store(url, durable=False) as store:
        config = load_config(overrides={**TINY, **SMALL})
        lead_two(store, config, Path(source), Path(folder), meddle, run_id=run_id, resume=True, num_rounds=3)


def die_while_a_client_trains() -> None:
    """In the first round, when one of two has answered."""
    lead("cut", lambda request: die() if (request.client, request.task) == ("client-1", "train") else None)


def die_before_the_record() -> None:
    """In the second round, when its weights are made and looked at."""
    keep = Record.keep
    Record.keep = lambda self, played: die() if played.number == 2 else keep(self, played)  # type: ignore[method-assign]
    lead("cut")


def die_after_the_record() -> None:
    """In the second round again, when all of it is in the store and nothing beside it."""
    write = Last.write
    Last.write = lambda self, folder: die() if self.number == 2 else write(self, folder)  # type: ignore[method-assign]
    lead("cut")


def die_after_the_last_round() -> None:
    """When all rounds are played, and what follows them is missing."""
    Examiner.examine = lambda *_: die()  # type: ignore[method-assign]
    lead("cut")


def main() -> None:
    """Does it all."""
    for attempt in (die_while_a_client_trains, die_before_the_record, die_after_the_record, die_after_the_last_round):
        child = os.fork()
        if child == 0:
            attempt()
            os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"{attempt.__name__} ended with {status}"
        assert os.WTERMSIG(status) == signal.SIGKILL
    lead("cut")
    lead("whole")


if __name__ == "__main__":
    main()
