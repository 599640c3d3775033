"""A small source of drawn films, and small tables with plain grey images."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image

from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.demo.phantoms import write_phantoms

WriteSource = Callable[..., Path]


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 patients with one or two drawn films each, half of them positive; several rows for some of the films."""
    return write_phantoms(
        tmp_path_factory.mktemp("phantoms"), patients=20, films_per_patient=2, positive_share=0.5, size=48, seed=1
    )


@pytest.fixture(scope="session")
def tiny_config() -> TrainConfig:
    """Two epochs of a ResNet-18 on 32 x 32 pixels."""
    return load_config(
        overrides={
            "seed": 3,
            "data.image_size": 32,
            "data.patient_column": "source_patient",
            "data.validation_fraction": 0.3,
            "training.max_epochs": 2,
            "training.batch_size": 8,
            "training.threads": 1,
            "training.accelerator": "cpu",
            "training.save_top_k": 1,
        }
    )


@pytest.fixture
def write_source(tmp_path: Path) -> WriteSource:
    """Writes a table, and a grey image for each of the given files, below a new directory."""

    def write(
        rows: Sequence[Sequence[object]],
        *,
        columns: Sequence[str] = ("patientId", "Target"),
        images: Sequence[str] | None = None,
        table: str = "stage2_train_metadata.csv",
        root: Path = tmp_path / "source",
    ) -> Path:
        path = root / table
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(columns)
            writer.writerows(rows)
        names = images if images is not None else [f"Training/Images/{row[0]}.png" for row in rows]
        for name in dict.fromkeys(names):
            image = root / name
            image.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8), 100).save(image)
        return root

    return write
