"""Signs that several images are of one child though the configuration takes each for a patient of its own."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from pneumo_train.config.data import DataConfig
from pneumo_train.samples import Sample
from pneumo_train.sources.rows import patient_column
from pneumo_train.sources.table import Header, Table
from pneumo_train.words import enumerated, quoted, split_ending

_PATIENT_WORD = re.compile(r"patient|subject|person|child|participant|individual|mrn", re.IGNORECASE)
_ABOUT_PATIENTS = frozenset(
    {"age", "sex", "gender", "birth", "dob", "weight", "height", "size", "position", "orientation", "race", "ethnicity"}
)
"""A column with one of these words describes patients, and names none."""
_LAST_PART = re.compile(r"(.*\d.*?)[_\-. ]+[^_\-. ]+")
_MOST_FILMS = 20
"""Of one child, on average: names that share more are numbered by folder, year or device."""


def patient_notes(
    samples: Iterable[Sample], table: Table, tables: Mapping[str, Header], config: DataConfig
) -> list[str]:
    """What a person should look at before trusting the split: at most one sentence, with the option to give."""
    samples = list(samples)
    if patient_column(table, config) != config.image_column or len({sample.patient for sample in samples}) < len(
        samples
    ):
        return []
    sign = _column_of(table, config) or _table_of(table, tables, config) or _names_of(samples)
    if sign is None:
        return []
    start = "each image counts as a patient of its own: images of one child may lie in two parts, and intervals are too narrow"
    return [f"{start}; {sign}"]


def _column_of(table: Table, config: DataConfig) -> str | None:
    """A column of the table that looks as if it named the patient."""
    for column in table.header.columns:
        if column == config.image_column or not _names_patients(column):
            continue
        patients = {row[column] for _, row in table.rows}
        images = {row[config.image_column] for _, row in table.rows}
        if 1 < len(patients) < len(images):
            return (
                f"the column {column!r} has {len(patients):,} values for {len(images):,} images: if it names the child, "
                f"give --data.patient_column {quoted(column)}"
            )
    return None


def _names_patients(column: str) -> bool:
    """Whether it may say who somebody is, and not how old, as ``Patient Age`` does."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", column)
    return bool(_PATIENT_WORD.search(column)) and not _ABOUT_PATIENTS & {word.lower() for word in words}


def _table_of(table: Table, tables: Mapping[str, Header], config: DataConfig) -> str | None:
    """Another table of the source that looks as if it knew the patients."""
    for name, header in tables.items():
        if config.image_column not in header.columns:
            continue
        fresh = [column for column in header.columns if column not in table.header.columns]
        for column in filter(_names_patients, fresh):
            return (
                f"{name} has the column {column!r}: if it names the child, give --data.groups_csv {quoted(name)} "
                f"--data.patient_column {quoted(column)}"
            )
    return None


def _names_of(samples: list[Sample]) -> str | None:
    """Names that differ in their last part alone, as ``person7_virus_1`` and ``person7_virus_2`` do."""
    groups: dict[str, list[str]] = defaultdict(list)
    for sample in samples:
        if match := _LAST_PART.fullmatch(split_ending(sample.image_id)[0]):
            groups[match[1]].append(sample.image_id)
    shared = {prefix: names for prefix, names in groups.items() if len(names) > 1}
    count = sum(map(len, shared.values()))
    if not shared or len(groups) == 1 or count > _MOST_FILMS * len(shared):
        return None
    names = enumerated(next(iter(shared.values())), at_most=2)
    return (
        f"the names of {count:,} of them look like several images of one child, as {names}: if they are, say what of a name is the child "
        "(--data.patient_pattern), or name a column that knows it (--data.patient_column)"
    )


def twin_notes(samples: list[Sample], hashes: Iterable[str], validation: Iterable[Sample]) -> list[str]:
    """Images that are the same, byte for byte, under several names."""
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample, found in zip(samples, hashes, strict=True):
        groups[found].append(sample)
    twins = [group for group in groups.values() if len(group) > 1]
    if not twins:
        return []
    held_out = {sample.path for sample in validation}
    apart = sum(len({sample.path in held_out for sample in group}) > 1 for group in twins)
    labels = sum(len(Counter(sample.target for sample in group)) > 1 for group in twins)
    names = enumerated([sample.path.name for sample in twins[0]], at_most=2)
    start = f"{len(twins):,} images are there more than once under different names, as {names}"
    return [
        f"{start}; {apart:,} of them lie in the training and in the validation part, {labels:,} have different labels"
    ]
