"""From the rows of a table to samples, one per image: the RSNA metadata hold one row per box."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from pneumo_train.config.data import DataConfig
from pneumo_train.errors import DataError
from pneumo_train.samples import Sample
from pneumo_train.sources.class_folders import PARTS
from pneumo_train.sources.labels import Labels
from pneumo_train.sources.source import Source
from pneumo_train.sources.table import Table
from pneumo_train.words import enumerated, quoted, shown, split_ending, unfit

_TRUE_WORDS = frozenset({"1", "1.0", "true", "yes"})
_SHOWN = 3
USUAL_PATIENT_COLUMN = "patientId"
_LOOKED_AT = 100


def read_table(
    source: Source,
    config: DataConfig,
    *,
    extended: Callable[[Table], Table] = lambda table: table,
    advice: Callable[[str], str] = lambda _: "",
) -> Table:
    """The metadata table, joined with the second one if there is one, with every column that the configuration names.

    Args:
        source: holds the tables.
        config: names the columns.
        extended: adds columns that stand in no table.
        advice: what to do about a missing column of that kind; empty of another one.

    Raises:
        DataError: a table cannot be read, or a column is missing or there twice.
    """
    table = source.made or Table.read(source.csv_path)
    table.require(config.image_column, "data.image_column")
    table.require(config.target_column, "data.target_column")
    if source.groups_path is not None:
        table = table.joined(Table.read(source.groups_path), on=config.image_column)
    table = extended(table)
    for key in ("patient_column", "split_column", "subset_column", "site_column"):
        if (column := getattr(config, key)) is not None:
            table.require(column, f"data.{key}", **_advice(source, config, column, advice(column)))
    return table


def _advice(source: Source, config: DataConfig, column: str, known: str) -> dict[str, str]:
    """What to do about a missing column: what is known of it, or that another table of the source has it."""
    if known:
        return {"advice": known}
    others = [name for name, header in source.tables.items() if {column, config.image_column} <= {*header.columns}]
    if config.groups_csv or not others:
        return {}
    return {"advice": f"{shown(others[0])} has it: give --data.groups_csv {quoted(others[0])}"}


def used_rows(table: Table, config: DataConfig) -> Table:
    """The table without the rows that ``data.subset_column`` leaves out: what stands there counts for nothing."""
    column = config.subset_column
    if column is None:
        return table
    return dataclasses.replace(
        table, rows=[(number, row) for number, row in table.rows if row[column].lower() in _TRUE_WORDS]
    )


def patient_column(table: Table, config: DataConfig) -> str:
    """The column that says whose image it is."""
    if config.patient_column is not None:
        return config.patient_column
    return USUAL_PATIENT_COLUMN if USUAL_PATIENT_COLUMN in table.header.columns else config.image_column


class Patients:
    """Tells whose image a row is of: as its column says, or the part of it that a pattern finds."""

    def __init__(self, column: str, config: DataConfig) -> None:
        self._column = column
        self._pattern = re.compile(config.patient_pattern) if config.patient_pattern else None

    def read(self, table: Table, row: Mapping[str, str], number: int) -> str:
        """The patient of a row.

        Raises:
            DataError: the cell is empty, or the pattern is not found in it.
        """
        cell = table.value(row, self._column, number)
        if self._pattern is None:
            return cell
        found = self._pattern.search(split_ending(cell)[0])
        patient = found and (found[1] if self._pattern.groups else found[0])
        if not patient:
            raise DataError(
                f"{table.path} row {number}: data.patient_pattern = {self._pattern.pattern!r} is not in {self._column} = {shown(cell)!r} "
                f"({len(table.rows):,} rows); give one that every image has"
            )
        return patient


def read_samples(source: Source, config: DataConfig, table: Table | None = None) -> list[Sample]:
    """One sample per image of the table (read now, unless it was before), ordered by image id.

    Raises:
        DataError: a column, a value or an image is missing, or rows of one image contradict each other.
    """
    table = table or read_table(source, config)
    patients = Patients(patient_column(table, config), config)
    used = used_rows(table, config)
    labels = Labels(used, config)
    by_image: dict[str, Sample] = {}
    owners: dict[Path, str] = {}
    missing: list[str] = []
    for number, row in used.rows:
        image_id = table.value(row, config.image_column, number)
        path = source.images.find(image_id)
        if path is None:
            missing.append(image_id)
            continue
        sample = _sample_of(table, row, number, config, labels=labels, patients=patients, image_id=image_id, path=path)
        if (owner := owners.setdefault(path, image_id)) != image_id:
            raise DataError(
                f"{table.path} row {number}: image {image_id!r} is the file {path.name} that an earlier row calls "
                f"{owner!r}; call each image by one name, and by its folder where several have the same name"
            )
        if (known := by_image.setdefault(image_id, sample)) != sample:
            raise DataError(
                f"{table.path} row {number}: image {image_id!r} was {_told(known)} in an earlier row and is {_told(sample)} here; "
                f"mend one of the rows ({len(table.rows):,} in all)"
            )
    if missing:
        raise DataError(_missing_images(missing, len(by_image), table, source))
    if not by_image:
        why = f" with {config.subset_column} = 1" if config.subset_column else ""
        raise DataError(f"{table.path}: {len(table.rows):,} rows, none{why}; nothing to train on")
    return [by_image[image_id] for image_id in sorted(by_image)]


def _sample_of(  # noqa: PLR0913 - a row and its place
    table: Table,
    row: Mapping[str, str],
    number: int,
    config: DataConfig,
    *,
    labels: Labels,
    patients: Patients,
    image_id: str,
    path: Path,
) -> Sample:
    patient = patients.read(table, row, number)
    for called, column in ((image_id, config.image_column), (patient, patient_column(table, config))):
        if trouble := unfit(called):
            raise DataError(f"{table.path} row {number}: {column} = {shown(called)!r} {trouble}")
    return Sample(
        image_id=image_id,
        path=path,
        target=labels.read(table.value(row, config.target_column, number), number),
        patient=patient,
        part=_part(table, row, config.split_column, number) if config.split_column else None,
        site=(row[config.site_column] or None) if config.site_column else None,
    )


def _told(sample: Sample) -> str:
    """What a row says of its image, for a message."""
    part = "" if sample.part is None else f", part {sample.part}"
    site = "" if sample.site is None else f", site {sample.site!r}"
    return f"target {sample.target}, patient {sample.patient!r}{part}{site}"


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


def _part(table: Table, row: Mapping[str, str], column: str, number: int) -> str:
    text = table.value(row, column, number)
    if text.lower() not in PARTS:
        raise DataError(
            f"{table.path} row {number}: {column} = {text!r}; wanted train, val or test ({len(table.rows):,} rows)"
        )
    return PARTS[text.lower()]
