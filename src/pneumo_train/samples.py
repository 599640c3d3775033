"""From the rows of a table to samples, one per image, and their split by patient.

The RSNA metadata hold one row per box, not per image: splitting rows puts 57-59 % of the positive validation rows
beside rows of the same patient in the training part. Here rows of one image become one sample, and a patient's samples
stay together.
"""

import dataclasses
import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pneumo_train.config import DataConfig
from pneumo_train.errors import DataError
from pneumo_train.source import Source
from pneumo_train.table import Table
from pneumo_train.words import enumerated, shown

_TRUE_WORDS = frozenset({"1", "1.0", "true", "yes"})
_PARTS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test",
}  # fmt: skip
_LABELS = {"0": 0, "0.0": 0, "1": 1, "1.0": 1}
_SHOWN = 3
USUAL_PATIENT_COLUMN = "patientId"
_LOOKED_AT = 100


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One image with its label.

    Attributes:
        image_id: as the table names it.
        path: the image's file.
        target: 1 with pneumonia, 0 without.
        patient: whose image it is.
        part: ``train``, ``validation`` or ``test`` when the table says so.
    """

    image_id: str
    path: Path
    target: int
    patient: str
    part: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Samples for training and for validation, with no patient in both.

    Attributes:
        left_out: how many samples the table gives to a test part.
    """

    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    left_out: int = 0

    def digest(self) -> str:
        """SHA-256 (hex) of which image lies in which part, in any order of rows."""
        lines = [f"train {sample.image_id}" for sample in self.train]
        lines += [f"validation {sample.image_id}" for sample in self.validation]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()

    def describe(self) -> dict[str, dict[str, int]]:
        """How many images, patients and positive images each part holds."""
        return {
            name: {
                "images": len(samples),
                "patients": len({sample.patient for sample in samples}),
                "positives": sum(sample.target for sample in samples),
            }
            for name, samples in (("train", self.train), ("validation", self.validation))
        }


def read_table(source: Source, config: DataConfig) -> Table:
    """The metadata table, joined with the second one if there is one, with every column that the configuration names.

    Raises:
        DataError: a table cannot be read, or a column is missing or there twice.
    """
    table = Table.read(source.csv_path)
    table.require(config.image_column, "data.image_column")
    table.require(config.target_column, "data.target_column")
    if source.groups_path is not None:
        table = table.joined(Table.read(source.groups_path), on=config.image_column)
    for key in ("patient_column", "split_column", "subset_column"):
        if (column := getattr(config, key)) is not None:
            table.require(column, f"data.{key}")
    return table


def patient_column(table: Table, config: DataConfig) -> str:
    """The column that says whose image it is."""
    if config.patient_column is not None:
        return config.patient_column
    return USUAL_PATIENT_COLUMN if USUAL_PATIENT_COLUMN in table.header.columns else config.image_column


def read_samples(source: Source, config: DataConfig, table: Table | None = None) -> list[Sample]:
    """One sample per image of the table (read now, unless it was before), ordered by image id.

    Raises:
        DataError: a column, a value or an image is missing, or rows of one image contradict each other.
    """
    table = table or read_table(source, config)
    patients = patient_column(table, config)
    by_image: dict[str, Sample] = {}
    owners: dict[Path, str] = {}
    missing: list[str] = []
    for number, row in table.rows:
        if config.subset_column and row[config.subset_column].lower() not in _TRUE_WORDS:
            continue
        image_id = table.value(row, config.image_column, number)
        path = source.images.find(image_id)
        if path is None:
            missing.append(image_id)
            continue
        sample = _sample_of(table, row, number, config, patients=patients, image_id=image_id, path=path)
        if (owner := owners.setdefault(path, image_id)) != image_id:
            raise DataError(
                f"{table.path} row {number}: image {image_id!r} is the file {path.name} that an earlier row calls "
                f"{owner!r}; call each image by one name, and by its folder where several have the same name"
            )
        if (known := by_image.setdefault(image_id, sample)) != sample:
            raise DataError(
                f"{table.path} row {number}: image {image_id!r} was target {known.target}, patient {known.patient!r}, "
                f"part {known.part} in an earlier row and is {sample.target}, {sample.patient!r}, {sample.part} here; "
                f"mend one of the rows ({len(table.rows):,} in all)"
            )
    if missing:
        raise DataError(_missing_images(missing, len(by_image), table, source))
    if not by_image:
        why = f" with {config.subset_column} = 1" if config.subset_column else ""
        raise DataError(f"{table.path}: {len(table.rows):,} rows, none{why}; nothing to train on")
    return [by_image[image_id] for image_id in sorted(by_image)]


def split_samples(samples: Sequence[Sample], config: DataConfig, *, seed: int, origin: str = "the table") -> Split:
    """The split by patient: as given by the split column, else drawn by the seed and stratified by patient.

    A patient is positive when any image is. The same samples and seed give the same split in any order of rows.

    Raises:
        DataError: a part would be empty or hold one class only, or a given split cuts a patient in two.
    """
    where = f"{origin} ({len(samples):,} images)"
    _require_both_classes(samples, where, "add images of the other class, or look at data.target_column")
    if config.sample_fraction < 1:
        chosen = _draw_patients(samples, config.sample_fraction, random.Random(seed))  # noqa: S311 - reproducible, not secret
        samples = [sample for sample in samples if sample.patient in chosen]
    if config.split_column is not None:
        parts = {name: tuple(s for s in samples if s.part == name) for name in ("train", "validation", "test")}
        split = Split(train=parts["train"], validation=parts["validation"], left_out=len(parts["test"]))
    else:
        held_out = _draw_patients(samples, config.validation_fraction, random.Random(seed + 1))  # noqa: S311 - as above
        split = Split(
            train=tuple(sample for sample in samples if sample.patient not in held_out),
            validation=tuple(sample for sample in samples if sample.patient in held_out),
        )
    advice = "use more patients, another seed, or another validation_fraction, sample_fraction or split_column"
    for name, part in (("train", split.train), ("validation", split.validation)):
        if not part:
            raise DataError(f"{where}: the {name} part of the split is empty; {advice}")
        _require_both_classes(part, f"{where}: the {name} part ({len(part):,} images)", advice)
    _require_disjoint(split, where)
    return split


def _draw_patients(samples: Iterable[Sample], fraction: float, rng: random.Random) -> set[str]:
    """That share of the patients of each label, at least one, and never all of a label that has two or more."""
    labels: dict[str, int] = {}
    for sample in samples:
        labels[sample.patient] = max(sample.target, labels.get(sample.patient, 0))
    drawn: set[str] = set()
    for label in (0, 1):
        patients = sorted(patient for patient, value in labels.items() if value == label)
        rng.shuffle(patients)
        count = min(max(1, round(fraction * len(patients))), max(1, len(patients) - 1))
        drawn.update(patients[:count])
    return drawn


def _require_both_classes(samples: Iterable[Sample], where: str, advice: str) -> None:
    counts = Counter(sample.target for sample in samples)
    if len(counts) == 1:
        (only,) = counts
        raise DataError(f"{where}: every target is {only}; a classifier needs both 0 and 1: {advice}")


def _require_disjoint(split: Split, where: str) -> None:
    shared = {sample.patient for sample in split.train} & {sample.patient for sample in split.validation}
    if shared:
        raise DataError(
            f"{where}: the given split cuts {len(shared):,} patients in two, as {', '.join(sorted(shared)[:_SHOWN])}; "
            "keep all images of a patient in one part (or look at data.patient_column)"
        )


def _sample_of(  # noqa: PLR0913 - a row and its place
    table: Table, row: Mapping[str, str], number: int, config: DataConfig, *, patients: str, image_id: str, path: Path
) -> Sample:
    return Sample(
        image_id=image_id,
        path=path,
        target=_label(table, row, config.target_column, number),
        patient=table.value(row, patients, number),
        part=_part(table, row, config.split_column, number) if config.split_column else None,
    )


def _missing_images(missing: list[str], found: int, table: Table, source: Source) -> str:
    names = sorted(set(missing))
    alike = [(name, file) for name in names[:_LOOKED_AT] if (file := source.images.nearest(name))]
    hint = f"; found {shown(alike[0][1])} for {shown(alike[0][0])}: write the names alike" if alike else ""
    hint += source.foreign_images
    return (
        f"{table.path}: {len(names):,} of {len(names) + found:,} images ({len(table.rows):,} rows) have no "
        f"file, as {enumerated(names, at_most=_SHOWN)}; {len(source.images):,} images were found in {source.path}{hint}"
        f"{'; ' if hint else ': '}add the files, remove the rows, or name the folder (data.images_dir)"
    )


def _label(table: Table, row: Mapping[str, str], column: str, number: int) -> int:
    text = table.value(row, column, number)
    if text not in _LABELS:
        raise DataError(
            f"{table.path} row {number}: {column} = {shown(text)!r}; wanted 0 or 1 ({len(table.rows):,} rows); the column "
            f"holds {table.values_of(column)}"
        )
    return _LABELS[text]


def _part(table: Table, row: Mapping[str, str], column: str, number: int) -> str:
    text = table.value(row, column, number)
    if text.lower() not in _PARTS:
        raise DataError(
            f"{table.path} row {number}: {column} = {text!r}; wanted train, val or test ({len(table.rows):,} rows)"
        )
    return _PARTS[text.lower()]
