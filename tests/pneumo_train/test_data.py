"""Batches: the same for a seed, augmented for training alone, never flipped."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pneumo_train.fitting.batches import PneumoDataModule
from pneumo_train.fitting.moving import moved
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


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dots(count: int, *, size: int = 64, reach: int = 16) -> torch.Tensor:
    """Films with a soft dot to the left of the middle and one to the right, the right one brighter."""
    y, x = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")

    def dot(at: int) -> torch.Tensor:
        return (-((x - size / 2 - at) ** 2 + (y - size / 2) ** 2) / (2 * 2.0**2)).exp()

    return (0.3 * dot(-reach) + 0.6 * dot(reach)).expand(count, 1, size, size)


def middles(images: torch.Tensor, size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each film the places (x, y) of the left and of the right dot, in pixels from the middle."""
    places = torch.arange(size) + 0.5 - size / 2
    found = []
    for half in (slice(0, size // 2), slice(size // 2, size)):
        bright = (images[:, 0, :, half] - images[:, 0, :, half].amin((1, 2), keepdim=True)) ** 2
        whole = bright.sum((1, 2))
        x = (bright.sum(1) * places[half]).sum(1) / whole
        found.append(torch.stack([x, (bright.sum(2) * places).sum(1) / whole], dim=1))
    return found[0], found[1]


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_turns_shifts_and_zooms_are_drawn_evenly_up_to_what_their_strength_says(strength: float) -> None:
    left, right = middles(moved(dots(600), strength, seeded()))
    middle, across = (left + right) / 2, right - left

    drawn = {
        "shift to the right": (middle[:, 0], 0.05 * 64),
        "shift down": (middle[:, 1], 0.05 * 64),
        "turn": (torch.atan2(across[:, 1], across[:, 0]).rad2deg(), 7.0),
        "zoom": (across.norm(dim=1) / 32 - 1, 0.1),
    }
    for name, (values, usual) in drawn.items():
        reach = usual * strength
        assert values.abs().max() == pytest.approx(reach, rel=0.06), name
        assert values.std() == pytest.approx(reach / 3**0.5, rel=0.08), name
        assert abs(float(values.mean())) < 0.12 * reach, name


def test_contrast_and_brightness_change_by_a_fifth_at_most_and_each_film_by_its_own() -> None:
    halves = torch.full((600, 1, 64, 64), 0.3)
    halves[..., 32:] = 0.6

    found = moved(halves, 1.0, seeded())

    dark, bright = (found[:, 0, 28:36, columns].mean((1, 2)) for columns in (slice(16, 20), slice(44, 48)))
    spread = (bright - dark) / 0.3
    assert spread.max() < 1.2**2 + 1e-5
    assert spread.min() > 0.8**2 - 1e-5
    assert spread.max() > 1.35
    assert spread.min() < 0.7
    assert spread.mean() == pytest.approx(1, abs=0.02)
    assert len(set(spread.tolist())) > 590
    assert (dark + bright).mean() == pytest.approx(0.9, abs=0.03)
    assert float(moved(torch.ones(50, 1, 16, 16), 2.0, seeded()).max()) == 1


def test_a_film_is_never_flipped() -> None:
    images = moved(dots(200), 1.0, seeded())

    assert bool((images[..., 32:].amax((1, 2, 3)) > images[..., :32].amax((1, 2, 3))).all())


def test_no_augmentation_leaves_a_film_as_it_is() -> None:
    images = dots(2)

    assert moved(images, 0, seeded()) is images


def test_batches_are_the_same_however_many_processes_prepare_them_and_others_with_another_seed() -> None:
    def batches(seed: int, num_workers: int) -> list[torch.Tensor]:
        films = films_of(10)
        module = PneumoDataModule(
            train=films, validation=films, batch_size=4, seed=seed, augmentation_strength=1, num_workers=num_workers
        )
        return [images for images, _ in module.train_dataloader()]

    alone = batches(1, 0)

    assert all(torch.equal(one, other) for one, other in zip(alone, batches(1, 2), strict=True))
    assert not any(torch.equal(one, other) for one, other in zip(alone, batches(2, 0), strict=True))
