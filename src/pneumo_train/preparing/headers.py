"""What DICOM headers say of whom films show: columns beside those of the table, and patients that a split has cut in two."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from pneumo_train.config.data import DataConfig
from pneumo_train.errors import DataError, SourceError
from pneumo_train.images.films import in_threads
from pneumo_train.images.header import ENDINGS, KEYWORDS, read_header
from pneumo_train.samples import Sample, Split
from pneumo_train.sources.rows import patient_column
from pneumo_train.sources.source import Source
from pneumo_train.sources.table import Header, Table
from pneumo_train.words import shown

PREFIX = "dicom."
PATIENT = f"{PREFIX}PatientID"
"""The column of the patients by the headers, under pseudonyms: what a hospital calls them is kept nowhere."""

_ADVICE = f"give --data.patient_column {PATIENT}"


def with_headers(table: Table, source: Source, image_column: str) -> Table:
    """The table with a column for each element that the headers of its films have, as ``dicom.PatientSex``.

    Patients are called dicom.1, dicom.2 and so on, in the order of the images' names; a film whose header names nobody is one of its own. Where
    all films name one patient, that names nobody.
    """
    if not ENDINGS & source.images.endings():
        return table
    found: dict[str, Path] = {}
    for _, row in table.rows:
        with suppress(
            SourceError
        ):  # several could be meant: an error, if the row counts, of the one who reads the samples
            path = source.images.find(row[image_column])
            if path is not None and path.suffix.lower() in ENDINGS:
                found[row[image_column]] = path
    names = sorted(found)
    with in_threads(lambda index: read_header(found[names[index]]), len(names)) as headers:
        told = dict(zip(names, headers, strict=True))
    columns = [keyword for keyword in KEYWORDS if any(keyword in header for header in told.values())]
    patients = _pseudonyms(told)
    if not patients:
        columns = [keyword for keyword in columns if keyword != "PatientID"]
    fresh = [f"{PREFIX}{keyword}" for keyword in columns if f"{PREFIX}{keyword}" not in table.header.columns]
    if not fresh:
        return table

    def cells(image: str) -> dict[str, str]:
        header = told.get(image, {})
        values = {f"{PREFIX}{keyword}": header.get(keyword, "") for keyword in columns}
        return {column: patients.get(image, image) if column == PATIENT else values[column] for column in fresh}

    rows = [(number, row | cells(row[image_column])) for number, row in table.rows]
    return Table(path=table.path, header=Header(columns=(*table.header.columns, *fresh)), rows=rows)


def advice_of(column: str, source: Source) -> str:
    """Why there is no such column of headers, and what to do; empty of a column that is none."""
    if not column.startswith(PREFIX):
        return ""
    if column.removeprefix(PREFIX) not in KEYWORDS:
        return f"of headers are read {', '.join(f'{PREFIX}{keyword}' for keyword in KEYWORDS)}"
    if not ENDINGS & source.images.endings():
        return (
            f"it is read from the headers of DICOM films, and none of the {len(source.images):,} images is one "
            f"({', '.join(sorted(ENDINGS))}); name a column of the table"
        )
    if find_spec("pydicom") is None:
        return 'headers of DICOM films are read by pydicom, which is not installed: pip install "pneumo-train[dicom]"'
    if column == PATIENT:
        return (
            "the headers of all films name the same patient, or nobody, which tells none apart; name a column of the table, or "
            "the part of a name that is the patient (--data.patient_pattern)"
        )
    return "the headers of no film of the table have it; name a column of the table"


def _pseudonyms(told: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """By image, of those whose headers name a patient; none where they all name one."""
    ids = {image: header["PatientID"] for image, header in told.items() if "PatientID" in header}
    start = PREFIX
    while any(image.startswith(start) for image in told):
        start = f"_{start}"  # or an image would be taken for a patient
    numbers = {each: f"{start}{number}" for number, each in enumerate(dict.fromkeys(ids.values()), start=1)}
    return {image: numbers[each] for image, each in ids.items()} if len(numbers) > 1 else {}


def header_notes(samples: Sequence[Sample], table: Table, config: DataConfig) -> list[str]:
    """That headers tell patients apart where the configuration takes each image for one; at most one sentence."""
    if patient_column(table, config) != config.image_column:
        return []
    owners = _owners(samples, table, config)
    known = {sample.image_id: owners[sample.image_id] for sample in samples if sample.image_id in owners}
    if not known or len(set(known.values())) == len(known) or len({each.patient for each in samples}) < len(samples):
        return []
    start = "each image counts as a patient of its own: images of one child may lie in two parts, and intervals are too narrow"
    return [f"{start}; the DICOM headers name {len(set(known.values())):,} patients of {len(known):,} films: {_ADVICE}"]


def cut_notes(samples: Sequence[Sample], split: Split, table: Table, config: DataConfig) -> list[str]:
    """That patients, as DICOM headers name them, have films in two parts; at most one sentence, an error where leaks are refused.

    Raises:
        DataError: there are such patients, and ``data.equal_images`` is ``refuse``.
    """
    owners = _owners(samples, table, config)
    cut: dict[str, tuple[str, str]] = {}
    parts = split.parts()
    for first, second in itertools.combinations(parts, 2):
        places: dict[str, list[Sample]] = defaultdict(list)
        for sample in parts[second]:
            places[owners.get(sample.image_id, "")].append(sample)
        for sample in parts[first]:
            owner = owners.get(sample.image_id)
            if owner and owner in places and owner not in cut:
                other = places[owner][0]
                cut[owner] = (f"{shown(sample.path.name)} ({first})", f"{shown(other.path.name)} ({second})")
    if not cut:
        return []
    films = Counter(owners.get(sample.image_id) for part in parts.values() for sample in part)
    example, count = next(iter(cut.values())), sum(films[owner] for owner in cut)
    told = f"by their DICOM headers, {len(cut):,} patients with {count:,} films lie in two parts, as {' and '.join(example)}"
    if config.equal_images == "refuse":
        raise DataError(
            f"{told}: a score on them is no score of unseen patients; {_ADVICE}, or allow it (--data.equal_images warn)"
        )
    return [f"{told}: if the headers are right, {_ADVICE}"]


def _owners(samples: Sequence[Sample], table: Table, config: DataConfig) -> dict[str, str]:
    """The patient of each film by its header, where that is another column than the one that is split by."""
    if PATIENT not in table.header.columns or patient_column(table, config) == PATIENT:
        return {}
    wanted = {sample.image_id for sample in samples}
    rows = {row[config.image_column]: row[PATIENT] for _, row in table.rows if row[config.image_column] in wanted}
    return {image: owner for image, owner in rows.items() if owner != image}
