"""What images can be divided by: sex, band of age and view, where a table has columns of the usual names."""

import math
from collections.abc import Iterable, Mapping

from pneumo_train.errors import DataError
from pneumo_train.samples import Sample
from pneumo_train.sources.table import Table
from pneumo_train.words import shown, unfit

_COLUMNS = {
    "sex": frozenset({"sex", "gender", "patientsex", "patientgender", "dicompatientsex"}),
    "age": frozenset({"age", "ageyears", "ageinyears", "patientage", "patientageyears", "dicompatientage"}),
    "view": frozenset({"view", "viewposition", "position", "projection", "dicomviewposition"}),
}
"""The usual names, in small letters and without what is no letter."""

_SEXES = {"m": "M", "male": "M", "f": "F", "female": "F"}
_BANDS = (
    (2, "0-1"),
    (6, "2-5"),
    (12, "6-11"),
    (18, "12-17"),
    (40, "18-39"),
    (65, "40-64"),
    (80, "65-79"),
    (121, "80+"),
)
"""Below which age, in years, a band ends. Nobody is older than 120: such an age is not known."""
OLDEST = 120
_MOST_LEVELS = 20
_IN_A_YEAR = {"Y": 1, "M": 12, "W": 52, "D": 365}
"""How many of what DICOM counts ages in."""


def divisions_of(table: Table, image_column: str, samples: Iterable[Sample]) -> Mapping[str, tuple[str | None, ...]]:
    """For each division that the table has: what each sample belongs to, ``None`` where it is not known.

    A column whose cells are all empty, or that has more than 20 levels, divides nothing.
    """
    wanted = [sample.image_id for sample in samples]
    found: dict[str, tuple[str | None, ...]] = {}
    for name in _COLUMNS:
        column = _column_of(table, name)
        if column is None:
            continue
        by_image: dict[str, str | None] = {}
        for _, row in table.rows:
            image = row.get(image_column, "")
            by_image[image] = by_image.get(image) or level_of(name, row.get(column, ""))
        levels = tuple(by_image.get(image) for image in wanted)
        if 0 < len(set(levels) - {None}) <= _MOST_LEVELS:
            found[name] = levels
    return found


def require_levels(table: Table, image_column: str, samples: Iterable[Sample]) -> None:
    """Refuses before a training what could not be kept after it.

    Raises:
        DataError: what images are divided by has a name that no store keeps.
    """
    samples = tuple(samples)
    for name, levels in divisions_of(table, image_column, samples).items():
        for sample, level in zip(samples, levels, strict=True):
            if level is not None and (trouble := unfit(level)):
                raise DataError(f"{table.path}: the {name} of {shown(sample.image_id)!r}, {shown(level)!r}, {trouble}")


def level_of(division: str, cell: str) -> str | None:
    """What a cell says: ``M`` and ``F``, a band of ages, a view in capital letters; ``None`` where it says nothing."""
    text = cell.strip()
    if division == "sex":
        return _SEXES.get(text.lower(), text.upper() or None)
    if division == "age":
        years = _years(text)
        return None if years is None else next((band for below, band in _BANDS if 0 <= years < below), None)
    return text.upper() or None


def years_of(table: Table, rows: Iterable[Mapping[str, str]]) -> list[float]:
    """The ages that some rows of a table tell, impossible ones as well; those that are no number are left out."""
    column = _column_of(table, "age")
    if column is None:
        return []
    return [years for row in rows if (years := _years(row.get(column, ""))) is not None]


def _column_of(table: Table, division: str) -> str | None:
    """The first column of a usual name, one with values before one without."""
    found = [each for each in table.header.columns if _letters(each) in _COLUMNS[division]]
    told = (each for each in found if any(row.get(each) for _, row in table.rows))
    return next(told, found[0] if found else None)


def _years(cell: str) -> float | None:
    """A number, or DICOM's ``042Y`` and, of infants, ``007M``, ``003W`` and ``010D``."""
    text = cell.strip().upper()
    in_a_year = _IN_A_YEAR.get(text[-1:])
    try:
        years = float(text if in_a_year is None else text[:-1]) / (in_a_year or 1)
    except ValueError:
        return None
    return years if math.isfinite(years) else None


def _letters(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalpha())
