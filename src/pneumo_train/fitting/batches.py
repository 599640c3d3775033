"""From films in memory to batches: transforms that keep the anatomy, loaders that a seed repeats."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler
from torchvision.transforms import v2

from pneumo_train.fitting.exposing import exposed
from pneumo_train.images.films import Films


class _FilmDataset(Dataset[tuple[Tensor, Tensor]]):
    def __init__(self, films: Films, transform: v2.Transform) -> None:
        self._films = films
        self._transform = transform

    def __len__(self) -> int:
        return len(self._films)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        pixels = torch.tensor(self._films[index]).unsqueeze(0)
        return self._transform(pixels), torch.tensor(float(self._films.samples[index].target))


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
        num_workers: int = 0,
        balanced: bool = False,
    ) -> None:
        """Reads nothing yet.

        Args:
            train: what is learnt from, shuffled by the seed.
            validation: what is looked at after each epoch, in its own order and unchanged.
            batch_size: images a batch. A last training batch of one image is left out: batch normalisation cannot
                learn from one.
            seed: of the shuffling.
            augmentation_strength: 0 to 2; see :func:`augmentation`.
            exposure_strength: 0 to 2; see :func:`pneumo_train.fitting.exposing.exposed`.
            num_workers: processes that prepare images; 0 for none.
            balanced: draw as many positives as negatives, with repetitions; an epoch is as long.
        """
        super().__init__()
        self._train = _FilmDataset(train, augmentation(augmentation_strength))
        self._validation = _FilmDataset(validation, v2.ToDtype(torch.float32, scale=True))
        self._batch_size = batch_size
        self._seed = seed
        self._num_workers = num_workers
        self._exposure_strength = exposure_strength
        self._shares = _balance(train) if balanced else None

    def train_dataloader(self) -> DataLoader[Any]:
        """The training films, shuffled anew each epoch."""
        generator = torch.Generator().manual_seed(self._seed)
        shares = self._shares
        return DataLoader(
            self._train,
            batch_size=self._batch_size,
            shuffle=shares is None,
            sampler=None if shares is None else WeightedRandomSampler(shares, len(shares), generator=generator),
            drop_last=len(self._train) > self._batch_size and len(self._train) % self._batch_size == 1,
            generator=generator,
            num_workers=self._num_workers,
            persistent_workers=self._num_workers > 0,
        )

    def on_after_batch_transfer(self, batch: tuple[Tensor, Tensor], dataloader_idx: int) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - the hook's signature
        """Exposes a training batch otherwise, all its films at once; called by Lightning."""
        images, targets = batch
        is_learnt_from = self.trainer is not None and self.trainer.training
        return (exposed(images, self._exposure_strength) if is_learnt_from else images), targets

    def val_dataloader(self) -> DataLoader[Any]:
        """The validation films."""
        return DataLoader(
            self._validation,
            batch_size=self._batch_size,
            num_workers=self._num_workers,
            persistent_workers=self._num_workers > 0,
        )


def _balance(films: Films) -> list[float]:
    """What each film weighs in the draw, so that positives and negatives are drawn alike."""
    targets = [int(sample.target) for sample in films.samples]
    return [1 / targets.count(target) for target in targets]


def augmentation(strength: float) -> v2.Transform:
    """Small turns, shifts, zooms and changes of exposure, uint8 to float32 in [0, 1].

    Never a flip: the heart's side and the side marker are part of what a film says.

    Args:
        strength: 0 for none; 1 for turns to 7 degrees, shifts to 5 %, zooms to 10 % and exposure to 20 %.
    """
    to_float = v2.ToDtype(torch.float32, scale=True)
    if strength == 0:
        return to_float
    return v2.Compose(
        [
            v2.RandomAffine(
                degrees=7 * strength,
                translate=(0.05 * strength, 0.05 * strength),
                scale=(1 - 0.1 * strength, 1 + 0.1 * strength),
                interpolation=v2.InterpolationMode.BILINEAR,
            ),
            v2.ColorJitter(brightness=0.2 * strength, contrast=0.2 * strength),
            to_float,
        ]
    )
