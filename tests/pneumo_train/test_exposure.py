"""Greys: what a network is shown does not depend on the exposure where it is told so, and training films are exposed otherwise."""

import itertools
from pathlib import Path

import pytest
import torch

from pneumo_train.config.model import Contrast
from pneumo_train.config.settings import load_config
from pneumo_train.fitting.batches import PneumoDataModule
from pneumo_train.fitting.exposing import exposed
from pneumo_train.network.contrast import contrasted
from pneumo_train.preparing.reading import read_source

pytestmark = pytest.mark.training


def films(count: int = 4, size: int = 48) -> torch.Tensor:
    """Noise that was smoothed, so that it has dark and bright places, in [0.2, 0.8]."""
    generator = torch.Generator().manual_seed(5)
    noise = torch.rand(count, 1, size, size, generator=generator)
    smooth = torch.nn.functional.avg_pool2d(noise, 5, stride=1, padding=2, count_include_pad=False)
    low, high = smooth.amin((1, 2, 3), keepdim=True), smooth.amax((1, 2, 3), keepdim=True)
    return 0.2 + 0.6 * (smooth - low) / (high - low)


def test_a_stretched_film_is_the_same_at_any_contrast_and_brightness() -> None:
    images = films()

    assert torch.allclose(contrasted(0.5 * images + 0.3, "stretch"), contrasted(images, "stretch"), atol=1e-5)
    assert torch.equal(contrasted(images, "none"), images)


def test_a_film_of_one_grey_is_stretched_without_a_number_that_is_none() -> None:
    assert bool(contrasted(torch.full((2, 1, 8, 8), 0.4), "stretch").isfinite().all())


def test_an_equalized_film_is_nearly_the_same_at_any_gamma() -> None:
    images = films()

    difference = (contrasted(images**1.5, "equalize") - contrasted(images, "equalize")).abs().mean()
    assert difference < 0.01 < (images**1.5 - images).abs().mean()


@pytest.mark.parametrize("contrast", ["stretch", "equalize"])
def test_what_a_film_becomes_does_not_depend_on_the_others_of_its_batch(contrast: Contrast) -> None:
    images = films()

    together = contrasted(images, contrast)
    assert torch.equal(together[2:3], contrasted(images[2:3], contrast))


def test_each_film_of_a_batch_is_exposed_in_its_own_way_and_stays_in_range() -> None:
    torch.manual_seed(0)
    image = films(1)

    found = exposed(image.expand(6, -1, -1, -1), 2.0)

    assert found.shape == (6, 1, 48, 48)
    assert bool(((found >= 0) & (found <= 1)).all())
    means = sorted(float(each.mean()) for each in found)
    assert min(after - before for before, after in itertools.pairwise(means)) > 1e-4


def test_exposure_of_strength_0_leaves_a_film_as_it_is() -> None:
    images = films()

    assert exposed(images, 0) is images


def test_films_of_training_are_exposed_otherwise_and_those_of_validation_are_not(phantoms: Path) -> None:
    config = load_config(overrides={"data.image_size": 32, "data.patient_column": "source_patient"})
    with read_source(phantoms, config) as reading:
        split = reading.decode()
    data = PneumoDataModule(
        train=split.train,
        validation=split.validation,
        batch_size=4,
        seed=1,
        augmentation_strength=0,
        exposure_strength=1,
    )

    class Stage:
        training = True
        current_epoch = 0

    data.trainer = Stage()  # type: ignore[assignment]  # of which nothing else is asked
    learnt = next(iter(data.train_dataloader()))
    shown, targets = data.on_after_batch_transfer(learnt, 0)
    Stage.training = False
    looked_at = next(iter(data.val_dataloader()))

    assert torch.equal(targets, learnt[1])
    assert not torch.allclose(shown, learnt[0], atol=0.02)
    assert torch.equal(data.on_after_batch_transfer(looked_at, 0)[0], looked_at[0])


def test_the_same_films_of_a_batch_are_neither_moved_nor_exposed_where_a_share_is_to_stay_plain(phantoms: Path) -> None:
    config = load_config(overrides={"data.image_size": 32, "data.patient_column": "source_patient"})
    with read_source(phantoms, config) as reading:
        split = reading.decode()

    def batch(strength: float, plain_share: float = 0.5) -> torch.Tensor:
        data = PneumoDataModule(
            train=split.train,
            validation=split.validation,
            batch_size=4,
            seed=1,
            augmentation_strength=strength,
            exposure_strength=strength,
            plain_share=plain_share,
        )

        class Stage:
            training = True
            current_epoch = 0

        data.trainer = Stage()  # type: ignore[assignment]  # of which nothing else is asked
        return data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)[0]

    as_they_are = batch(0)
    changed = batch(1)

    assert torch.equal(batch(1, plain_share=0.9), as_they_are)  # four films, of which 0.9 is all
    assert torch.equal(changed[:2], as_they_are[:2])
    assert all(
        not torch.allclose(after, film, atol=0.02) for after, film in zip(changed[2:], as_they_are[2:], strict=True)
    )
