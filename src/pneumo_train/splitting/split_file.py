"""The split as a CSV, which a training leaves and another one takes: image, patient, target, part."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path

from pneumo_train.errors import DataError
from pneumo_train.samples import Sample, Split
from pneumo_train.words import cleaned, enumerated

_COLUMNS = ("image", "patient", "target", "part")
_UNUSED = "unused"
_PARTS = frozenset({"train", "validation", "test", _UNUSED})
_SHOWN = 3


def write_split(samples: Sequence[Sample], split: Split) -> str:
    """The text of the file: a row for each sample, also for those that the training leaves out."""
    part_of = {sample.image_id: name for name, part in split.parts().items() for sample in part}
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(
        (sample.image_id, sample.patient, sample.target, part_of.get(sample.image_id, _UNUSED)) for sample in samples
    )
    return stream.getvalue()


def take_split(samples: Sequence[Sample], file: str) -> list[Sample]:
    """The samples with the parts of a file; those that it calls unused are left out.

    Raises:
        DataError: it is no such file, or its images are not those of the source.
    """
    parts = _read(Path(file))
    missing = [sample.image_id for sample in samples if sample.image_id not in parts]
    foreign = sorted(set(parts) - {sample.image_id for sample in samples})
    for names, where in ((missing, "have no row in it"), (foreign, "of its rows are not in the source")):
        if names:
            raise DataError(
                f"data.split_file = {file!r} ({len(parts):,} images): {len(names):,} images {where}, as "
                f"{enumerated(names, at_most=_SHOWN)}; give the file of a training on this source, or draw a split anew"
            )
    return [
        dataclasses.replace(sample, part=parts[sample.image_id])
        for sample in samples
        if parts[sample.image_id] != _UNUSED
    ]


def _read(path: Path) -> dict[str, str]:
    """The part of each image."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"data.split_file = {str(path)!r}: cannot be read as a CSV ({error}); name an existing file"
        ) from error
    parts: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        image, part = cleaned(row.get("image") or ""), cleaned(row.get("part") or "")
        if not image or part not in _PARTS:
            raise DataError(
                f"data.split_file = {str(path)!r} row {number}: image {image!r}, part {part!r}; wanted the columns image and "
                f"part, and one of {', '.join(sorted(_PARTS))}"
            )
        if parts.setdefault(image, part) != part:
            raise DataError(
                f"data.split_file = {str(path)!r} row {number}: image {image!r} is in {parts[image]} and in {part}; keep one"
            )
    return parts
