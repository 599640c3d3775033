"""What a client of a federation over a network trains on: its own films, divided as a training divides them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pneumo_train.config.settings import load_config
from pneumo_train.errors import DataError
from pneumo_train.federating.joining import divided_here
from pneumo_train.federating.plans import parts_of
from pneumo_train.preparing.reading import Reading, read_source
from pneumo_train.samples import Sample

NAMES = [f"film-{number:02}" for number in range(40)]
PARTS = ["test"] * 10 + ["validation"] * 6 + ["train"] * 24
FOLDS = {"data.folds": 4, "data.fold": 1}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_films(tmp_path_factory.mktemp("films"), [number % 2 for number in range(len(NAMES))])


def write_films(folder: Path, targets: list[int]) -> Path:
    """Forty films of noise, each of another patient, and a file that divides them."""
    (folder / "images").mkdir()
    for number, name in enumerate(NAMES):
        pixels = np.random.default_rng(number).integers(0, 256, (32, 32), np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{name}.png")
    rows = zip(NAMES, targets, PARTS, strict=True)
    (folder / "metadata.csv").write_text(
        "patientId,Target,split\n" + "".join(f"{name},{target},{part}\n" for name, target, part in rows)
    )
    (folder.parent / f"{folder.name}-split.csv").write_text(
        "image,part\n" + "".join(f"{name},{part}\n" for name, part in zip(NAMES, PARTS, strict=True))
    )
    return folder


def divided(films: Path, values: dict[str, Any], *, joins: bool) -> Reading:
    values = {key: value.format(films=films) if isinstance(value, str) else value for key, value in values.items()}
    with read_source(films, load_config(overrides=values), is_split=not joins) as reading:
        return divided_here(reading) if joins else reading


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"data.split_column": "split"},
        {"data.split_file": "{films}-split.csv"},
        {"data.sample_fraction": 0.3},
        {"data.test_fraction": 0.3},
        {"data.test_fraction": 0.2, **FOLDS},
        FOLDS,
    ],
    ids=str,
)
def test_a_client_that_joins_divides_its_films_as_a_training_would(films: Path, values: dict[str, Any]) -> None:
    mine, fits = (divided(films, values, joins=joins).split for joins in (True, False))

    assert mine.parts() == fits.parts()


@pytest.mark.parametrize("values", [{"data.split_column": "split"}, {"data.split_file": "{films}-split.csv"}], ids=str)
@pytest.mark.parametrize("target", [0, 1])
def test_a_client_with_films_of_one_class_trains_on_none_of_its_test_films(
    tmp_path: Path, values: dict[str, Any], target: int
) -> None:
    (tmp_path / "films").mkdir()

    split = divided(write_films(tmp_path / "films", [target] * len(NAMES)), values, joins=True).split

    assert {name: [sample.image_id for sample in part] for name, part in split.parts().items()} == {
        part: [name for name, of in zip(NAMES, PARTS, strict=True) if of == part]
        for part in ("train", "validation", "test")
    }


def test_a_client_that_refuses_equal_images_in_two_parts_does_not_join_with_them(films: Path, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    write_films(tmp_path / "films", [number % 2 for number in range(len(NAMES))])
    images = tmp_path / "films" / "images"
    (images / f"{NAMES[-1]}.png").write_bytes((images / f"{NAMES[10]}.png").read_bytes())  # trained on, and looked at

    with pytest.raises(DataError, match=r"allow it \(--data.equal_images warn\)"):
        divided(tmp_path / "films", {"data.split_column": "split", "data.equal_images": "refuse"}, joins=True)

    assert divided(films, {"data.split_column": "split", "data.equal_images": "refuse"}, joins=True).split.test


def test_films_of_the_test_part_are_dealt_out_to_nobody_for_training_or_to_look_at() -> None:
    samples = [
        Sample(image_id=name, path=Path(name), target=1, patient=name, part=part)
        for name, part in zip(NAMES, PARTS, strict=True)
    ]

    split = parts_of("north", samples, load_config().data, seed=1)

    assert [sample.part for sample in (*split.train, *split.validation)].count("test") == 0
    assert len(split.train) + len(split.validation) == 30
