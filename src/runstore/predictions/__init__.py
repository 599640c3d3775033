"""Predictions of a classifier, kept with a run: what a model said of each sample, and what was true.

>>> import io
>>> from runstore import open_store
>>> from runstore.predictions import media_of, new_predictions, read_predictions
>>> made = new_predictions(
...     ids=["a.png", "b.png", "c.png"],
...     classes=["normal", "pneumonia"],
...     targets=["normal", "pneumonia", "pneumonia"],
...     scores=[0.1, 0.7, 0.4],
...     groups=["child 1", "child 2", "child 2"],
... )
>>> with open_store("memory://", durable=False) as store:
...     run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"))
...     artifact = media_of(made, "predictions/test").keep(store, run_id)
...     print(artifact.name, artifact.artifact_type)
...     with store.open_artifact(run_id, artifact.name) as file:
...         print(read_predictions(file, name=artifact.name))
predictions/test.csv.gz predictions
Predictions(rows=3, classes=('normal', 'pneumonia'))

The file is text, packed with gzip, which any program reads; ``docs/predictions.md`` describes it.
"""

from runstore.predictions.layout import ARTIFACT_TYPE, MAX_ROWS, VERSION
from runstore.predictions.making import new_predictions
from runstore.predictions.reading import read_predictions
from runstore.predictions.values import Calibration, Levels, Predictions, Threshold
from runstore.predictions.writing import media_of

__all__ = [
    "ARTIFACT_TYPE",
    "MAX_ROWS",
    "VERSION",
    "Calibration",
    "Levels",
    "Predictions",
    "Threshold",
    "media_of",
    "new_predictions",
    "read_predictions",
]
