"""From films in memory to batches: transforms that keep the anatomy, loaders that a seed repeats."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from pneumo_train.fitting.exposing import exposed
from pneumo_train.fitting.moving import moved
from pneumo_train.fitting.seeds import seed_of
from pneumo_train.images.films import Films

Place = tuple[int, int, list[int]]
"""Of a batch: its epoch, its number in the epoch, and the images in it."""


class _FilmDataset(Dataset[tuple[Tensor, Tensor]]):
    """Whole batches. Each draws its chance from its own place, so that neither what was drawn before nor who prepares it matters."""

    def __init__(self, films: Films, seed: int, *, strength: float = 0.0, plain_share: float = 0.0) -> None:
        self._films = films
        self._seed = seed
        self._strength = strength
        self._plain_share = plain_share

    def __len__(self) -> int:
        return len(self._films)

    def __getitem__(self, place: Place) -> tuple[Tensor, Tensor]:
        epoch, number, indices = place
        targets = [float(self._films.samples[index].target) for index in indices]
        films = torch.from_numpy(np.stack([self._films[index] for index in indices]))
        generator = torch.Generator().manual_seed(seed_of(self._seed, epoch, number))
        images = films.unsqueeze(1).float().div_(255)
        changed = partial(moved, strength=self._strength, generator=generator)
        return _but_for_plain(images, self._plain_share, changed), torch.tensor(targets)


class _Batches(Sampler[Place]):
    """Which images lie in which batch of an epoch.

    Args:
        count: of the images.
        batch_size: images a batch.
        order: draws the images of an epoch, in order, from a generator.
        seed: of the drawing.
        epoch: tells the epoch that begins.
        skips_one: whether a last batch of one image is left out.
    """

    def __init__(  # noqa: PLR0913 - keyword-only
        self,
        *,
        count: int,
        batch_size: int,
        order: Callable[[torch.Generator], list[int]],
        seed: int,
        epoch: Callable[[], int],
        skips_one: bool,
    ) -> None:
        self._starts = range(
            0, count - 1 if skips_one and count > batch_size and count % batch_size == 1 else count, batch_size
        )
        self._batch_size = batch_size
        self._order = order
        self._seed = seed
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Place]:
        epoch = self._epoch()
        order = self._order(torch.Generator().manual_seed(seed_of(self._seed, epoch)))
        for number, start in enumerate(self._starts):
            yield epoch, number, order[start : start + self._batch_size]


class PneumoDataModule(pl.LightningDataModule):
    """Films for training and validation as batches of (images, targets).

    Images are float32 of shape (N, 1, size, size) in [0, 1]; targets float32 of shape (N,).
    """

    def __init__(  # noqa: PLR0913 - keyword-only
        self,
        *,
        train: Films,
        validation: Films,
        batch_size: int,
        seed: int,
        augmentation_strength: float = 1.0,
        exposure_strength: float = 0.0,
        plain_share: float = 0.0,
        num_workers: int = 0,
        balanced: bool = False,
        first_epoch: int = 0,
    ) -> None:
        """Reads nothing yet.

        Args:
            train: what is learnt from, shuffled by the seed.
            validation: what is looked at after each epoch, in its own order and unchanged.
            batch_size: images a batch. A last training batch of one image is left out: batch normalisation cannot
                learn from one.
            seed: of the shuffling and the augmentation.
            augmentation_strength: 0 to 2; see :func:`pneumo_train.fitting.moving.moved`.
            exposure_strength: 0 to 2; see :func:`pneumo_train.fitting.exposing.exposed`.
            plain_share: 0 to below 1; the share of each batch that is neither moved nor exposed.
            num_workers: processes that prepare images; 0 for none.
            balanced: draw as many positives as negatives, with repetitions; an epoch is as long.
            first_epoch: where training begins, or goes on: Lightning may begin to read before it knows.
        """
        super().__init__()
        self._train = _FilmDataset(train, seed, strength=augmentation_strength, plain_share=plain_share)
        self._validation = _FilmDataset(validation, seed)
        self._batch_size = batch_size
        self._seed = seed
        self._num_workers = num_workers
        self._exposure_strength = exposure_strength
        self._plain_share = plain_share
        self._first_epoch = first_epoch
        self._shares = _balance(train) if balanced else None

    def train_dataloader(self) -> DataLoader[Any]:
        """The training films, shuffled anew each epoch: by the seed and the epoch's number alone."""
        return self._loader(self._train, self._drawn, epoch=self._epoch, skips_one=True)

    def on_after_batch_transfer(self, batch: tuple[Tensor, Tensor], dataloader_idx: int) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - the hook's signature
        """Exposes a training batch otherwise, all its films but the plain ones at once; called by Lightning."""
        images, targets = batch
        is_learnt_from = self.trainer is not None and self.trainer.training
        if not is_learnt_from:
            return images, targets
        return _but_for_plain(images, self._plain_share, partial(exposed, strength=self._exposure_strength)), targets

    def val_dataloader(self) -> DataLoader[Any]:
        """The validation films."""
        count = len(self._validation)
        return self._loader(self._validation, lambda _: list(range(count)), epoch=lambda: 0, skips_one=False)

    def _epoch(self) -> int:
        return self._first_epoch if self.trainer is None else max(self._first_epoch, self.trainer.current_epoch)

    def _drawn(self, generator: torch.Generator) -> list[int]:
        if self._shares is None:
            drawn = torch.randperm(len(self._train), generator=generator)
        else:
            drawn = torch.multinomial(self._shares, len(self._shares), replacement=True, generator=generator)
        order: list[int] = drawn.tolist()
        return order

    def _loader(
        self,
        films: _FilmDataset,
        order: Callable[[torch.Generator], list[int]],
        *,
        epoch: Callable[[], int],
        skips_one: bool,
    ) -> DataLoader[Any]:
        batches = _Batches(
            count=len(films),
            batch_size=self._batch_size,
            order=order,
            seed=self._seed,
            epoch=epoch,
            skips_one=skips_one,
        )
        return DataLoader(
            films,
            batch_size=None,
            sampler=batches,
            # Of its own: from the common one each reading draws a number, with which all that follows it would change.
            generator=torch.Generator().manual_seed(self._seed),
            num_workers=self._num_workers,
            persistent_workers=self._num_workers > 0,
        )


def _but_for_plain(images: Tensor, share: float, changed: Callable[[Tensor], Tensor]) -> Tensor:
    """A batch with its first films as they are and the others changed: its order is drawn, and the same films stay plain in every step."""
    plain = round(share * len(images))
    if plain >= len(images):
        return images
    return torch.cat([images[:plain], changed(images[plain:])]) if plain else changed(images)


def _balance(films: Films) -> Tensor:
    """What each film weighs in the draw, so that positives and negatives are drawn alike."""
    targets = [int(sample.target) for sample in films.samples]
    shares = {target: 1 / targets.count(target) for target in set(targets)}
    return torch.tensor([shares[target] for target in targets], dtype=torch.float64)
