"""What the trainer adds to an epoch: ``python -m benchmarks.trainer_epoch [FILMS] [SIZE] [EPOCHS]``.

An epoch of ``pneumo-train``, whole (Lightning, the metrics, the checkpoints, the rows of metrics in a SQLite store through the
recorder), and in turn with it, in one process, an epoch of a bare PyTorch loop: the same network and optimiser, the
same batches of the same loaders, forward, backward, the norm of the gradient, the step, and the validation with its loss. Both train a
ResNet-18 with the usual augmentation on one thread. The first epoch of both is left out. Of a machine that does other things, too, the
processor's time is to be believed, not the clock.

Then the films alone: drawn at 1,024 x 1,024 pixels, decoded in each epoch, and out of the cache in the second epoch.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from PIL import Image
from torch import nn

from pneumo_train.cache import CacheFolder, load_cached
from pneumo_train.collector import MetricsCollectorCallback
from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.fitting.batches import PneumoDataModule
from pneumo_train.fitting.fitting import Fitting, torch_set_up
from pneumo_train.fitting.last import Origin
from pneumo_train.images.films import Films
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.network.rates import adamw
from pneumo_train.preparing.leaks import find_leaks
from pneumo_train.preparing.reading import DecodedSplit
from pneumo_train.samples import Sample, Split
from pneumo_train.terminal import quiet_lightning
from runstore import open_store
from runstore.training import RunSession


def drawn(count: int, size: int) -> Films:
    """Films of noise, half of them brighter and positive."""
    generator = np.random.default_rng(count)
    samples = tuple(
        Sample(image_id=str(number), path=Path(f"{number}.png"), target=number % 2, patient=str(number))
        for number in range(count)
    )
    pixels = generator.integers(0, 200, (count, size, size), dtype=np.uint8)
    pixels[1::2] += 20
    return Films(samples=samples, size=size, pixels=pixels, hashes=tuple(sample.image_id for sample in samples))


_Times = tuple[float, float]
"""By the clock, and of the processor: of this process and of its threads, as the recorder's."""


def _now() -> _Times:
    return time.perf_counter(), time.process_time()


def _since(before: _Times) -> _Times:
    clock, processor = _now()
    return clock - before[0], processor - before[1]


class Bare:
    """The same training without anything around it."""

    def __init__(self, config: TrainConfig, data: PneumoDataModule) -> None:
        self._model, self._data = LitClassifier.from_config(config), data
        self._optimizer = adamw(self._model.head, self._model.backbone, config.optimizer)

    def epoch(self) -> None:
        """Trains and validates once."""
        model = self._model
        model.train()
        for images, targets in self._data.train_dataloader():
            self._optimizer.zero_grad()
            model.loss(model(images), targets).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            self._optimizer.step()
        model.eval()
        with torch.inference_mode():
            for images, targets in self._data.val_dataloader():
                float(model.loss(model(images), targets))


class InTurn(pl.Callback):
    """Does a bare epoch before each epoch of the trainer, and takes the time of both."""

    def __init__(self, bare: Bare) -> None:
        self._bare = bare
        self._began: _Times | None = None
        self.whole: list[_Times] = []
        self.bare: list[_Times] = []

    def on_train_epoch_start(self, *_: Any) -> None:
        self._turn()

    def on_train_end(self, *_: Any) -> None:
        self._turn()

    def _turn(self) -> None:
        if self._began is not None:
            self.whole.append(_since(self._began))
        before = _now()
        self._bare.epoch()
        self._began = _now()
        self.bare.append(_since(before))


def epochs(folder: Path, count: int, size: int, how_many: int) -> None:
    """Prints how long both take."""
    train, validation = drawn(count, size), drawn(count // 4, size)
    config = load_config(
        overrides={
            "data.image_size": size,
            "training.max_epochs": how_many + 1,
            "training.accelerator": "cpu",
            "training.threads": 1,
            "training.early_stopping_patience": 0,
        }
    )
    data = PneumoDataModule(train=train, validation=validation, batch_size=config.training.batch_size, seed=1)
    split = Split(train=train.samples, validation=validation.samples)
    films = DecodedSplit(
        train=train, validation=validation, test=None, leaks=find_leaks({}), data_hash="", notes=()
    )  # fmt: skip
    with torch_set_up(config), open_store(f"sqlite:///{folder / 'runs.db'}") as store:
        session = RunSession(store, experiment="benchmark")
        session.begin()
        turns = InTurn(Bare(config, data))
        collector = MetricsCollectorCallback(folder, run_id=session.run_id, session=session)
        fitting = Fitting(
            config=config,
            split=split,
            checkpoint_dir=folder / "checkpoints",
            callbacks=[collector, turns],
            progress=False,
        )
        fitting.fit(films, Origin(run_id=session.run_id, config={}, split="", data_set=""))
        session.end_with(None)
    print(f"{count:,} + {count // 4:,} films of {size} pixels, median of {how_many} epochs, in turn")
    for place, kind in enumerate(("the clock", "the processor")):
        whole, bare = (
            statistics.median(times[place] for times in some) for some in (turns.whole[1:], turns.bare[1:-1])
        )
        print(
            f"  by {kind:13}  trainer {whole:6.2f} s, bare loop {bare:6.2f} s, added {100 * (whole / bare - 1):+.1f} %"
        )


def films(folder: Path, count: int) -> None:
    """Prints how long reading each film once takes, decoded each time and out of the cache."""
    smooth = Image.effect_noise((64, 64), 60).resize((1024, 1024), Image.Resampling.BICUBIC)
    samples = []
    for number in range(count):
        path = folder / f"{number}.png"
        smooth.rotate(number).save(path, compress_level=1)
        samples.append(Sample(image_id=path.stem, path=path, target=0, patient=path.stem))
    decoding, _ = load_cached(samples, size=224, cache_mib=0, folder=None)
    cached, _ = load_cached(
        samples, size=224, cache_mib=0, folder=CacheFolder(path=folder / "decoded", most_bytes=1 << 30)
    )  # fmt: skip
    took = {}
    for name, some in (("decoded each epoch", decoding), ("out of the cache", cached)):
        before = time.perf_counter()
        for index in range(count):
            some[index].sum()
        took[name] = time.perf_counter() - before
    print(f"{count} films of 1,024 pixels at 224, one after the other")
    for name, seconds in took.items():
        print(f"  {name:18} {1000 * seconds / count:7.3f} ms a film")
    print(f"  times as fast      {took['decoded each epoch'] / took['out of the cache']:7.0f}")


def main() -> None:
    count, size, how_many = (int(given) for given in [*sys.argv[1:4], *("512", "128", "3")[len(sys.argv) - 1 :]])
    quiet_lightning()
    with tempfile.TemporaryDirectory() as folder:
        films(Path(folder), 60)
        epochs(Path(folder), count, size, how_many)


if __name__ == "__main__":
    main()
