"""Whether a model has learnt from the films that it is to be judged by."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pneumo_train.errors import DataError
from pneumo_train.preparing.reading import Reading
from pneumo_train.result import SPLIT_FILE
from pneumo_train.samples import Sample
from runstore import Run, RunReader

_UNUSED = "unused"
"""What a split file calls films that its training had no part for."""


def require_same_split(reading: Reading, part: str, trained: Mapping[str, Any]) -> None:
    """Refuses a part of another split than that of the training: what is held out here may have been learnt from there.

    Args:
        reading: the source, with its split.
        part: which is asked for; of ``all`` nothing is held out.
        trained: the configuration that is kept with the training.

    Raises:
        DataError: the split is another.
    """
    if part != "all" and reading.split.digest() != trained.get("split", {}).get("hash"):
        raise DataError(
            f"{reading.source.path}: its split is not the one of the training, so that its {part} part means nothing; give the "
            "source and the options of the training, or --part all for another source"
        )


def require_held_out_there(
    reading: Reading, part: str, samples: Iterable[Sample], reader: RunReader, against: str
) -> None:
    """Refuses films of a part that are not of the same part in the training of another run, which may have learnt from them.

    Two trainings with two seeds have two splits, unless the table or a file gives the test part.

    Args:
        reading: the source, with the split of the run that is evaluated.
        part: which is asked for; of ``all`` nothing is held out.
        samples: of that part.
        reader: holds the other run.
        against: the id of the other run.

    Raises:
        DataError: there are such films, or nothing is kept that tells.
    """
    if part == "all" or reading.split.digest() == reader.get_config(against).get("split", {}).get("hash"):
        return
    theirs, asked = _parts_of(reader, against), list(samples)
    if not theirs:
        raise DataError(
            f"{reading.source.path}: run {against!r} was trained on another split, and has kept no {SPLIT_FILE} that says whether it has "
            f"learnt from films of this {part} part; name a run that has, or give films that neither has seen, with --part all"
        )
    learnt = {each.patient for each in reading.samples if theirs.get(each.image_id, part) not in {part, _UNUSED}}
    wrong = [each for each in asked if theirs.get(each.image_id) not in {part, _UNUSED} or each.patient in learnt]
    if wrong:
        raise DataError(
            f"{reading.source.path}: {len(wrong):,} of the {len(asked):,} films of its {part} part, or of their patients, are not "
            f"in that of run {against!r}, which may have learnt from them; compare runs that had the same {part} part, as one "
            "data.split_file gives it, or give films that neither has seen, with --part all"
        )


def learnt_from(reading: Reading, part: str, trained: Run, called: str = "the training") -> tuple[str, ...]:
    """A warning where all films of a source are evaluated, and a training has learnt from most of them."""
    path = reading.source.path
    if part != "all" or trained.source_path is None or Path(trained.source_path).resolve() != Path(path).resolve():
        return ()
    note = (
        f"{path}: is the source of {called}, which has learnt from most of these films: the scores are too good; give "
        "--part test, if the training had a test part, or --part validation, which has only helped to choose the model"
    )
    return (note,)


def _parts_of(reader: RunReader, run_id: str) -> dict[str, str]:
    """The part of each image in a training, by the split that it has kept; empty where it has kept none."""
    if SPLIT_FILE not in {artifact.name for artifact in reader.list_artifacts(run_id)}:
        return {}
    with reader.open_artifact(run_id, SPLIT_FILE) as stream:
        text = stream.read().decode("utf-8", "surrogateescape")
    return {row["image"]: row["part"] for row in csv.DictReader(io.StringIO(text, newline=""))}
