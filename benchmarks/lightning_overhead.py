"""What a logger adds to each step of a Lightning training: ``python benchmarks/lightning_overhead.py``.

A tiny model is trained on one core, with three scalars logged in every step. Each round trains once with each logger,
in an order that changes from round to round; ``logger=False`` is the zero. The table gives the median over the rounds
of what is added per step, and the spread: by the clock, and in processor time of the training thread, which says more on
a machine that others use too. The last column is what the whole ``fit`` takes longer, the end of the run included
(closing a durable store drains its journal into the database). Loggers whose packages are not installed are left out,
and said so; all of them, pinned, stand in ``benchmarks/environments/lightning.txt``.
"""

import argparse
import importlib.util
import logging
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger, WandbLogger
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.places import Places
from runstore.lightning import RunStoreLogger

MakeLogger = Callable[[Path], Logger | bool]


class Tiny(LightningModule):
    """One linear layer, three scalars a step."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        loss: torch.Tensor = self.layer(batch[0]).square().mean()
        value = loss.detach()
        self.log_dict({"train_loss": value, "train_error": value + 1, "train_norm": value + 2})
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


class Stopwatch(Callback):
    """Seconds from the first step to the last, without set-up and end: by the clock and of this thread's work."""

    def __init__(self) -> None:
        self.clock_s = 0.0
        self.work_s = 0.0

    def on_train_start(self, *_: object) -> None:
        self.clock_s, self.work_s = -time.perf_counter(), -time.thread_time()

    def on_train_epoch_end(self, *_: object) -> None:
        self.clock_s += time.perf_counter()
        self.work_s += time.thread_time()


class Taken(NamedTuple):
    """Seconds that one training took."""

    clock_s: float
    work_s: float
    whole_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", help="part of a logger's name; may be repeated")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name in ("pytorch_lightning", "lightning_fabric", "mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)

    with tempfile.TemporaryDirectory(prefix="lightning-overhead-") as scratch, ExitStack() as stack:
        os.environ["RUNSTORE_STATE_DIR"] = str(Path(scratch) / "state")
        contestants = {
            name: make
            for name, make in loggers(Places(Path(scratch), stack)).items()
            if name == "none" or not options.only or any(part in name for part in options.only)
        }
        for make in contestants.values():
            train(make, steps=50, scratch=Path(scratch))
        taken: dict[str, list[Taken]] = {name: [] for name in contestants}
        for number in range(options.rounds):
            names = list(contestants)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                taken[name].append(train(contestants[name], steps=options.steps, scratch=Path(scratch)))
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
    report(taken, steps=options.steps)


def loggers(places: Places) -> dict[str, MakeLogger]:
    """The contestants, in the order of the table."""
    made: dict[str, MakeLogger] = {
        "none": lambda _folder: False,
        "RunStoreLogger, PostgreSQL": lambda _folder: RunStoreLogger(places.new("postgresql").url),
        "RunStoreLogger, SQLite": lambda _folder: RunStoreLogger(places.new("sqlite").url),
        "RunStoreLogger, SQLite, durable=False": lambda _folder: RunStoreLogger(
            places.new("sqlite").url, durable=False
        ),
        "CSVLogger": CSVLogger,
    }
    if _is_installed("tensorboard"):
        made["TensorBoardLogger"] = TensorBoardLogger
    if _is_installed("mlflow"):
        made["MLFlowLogger, SQLite"] = lambda folder: MLFlowLogger(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    if _is_installed("wandb"):
        made["WandbLogger, offline"] = lambda folder: WandbLogger(save_dir=folder, offline=True)
    return made


def _is_installed(package: str) -> bool:
    found = importlib.util.find_spec(package) is not None
    if not found:
        print(f"left out: {package} is not installed", file=sys.stderr)
    return found


def train(make: MakeLogger, *, steps: int, scratch: Path) -> Taken:
    folder = Path(tempfile.mkdtemp(dir=scratch))
    watch = Stopwatch()
    options: dict[str, Any] = {"enable_progress_bar": False, "enable_model_summary": False}
    trainer = Trainer(
        logger=make(folder),
        callbacks=[watch],
        max_epochs=1,
        log_every_n_steps=1,
        accelerator="cpu",
        enable_checkpointing=False,
        default_root_dir=folder,
        **options,
    )
    data = DataLoader(TensorDataset(torch.zeros(steps, 2)), batch_size=1)
    start = time.perf_counter()
    trainer.fit(Tiny(), data)
    return Taken(watch.clock_s, watch.work_s, time.perf_counter() - start)


def report(taken: dict[str, list[Taken]], *, steps: int) -> None:
    """The table: what is added to the training without a logger of the same round."""
    zeros = taken.pop("none")
    base = [statistics.median(getattr(zero, field) for zero in zeros) / steps * 1e6 for field in ("clock_s", "work_s")]
    print(
        f"\n{steps} steps, 3 scalars each, {len(zeros)} rounds; a step without a logger takes {base[0]:.0f} µs by the "
        f"clock and {base[1]:.0f} µs of work\n"
    )
    print("| logger | added per step by the clock, µs | of work, µs | the whole fit, ms longer |")
    print("|---|---|---|---|")
    for name, trainings in taken.items():
        pairs = list(zip(trainings, zeros, strict=True))
        clock = [(one.clock_s - zero.clock_s) / steps * 1e6 for one, zero in pairs]
        work = [(one.work_s - zero.work_s) / steps * 1e6 for one, zero in pairs]
        whole = [(one.whole_s - zero.whole_s) * 1e3 for one, zero in pairs]
        print(f"| {name} | {_spread(clock)} | {_spread(work)} | {_spread(whole)} |")


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


if __name__ == "__main__":
    main()
