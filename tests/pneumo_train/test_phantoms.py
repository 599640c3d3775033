"""Drawn films: the same for a seed, in the RSNA-processed layout, and not to be told by their brightness."""

import csv
from pathlib import Path

import numpy as np

from pneumo_train.demo.phantoms import COLUMNS, draw_phantom, write_phantoms


def brightness_auroc(statistic: str) -> float:
    """How well one number of a film tells positives from negatives: 0.5 is not at all."""
    values = {
        is_positive: [
            float(
                getattr(np, statistic)(
                    draw_phantom(seed=5, patient=number, film=0, is_positive=is_positive, size=32)[0]
                )
            )
            for number in numbers
        ]
        for is_positive, numbers in ((True, range(60)), (False, range(60, 120)))
    }
    return float(np.mean([positive > negative for positive in values[True] for negative in values[False]]))


def test_the_same_arguments_draw_the_same_film() -> None:
    one, _ = draw_phantom(seed=1, patient=2, film=0, is_positive=True, size=48)
    same, _ = draw_phantom(seed=1, patient=2, film=0, is_positive=True, size=48)
    other, _ = draw_phantom(seed=1, patient=2, film=1, is_positive=True, size=48)

    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_lungs_are_darker_than_the_spine_and_the_belly() -> None:
    film, _ = draw_phantom(seed=1, patient=0, film=0, is_positive=False, size=64)

    lungs = np.median(film[20:36, [14, 16, 18, 20, 44, 46, 48, 50]])
    assert film[20:36, 31:33].mean() > lungs + 20
    assert film[56:62, 20:44].mean() > lungs + 20


def test_positives_have_boxes_that_lie_on_the_film_and_negatives_none() -> None:
    _, boxes = draw_phantom(seed=1, patient=0, film=0, is_positive=True, size=64)
    _, none = draw_phantom(seed=1, patient=0, film=0, is_positive=False, size=64)

    assert none == ()
    assert 1 <= len(boxes) <= 3
    assert all(box.x >= 0 and box.x + box.width <= 64 and box.y >= 0 and box.y + box.height <= 64 for box in boxes)


def test_brightness_tells_next_to_nothing_of_the_label() -> None:
    assert 0.3 < brightness_auroc("mean") < 0.7
    assert 0.3 < brightness_auroc("std") < 0.7


def test_the_table_has_one_row_for_each_box_and_says_whose_film_it_is(tmp_path: Path) -> None:
    root = write_phantoms(tmp_path, patients=8, films_per_patient=2, positive_share=0.5, size=32, seed=1)

    with (root / "stage2_train_metadata.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    images = {path.stem for path in (root / "Training" / "Images").iterdir()}
    assert set(rows[0]) == set(COLUMNS)
    assert {row["patientId"] for row in rows} == images
    assert len({row["source_patient"] for row in rows}) == 8
    assert len({row["source_patient"] for row in rows if row["Target"] == "1"}) == 4
    assert len(rows) > len(images)
    assert all((row["x"] == "") == (row["Target"] == "0") for row in rows)
