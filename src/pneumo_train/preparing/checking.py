"""What ``pneumo-train check`` says of a source."""

import os
from typing import Any

from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import PneumoTrainError, UnreadableError
from pneumo_train.preparing.data_report import data_report
from pneumo_train.preparing.headers import PREFIX
from pneumo_train.preparing.reading import Reading, read_source
from pneumo_train.sources.source import survey
from pneumo_train.sources.table import Header
from pneumo_train.terminal import Track


def check_source(path: str | os.PathLike[str], config: TrainConfig, *, track: Track = iter) -> dict[str, Any]:
    """What a source holds, and whether it can be trained on; every image is decoded for it. Needs no torch.

    Returns:
        ``valid``, ``csv_files``, ``csv_file`` (the one that is used), ``image_count`` and ``total_files`` (what lies in
        the source), ``columns`` of the table, ``patient_column`` (the one that says whose image it
        is), ``images``, ``positives`` and ``patients`` (of the table), ``split`` (the
        same of each part, and the images left out as test data), ``data`` (the report that ``fit`` keeps, once every image could be
        read), ``unreadable`` (each file that cannot be read, with the reason), ``notes`` (what to look at, though it is no error) and
        ``error`` (the message, or ``None``).
    """
    report: dict[str, Any] = {
        "valid": False, "csv_files": [], "csv_file": None, "image_count": 0, "total_files": 0, "columns": [], "patient_column": None,
        "images": 0, "positives": 0, "patients": 0, "split": {}, "data": None, "unreadable": [], "notes": [], "error": None,
    }  # fmt: skip
    try:
        with read_source(path, config, is_split=False) as whole:
            report |= _describe(whole) | {"split": {}}  # known, whatever becomes of the split
            reading = whole.divided()
            report |= _describe(reading)
            films = reading.decode(track=track)
            report["data"] = data_report(reading, films)
            report["notes"] += films.notes
            report["valid"] = True
    except UnreadableError as error:
        report |= {"unreadable": list(error.files), "error": str(error)}
    except PneumoTrainError as error:
        report |= survey(path, config.data) | {"error": str(error)}
    return report


def _describe(reading: Reading) -> dict[str, Any]:
    source, samples = reading.source, reading.samples
    header = source.tables.get(source.csv_name, Header()) if source.csv_name else reading.table.header
    return {
        "csv_files": list(source.tables),
        "csv_file": source.csv_name,
        "image_count": len(source.images),
        "total_files": source.total_files,
        "columns": [*header.columns, *(each for each in reading.table.header.columns if each.startswith(PREFIX))],
        "patient_column": reading.patient_column,
        "images": len(samples),
        "positives": sum(sample.target for sample in samples),
        "patients": len({sample.patient for sample in samples}),
        "split": {**reading.split.describe(), "left_out": reading.split.left_out},
        "notes": list(reading.notes),
    }
