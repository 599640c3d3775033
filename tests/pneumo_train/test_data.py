"""Batches: the same for a seed, augmented for training alone, never flipped."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pneumo_train.fitting.batches import PneumoDataModule, augmentation
from pneumo_train.images.films import Films
from pneumo_train.samples import Sample

pytestmark = pytest.mark.training


def films_of(count: int, *, one_positive_of: int = 2) -> Films:
    samples = tuple(
        Sample(image_id=str(i), path=Path(f"{i}.png"), target=int(i % one_positive_of == 1), patient=str(i))
        for i in range(count)
    )
    pixels = np.zeros((count, 32, 32), np.uint8)
    pixels[:, 4:12, 4:12] = np.arange(100, 100 + count, dtype=np.uint8)[:, None, None]
    return Films(samples=samples, size=32, pixels=pixels, hashes=tuple(str(index) for index in range(len(samples))))


def module_of(count: int, *, seed: int = 1, batch_size: int = 4) -> PneumoDataModule:
    return PneumoDataModule(
        train=films_of(count), validation=films_of(count), batch_size=batch_size, seed=seed, augmentation_strength=0
    )


def test_batches_are_floats_between_zero_and_one_with_their_targets() -> None:
    images, targets = next(iter(module_of(4).val_dataloader()))

    assert (images.shape, images.dtype) == ((4, 1, 32, 32), torch.float32)
    assert images.min() == 0
    assert images[1].max() == pytest.approx(101 / 255)
    assert targets.tolist() == [0.0, 1.0, 0.0, 1.0]


def test_the_seed_alone_decides_the_order() -> None:
    def order(seed: int) -> list[float]:
        return [float(image.max()) for images, _ in module_of(12, seed=seed).train_dataloader() for image in images]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(1)) == sorted(order(2))


def test_balanced_batches_have_as_many_positives_as_negatives_and_a_seed_repeats_them() -> None:
    def drawn(*, balanced: bool) -> list[float]:
        films = films_of(120, one_positive_of=10)
        module = PneumoDataModule(
            train=films, validation=films, batch_size=8, seed=1, augmentation_strength=0, balanced=balanced
        )
        return [float(target) for _, targets in module.train_dataloader() for target in targets]

    assert sum(drawn(balanced=False)) == 12
    assert 45 < sum(drawn(balanced=True)) < 75
    assert len(drawn(balanced=True)) == 120
    assert drawn(balanced=True) == drawn(balanced=True)


def test_a_last_training_batch_of_one_image_is_left_out_because_batch_normalisation_cannot_learn_from_it() -> None:
    assert [len(targets) for _, targets in module_of(9).train_dataloader()] == [4, 4]
    assert [len(targets) for _, targets in module_of(10).train_dataloader()] == [4, 4, 2]
    assert [len(targets) for _, targets in module_of(9).val_dataloader()] == [4, 4, 1]


def test_augmentation_moves_a_film_but_never_flips_it() -> None:
    torch.manual_seed(0)
    film = torch.from_numpy(films_of(1)[0].copy()).unsqueeze(0)

    changed = [augmentation(1.0)(film)[0] for _ in range(40)]

    assert any(not torch.equal(one, changed[0]) for one in changed)
    assert all(one[:16, :16].sum() > one[:16, 16:].sum() and one[:16].sum() > one[16:].sum() for one in changed)


def test_no_augmentation_leaves_a_film_as_it_is() -> None:
    film = torch.from_numpy(films_of(1)[0].copy()).unsqueeze(0)

    assert torch.allclose(augmentation(0)(film), film / 255)
