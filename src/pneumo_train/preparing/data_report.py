"""The data report: what a source holds, part by part, with what a person should know before trusting a score on it."""

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pneumo_train.preparing.divisions import OLDEST, divisions_of, years_of
from pneumo_train.preparing.reading import DecodedSplit, Reading
from pneumo_train.samples import Sample
from pneumo_train.sources.table import Table

_LISTED = 20
_CLASS = "class"
"""The RSNA metadata's column of finer classes, which folders of classes have as well."""


def data_report(reading: Reading, films: DecodedSplit) -> dict[str, Any]:
    """Everything that is known of the data, ready for JSON."""
    split = reading.split
    used = [sample for samples in split.parts().values() for sample in samples]
    return {
        "source": str(reading.source.path),
        "table": reading.source.csv_name,
        "patient_column": reading.patient_column,
        **_counts(used),
        "unused_images": len(reading.samples) - len(used),
        "most_images_of_a_patient": max(Counter(sample.patient for sample in used).values()),
        "parts": {name: {**_counts(samples), **_divided(reading, samples)} for name, samples in split.parts().items()},
        "split_hash": split.digest(),
        "data_hash": films.data_hash,
        **_columns(reading, used),
        "duplicates": films.leaks.describe(),
        "notes": [*reading.notes, *films.notes],
    }


def report_text(report: Mapping[str, Any]) -> str:
    """The report for people, a fact a line."""
    return "\n".join(_lines(report)) + "\n"


def _counts(samples: Sequence[Sample]) -> dict[str, Any]:
    positives = sum(sample.target for sample in samples)
    return {
        "images": len(samples),
        "positives": positives,
        "prevalence": round(positives / len(samples), 4) if samples else None,
        "patients": len({sample.patient for sample in samples}),
    }


def _columns(reading: Reading, used: Sequence[Sample]) -> dict[str, Any]:
    """What the table says of the images beside their labels."""
    table, image_column = reading.table, reading.source.config.image_column
    wanted = {sample.image_id for sample in used}
    rows = {row[image_column]: row for _, row in table.rows if row[image_column] in wanted}
    empty = [column for column in table.header.columns if not any(row[column] for row in rows.values())]
    found: dict[str, Any] = {"empty_columns": empty}
    if _CLASS in table.header.columns and _CLASS not in empty:
        found["classes"] = _levels(row[_CLASS] for row in rows.values())
    found |= _divided(reading, used)
    ages = _ages(table, rows)
    return found | ({"ages": ages} if ages else {})


def _divided(reading: Reading, samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """How many of each sex, age band and view, where the table tells."""
    divisions = divisions_of(reading.table, reading.source.config.image_column, samples)
    return {name: _levels(level or "not known" for level in levels) for name, levels in divisions.items()}


def _levels(values: Any) -> dict[str, int]:
    return dict(Counter(values).most_common(_LISTED))


def _ages(table: Table, rows: Mapping[str, Mapping[str, str]]) -> dict[str, Any] | None:
    """In years. Impossible ones are kept as they are, and counted."""
    known = years_of(table, rows.values())
    if not known:
        return None
    impossible = [age for age in known if not 0 <= age <= OLDEST]
    possible = [age for age in known if 0 <= age <= OLDEST]
    spread = (
        {"least": min(possible), "median": statistics.median(possible), "greatest": max(possible)} if possible else {}
    )
    return {
        "known": len(known),
        **spread,
        "impossible": len(impossible),
        "impossible_ages": sorted(set(impossible))[:_LISTED],
    }


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    yield f"images: {_spelled(report)}; of one patient at most {report['most_images_of_a_patient']}"
    for name, counts in report["parts"].items():
        yield f"{name} part: {_spelled(counts)}"
    if report["unused_images"]:
        yield f"unused images: {report['unused_images']:,}"
    for key in ("classes", "sex", "age", "view"):
        if key in report:
            yield f"{key}: {', '.join(f'{level} {count:,}' for level, count in report[key].items())}"
    if ages := report.get("ages"):
        span = (
            f", {ages['least']:g} to {ages['greatest']:g} years, median {ages['median']:g}" if "least" in ages else ""
        )
        odd = ", ".join(f"{age:g}" for age in ages["impossible_ages"])
        yield f"ages: {ages['known']:,} known{span}" + (f"; {ages['impossible']:,} impossible, as {odd}" if odd else "")
    if report["empty_columns"]:
        yield f"empty columns: {', '.join(report['empty_columns'])}"
    yield from _duplicate_lines(report["duplicates"])


def _duplicate_lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"equal images: {found['equal_images']:,} under several names, {found['equal_with_different_labels']:,} of them with "
        f"different labels; {found['equal_across_parts']:,} pairs across parts"
    )
    yield from (f"equal: {pair}" for pair in found["equal_pairs"])
    yield f"nearly equal images: {found['near_across_parts']:,} pairs across parts ({found['near_means']})"
    yield from (f"nearly equal: {pair}" for pair in found["near_pairs"])


def _spelled(counts: Mapping[str, Any]) -> str:
    return (
        f"{counts['images']:,}, {counts['positives']:,} positive ({counts['prevalence']:.1%}), "
        f"{counts['patients']:,} patients"
    )
