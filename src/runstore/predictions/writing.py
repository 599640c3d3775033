"""Predictions as a file: a line of JSON, the columns' names, a line for each sample; packed with gzip."""

import csv
import gzip
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from runstore.media import Media
from runstore.media.files import new_media
from runstore.predictions.layout import (
    ARTIFACT_TYPE,
    FORMAT,
    MARK,
    SUBGROUP,
    SUFFIX,
    VERSION,
    Header,
    score_columns,
)
from runstore.predictions.values import Levels, Predictions


def media_of(
    predictions: Predictions, name: str, *, step: int | None = None, metadata: Mapping[str, Any] | None = None
) -> Media:
    """Predictions as a file that is to be kept, for ``log_media`` of a run or :meth:`runstore.media.Media.keep`.

    Args:
        predictions: what :func:`new_predictions` gives.
        name: its name, as ``"predictions/test"``; ``.csv.gz`` is put behind it.
        step: the step, for one of a series.
        metadata: more to keep with the artifact.

    Raises:
        InvalidValueError: the name or step is not allowed.
    """

    def write(path: Path) -> dict[str, Any]:
        # No name and no time in it: the same predictions are the same bytes, which a store keeps once.
        with (
            path.open("wb") as file,
            gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed,
        ):
            _write(predictions, packed)
        return {
            "version": VERSION,
            "rows": len(predictions),
            "classes": list(predictions.classes),
            "splits": list(predictions.splits.names if predictions.splits else ()),
        }

    return new_media(ARTIFACT_TYPE, name, step=step, suffixes=(SUFFIX,), write=write, metadata=metadata)


def _write(predictions: Predictions, packed: gzip.GzipFile) -> None:
    header = Header(
        format=FORMAT,
        version=VERSION,
        classes=list(predictions.classes),
        is_probability=predictions.is_probability,
        thresholds=[msgspec.to_builtins(threshold) for threshold in predictions.thresholds],
        calibration=msgspec.to_builtins(predictions.calibration),
        about=predictions.about,
    )
    packed.write(MARK + b" " + msgspec.json.encode(header) + b"\n")
    columns = _columns(predictions)
    with io.TextIOWrapper(packed, encoding="utf-8", newline="", write_through=False) as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        text.flush()


def _columns(predictions: Predictions) -> dict[str, Iterable[Any]]:
    """The columns in the order of the file. A missing text is an empty cell; a number is written so that it comes back."""
    classes = predictions.classes
    found: dict[str, Iterable[Any] | None] = {
        "id": predictions.ids,
        "target": map(classes.__getitem__, predictions.targets),
        **dict(zip(score_columns(classes), (map(repr, column) for column in predictions.scores), strict=True)),
        "group": _texts(predictions.groups),
        "weight": None if predictions.weights is None else map(repr, predictions.weights),
        "split": _texts(predictions.splits),
        "site": _texts(predictions.sites),
        **{f"{SUBGROUP}{name}": levels.texts() for name, levels in predictions.subgroups.items()},
    }
    return {name: column for name, column in found.items() if column is not None}


def _texts(levels: Levels | None) -> list[str | None] | None:
    return None if levels is None else levels.texts()
