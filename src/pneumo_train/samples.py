"""From the rows of a table to samples, one per image, and their split by patient.

The RSNA metadata hold one row per box, not per image: splitting rows puts 57-59 % of the positive validation rows
beside rows of the same patient in the training part. Here rows of one image become one sample, and a patient's samples
stay together.
"""

import csv
import dataclasses
import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pneumo_train.config import DataConfig
from pneumo_train.errors import DataError
from pneumo_train.source import Source

_TRUE_WORDS = frozenset({"1", "1.0", "true", "yes"})
_PARTS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test",
}  # fmt: skip
_LABELS = {"0": 0, "0.0": 0, "1": 1, "1.0": 1}
_SHOWN = 3


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


def read_samples(source: Source, config: DataConfig) -> list[Sample]:
    """One sample per image of the table, ordered by image id.

    Raises:
        DataError: a column, a value or an image is missing, or rows of one image contradict each other.
    """
    table = _Table.read(source.csv_path)
    table.require(config.image_column, "data.image_column")
    table.require(config.target_column, "data.target_column")
    if source.groups_path is not None:
        table = table.joined(_Table.read(source.groups_path), on=config.image_column)
    for key in ("patient_column", "split_column", "subset_column"):
        if (column := getattr(config, key)) is not None:
            table.require(column, f"data.{key}")

    by_image: dict[str, Sample] = {}
    missing: list[str] = []
    for number, row in table.rows:
        if config.subset_column and row[config.subset_column].lower() not in _TRUE_WORDS:
            continue
        image_id = table.value(row, config.image_column, number)
        path = source.images.get(image_id)
        if path is None:
            missing.append(image_id)
            continue
        sample = Sample(
            image_id=image_id,
            path=path,
            target=_label(table, row, config.target_column, number),
            patient=table.value(row, config.patient_column, number),
            part=_part(table, row, config.split_column, number) if config.split_column else None,
        )
        known = by_image.setdefault(image_id, sample)
        if known != sample:
            raise DataError(
                f"{table.path} row {number}: image {image_id!r} was target {known.target}, patient {known.patient!r}, "
                f"part {known.part} in an earlier row and is {sample.target}, {sample.patient!r}, {sample.part} here; "
                f"mend one of the rows ({len(table.rows):,} in all)"
            )
    if missing:
        names = sorted(set(missing))
        raise DataError(
            f"{table.path}: {len(names):,} of {len(names) + len(by_image):,} images ({len(table.rows):,} rows) have no "
            f"file, as {', '.join(names[:_SHOWN])}; {len(source.images) // 2:,} images were found in {source.path}: "
            "add the files, remove the rows, or name the folder (data.images_dir)"
        )
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


def _label(table: "_Table", row: Mapping[str, str], column: str, number: int) -> int:
    text = table.value(row, column, number)
    if text not in _LABELS:
        raise DataError(f"{table.path} row {number}: {column} = {text!r}; wanted 0 or 1 ({len(table.rows):,} rows)")
    return _LABELS[text]


def _part(table: "_Table", row: Mapping[str, str], column: str, number: int) -> str:
    text = table.value(row, column, number)
    if text.lower() not in _PARTS:
        raise DataError(
            f"{table.path} row {number}: {column} = {text!r}; wanted train, val or test ({len(table.rows):,} rows)"
        )
    return _PARTS[text.lower()]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A CSV in memory: rows by column, each with its line number as a spreadsheet shows it (the header is row 1)."""

    path: Path
    columns: tuple[str, ...]
    rows: list[tuple[int, dict[str, str]]]

    @classmethod
    def read(cls, path: Path) -> "_Table":
        try:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                reader = csv.reader(stream, strict=True)
                columns = tuple(name.strip() for name in next(reader, []))
                lines = [(number, line) for number, line in enumerate(reader, start=2) if any(line)]
        except (UnicodeDecodeError, csv.Error, OSError) as error:
            raise DataError(f"{path}: cannot be read as a UTF-8 CSV ({error}); save it as one") from error
        ragged = [number for number, line in lines if len(line) != len(columns)]
        if ragged:
            raise DataError(
                f"{path} row {ragged[0]}: other than the header's {len(columns)} columns "
                f"({len(ragged):,} such of {len(lines):,} rows); mend the table"
            )
        if not lines:
            raise DataError(f"{path}: 0 rows below the header; nothing to train on")
        rows = [(number, dict(zip(columns, map(str.strip, line), strict=True))) for number, line in lines]
        return cls(path=path, columns=columns, rows=rows)

    def require(self, column: str, key: str) -> None:
        if column not in self.columns:
            raise DataError(
                f"{self.path} ({len(self.rows):,} rows): no column {column!r} ({key}); it has "
                f"{', '.join(self.columns)}: add the column or name another"
            )

    def value(self, row: Mapping[str, str], column: str, number: int) -> str:
        if not row[column]:
            raise DataError(f"{self.path} row {number}: no value in {column!r} ({len(self.rows):,} rows); fill it in")
        return row[column]

    def joined(self, other: "_Table", *, on: str) -> "_Table":
        """Each row with the columns that only the other table has, found by the same value of ``on``."""
        other.require(on, "data.image_column")
        fresh = [column for column in other.columns if column not in self.columns]
        index: dict[str, dict[str, str]] = {}
        for number, row in other.rows:
            key = other.value(row, on, number)
            if index.setdefault(key, row) != row:
                raise DataError(f"{other.path} row {number}: a second, other row for {on} = {key!r}; keep one")
        unknown = [row[on] for _, row in self.rows if row[on] not in index]
        if unknown:
            raise DataError(
                f"{other.path} ({len(other.rows):,} rows): {len(unknown):,} of the {len(self.rows):,} rows of "
                f"{self.path.name} have no row here, as {', '.join(unknown[:_SHOWN])}; complete it"
            )
        rows = [(number, row | {column: index[row[on]][column] for column in fresh}) for number, row in self.rows]
        return _Table(path=self.path, columns=(*self.columns, *fresh), rows=rows)
