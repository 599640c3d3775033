"""A store with predictions for the page: generated, the same each time."""

import random
from pathlib import Path

from runstore import open_store
from runstore.predictions import Calibration, Predictions, Threshold, media_of, new_predictions
from support.page_stores import HOSTILE

ROWS = 600


def films() -> Predictions:
    """Films of children of three hospitals, one of them with a name that harms; two parts of the data."""
    chance = random.Random(14)
    targets = [int(chance.random() < 0.4) for _ in range(ROWS)]
    return new_predictions(
        ids=[f"film-{row:04}.png" for row in range(ROWS)],
        classes=["normal", "pneumonia"],
        targets=targets,
        scores=[min(1.0, max(0.0, chance.gauss(0.65 if target else 0.35, 0.18))) for target in targets],
        groups=[f"child {row // 2}" for row in range(ROWS)],
        splits=["test" if row % 3 else "validation" for row in range(ROWS)],
        sites=[("lyon", "charité", HOSTILE)[row % 5 % 3] for row in range(ROWS)],
        subgroups={"age": [("0-1", "2-5", None)[row % 7 % 3] for row in range(ROWS)]},
        thresholds=[
            Threshold(name="sensitivity 90 %", value=0.4375, chosen_on="validation", rule="the highest with it"),
        ],
        calibration=Calibration(method="temperature", fitted_on="validation", parameters={"temperature": 1.25}),
    )


def kinds() -> Predictions:
    """Three classes, with any scores."""
    chance = random.Random(15)
    targets = [chance.randrange(3) for _ in range(90)]
    scores = [[chance.gauss(2.0 if each == target else 0.0, 1.0) for each in range(3)] for target in targets]
    return new_predictions(
        ids=[str(row) for row in range(90)],
        classes=["normal", "bacterial", "viral"],
        targets=targets,
        scores=scores,
        is_probability=False,
    )


def fill_with_predictions(url: str, folder: Path) -> None:
    """Three runs: ``judged`` with predictions, ``broken`` with a file that is none, ``unjudged`` without any."""
    broken = folder / "broken.csv"
    broken.write_text("# {}\n")
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment("chest x-ray")
        for run_id in ("judged", "broken", "unjudged"):
            store.ensure_run(experiment, run_id=run_id, name=f"{run_id} resnet18")
        media_of(films(), "predictions/films").keep(store, "judged")
        media_of(kinds(), "predictions/kinds").keep(store, "judged")
        store.log_artifact("broken", broken, name="broken.csv", artifact_type="predictions")
        for run_id in ("judged", "broken", "unjudged"):
            store.finalize(run_id, "completed")
