"""A demonstration: draw chest films, train on them for real, and show the run that is then in the database.

``pneumo-train demo`` needs no data, no server and no network, and takes a few minutes on two CPU cores. Run again, it
draws nothing anew and adds another run.
"""

import shutil
import sys
from os import PathLike
from pathlib import Path

import click
from rich.console import Console

from pneumo_train.centralized import CentralizedTrainer
from pneumo_train.config.settings import load_config
from pneumo_train.demo.phantoms import write_phantoms
from pneumo_train.fitting.outputs import require_writable
from pneumo_train.report import print_history, print_summary
from pneumo_train.result import TRAINING_PLOT, TrainingResult
from pneumo_train.terminal import quiet_lightning, track
from runstore import open_reader

PATIENTS = 240
FILM_SIZE = 96
SEED = 7

DEMO_CONFIG = {
    "data.patient_column": "source_patient",
    "data.image_size": 64,
    "training.max_epochs": 8,
    "training.batch_size": 16,
    "training.augmentation_strength": 0.5,
}


def run_demo(out: str | PathLike[str]) -> TrainingResult:
    """Draws, trains, stores and shows; everything lies below ``out``."""
    root = Path(out)
    require_writable(root, "out")
    console = Console()
    films = root / f"phantoms-{PATIENTS}-{FILM_SIZE}-{SEED}"
    if not (films / "stage2_train_metadata.csv").is_file():  # it is written last: with it, the films are all there
        write_phantoms(
            films, patients=PATIENTS, size=FILM_SIZE, seed=SEED, track=track("drawing chest films", shown=True)
        )
    quiet_lightning()
    url = f"sqlite:///{root.resolve() / 'runs.db'}"
    result = CentralizedTrainer(
        checkpoint_dir=root / "checkpoints",
        logs_dir=root / "logs",
        store=url,
        config=load_config(overrides=DEMO_CONFIG),
        progress=True,
    ).train(films, "phantom-demo")
    plot = root / "training.png"
    console.rule("read back from the store")
    with open_reader(url) as reader:
        print_history(reader, result.run_id, console=console)
        with reader.open_artifact(result.run_id, TRAINING_PLOT) as stored, plot.open("wb") as copy:
            shutil.copyfileobj(stored, copy)
    print_summary(result, url)
    click.echo(f"plot of loss and AUROC, fetched back from the store: {plot}", file=sys.stdout)
    return result
