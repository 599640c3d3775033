"""Films as grey squares, read once, hashed, and refused when they cannot be read."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pneumo_train.errors import DataError
from pneumo_train.images.film import read_film
from pneumo_train.images.films import load_films
from pneumo_train.samples import Sample


def encoded(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def samples_in(folder: Path, count: int) -> list[Sample]:
    samples = []
    for index in range(count):
        path = folder / f"{index}.png"
        Image.new("L", (40, 40), 10 * index).save(path)
        samples.append(Sample(image_id=str(index), path=path, target=index % 2, patient=f"P{index}"))
    return samples


def test_a_film_that_is_no_square_keeps_its_proportions_and_is_padded_with_black() -> None:
    film = read_film(encoded(Image.new("L", (40, 20), 200)), size=40)

    assert film.shape == (40, 40)
    assert film[:8].max() == film[-8:].max() == 0
    assert film[12:28].min() == 200


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1"])
def test_every_usual_mode_becomes_grey(mode: str) -> None:
    film = read_film(encoded(Image.new("L", (8, 8), 255).convert(mode)), size=8)

    assert film.dtype == np.uint8
    assert film.min() == 255


def test_a_film_of_sixteen_bits_is_stretched_not_cut() -> None:
    pixels = np.array([[0, 1000], [2000, 4000]], dtype=np.uint16)

    film = read_film(encoded(Image.fromarray(pixels)), size=2)

    assert film.tolist() == [[0, 64], [128, 255]]


def test_a_film_of_sixteen_bits_and_one_value_is_black() -> None:
    assert read_film(encoded(Image.fromarray(np.full((2, 2), 7, dtype=np.uint16))), size=2).max() == 0


def test_films_are_the_same_in_memory_and_from_disk(tmp_path: Path) -> None:
    samples = samples_in(tmp_path, 3)

    cached, digest = load_films(samples, size=32, cache_mib=1)
    uncached, same = load_films(samples, size=32, cache_mib=0)

    assert cached.pixels is not None
    assert uncached.pixels is None
    assert digest == same
    assert all(np.array_equal(cached[index], uncached[index]) for index in range(3))
    assert np.array_equal(cached.part(1, 3)[0], cached[1])


def test_the_hash_does_not_depend_on_order_and_changes_with_a_pixel_or_a_label(tmp_path: Path) -> None:
    samples = samples_in(tmp_path, 3)
    _, before = load_films(samples, size=32, cache_mib=1)

    _, reordered = load_films(samples[::-1], size=32, cache_mib=1)
    relabelled = [Sample(image_id="0", path=samples[0].path, target=1, patient="P0"), *samples[1:]]
    _, other_label = load_films(relabelled, size=32, cache_mib=1)
    Image.new("L", (40, 40), 99).save(samples[0].path)
    _, other_pixels = load_films(samples, size=32, cache_mib=1)

    assert reordered == before
    assert len({before, other_label, other_pixels}) == 3


@pytest.mark.parametrize("cache_mib", [0, 1])
def test_images_that_cannot_be_read_are_counted_and_named(tmp_path: Path, cache_mib: int) -> None:
    samples = samples_in(tmp_path, 3)
    whole = samples[0].path.read_bytes()
    samples[0].path.write_bytes(whole[: len(whole) // 2])
    samples[2].path.write_text("no image", encoding="utf-8")

    with pytest.raises(DataError, match=r"2 of 3 images cannot be read: 0\.png .*2\.png .*replace the files"):
        load_films(samples, size=32, cache_mib=cache_mib)


@pytest.mark.parametrize("cache_mib", [0, 1])
@pytest.mark.parametrize("options", [{"format": "JPEG"}, {"format": "JPEG", "progressive": True}, {"format": "PNG"}])
def test_a_film_that_was_cut_short_is_named_whatever_fits_into_memory(
    tmp_path: Path, cache_mib: int, options: dict[str, Any]
) -> None:
    samples = samples_in(tmp_path, 3)
    noise = np.random.default_rng(0).integers(0, 255, (96, 96)).astype(np.uint8)
    Image.fromarray(noise).save(samples[1].path, **options)
    whole = samples[1].path.read_bytes()
    samples[1].path.write_bytes(whole[: len(whole) * 2 // 3])

    with pytest.raises(DataError, match=r"1 of 3 images cannot be read: 1\.png"):
        load_films(samples, size=32, cache_mib=cache_mib)


def test_a_film_that_vanishes_while_training_goes_on_is_named(tmp_path: Path) -> None:
    samples = samples_in(tmp_path, 3)
    films, _ = load_films(samples, size=32, cache_mib=0)
    samples[1].path.unlink()

    with pytest.raises(DataError, match=r"1\.png: cannot be read any more"):
        films[1]


@pytest.mark.data
def test_real_films_of_many_sizes_and_modes_are_read(xray_data: Path) -> None:
    paths = sorted((xray_data / "varied_sizes" / "Training" / "Images").glob("*.png"))
    samples = [Sample(image_id=path.stem, path=path, target=0, patient=path.stem) for path in paths]

    films, _ = load_films(samples, size=64, cache_mib=10)

    assert films.pixels is not None
    assert films.pixels.shape == (52, 64, 64)
    assert all(films[index].std() > 10 for index in range(len(films)))
