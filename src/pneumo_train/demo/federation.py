"""A demonstration of a federation: three clients learn drawn films in rounds, one is killed, and the others go on.

``pneumo-train demo --federated true`` needs no data, no server and no network, and takes a minute or two on two CPU cores.
"""

import dataclasses
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from rich.console import Console

from pneumo_train.config.federation import FederationConfig, federation_of
from pneumo_train.config.settings import load_config
from pneumo_train.demo.phantoms import write_phantoms
from pneumo_train.federated import FederatedTrainer
from pneumo_train.federating.result import FederationResult
from pneumo_train.federating.telling import print_federation, print_rounds
from pneumo_train.federating.values import Answer, Engine, Request, Work
from pneumo_train.fitting.outputs import require_writable
from pneumo_train.terminal import quiet_lightning, track
from runstore import open_reader
from runstore.rounds import read_rounds

PATIENTS = 90
FILM_SIZE = 64
SEED = 7

DEMO_CONFIG = {
    "data.patient_column": "source_patient",
    "data.image_size": 48,
    "data.validation_fraction": 0.3,
    "model.architecture": "small",
    "training.batch_size": 16,
    "training.augmentation_strength": 0.5,
    "training.accelerator": "cpu",
}
DEMO_FEDERATION = {"num_clients": 3, "num_rounds": 3, "local_epochs": 2}
VICTIM, ITS_ROUND = "client-1", 2


def run_federated_demo(out: str | PathLike[str]) -> FederationResult:
    """Draws, trains at three clients, kills one in the second round, and shows the rounds that the store has then."""
    root = Path(out)
    require_writable(root, "out")
    films = root / f"phantoms-{PATIENTS}-{FILM_SIZE}-{SEED}"
    if not (films / "stage2_train_metadata.csv").is_file():  # it is written last: with it, the films are all there
        write_phantoms(
            films, patients=PATIENTS, size=FILM_SIZE, seed=SEED, track=track("drawing chest films", shown=True)
        )
    quiet_lightning()
    url = f"sqlite:///{root.resolve() / 'runs.db'}"
    result = _OneIsKilled(
        checkpoint_dir=root / "checkpoints",
        store=url,
        config=load_config(overrides=DEMO_CONFIG),
        federation=federation_of(DEMO_FEDERATION),
        progress=True,
    ).train(films, "federated-demo")
    Console().rule("read back from the store")
    with open_reader(url) as reader:
        print_rounds(tuple(read_rounds(reader, result.run_id)))
    print_federation(result, url, rounds=False)
    return result


@dataclasses.dataclass(frozen=True, slots=True)
class _Killed:
    """The work of clients, of which one is killed in one round."""

    work: Work

    def __call__(self, request: Request) -> Answer:
        if sys.platform != "win32" and (request.client, request.round) == (VICTIM, ITS_ROUND):
            os.kill(os.getpid(), signal.SIGKILL)  # its own process: nobody else comes to harm
        return self.work(request)


class _OneIsKilled(FederatedTrainer):
    @contextmanager
    def _engine(
        self, work: Work, names: list[str], federation: FederationConfig, trained: frozenset[str]
    ) -> Iterator[Engine]:
        with super()._engine(_Killed(work), names, federation, trained) as engine:
            yield engine
