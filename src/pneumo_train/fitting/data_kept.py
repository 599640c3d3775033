"""What a training keeps of its data: the report that ``check`` prints, and the split, to be taken again."""

import json
from pathlib import Path
from typing import Any

from pneumo_train.preparing.data_report import report_text
from pneumo_train.preparing.reading import Reading
from pneumo_train.result import DATA_REPORT, SPLIT_FILE
from pneumo_train.splitting.split_file import write_split
from runstore import media
from runstore.local.whole_files import write_whole
from runstore.training import RunSession


def write_split_file(reading: Reading, table: Path) -> Path:
    """Leaves the split beside the table of metrics, as ``….split.csv``."""
    path = table.with_suffix(".split.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, write_split(reading.samples, reading.split).encode("utf-8", "surrogateescape"))
    return path


def keep_data(session: RunSession, report: dict[str, Any], split_file: Path) -> None:
    """Keeps the report, for programs and for people, and the split."""
    session.log_media(media.text(f"{DATA_REPORT}.json", json.dumps(report, indent=2, ensure_ascii=False)))
    session.log_media(media.text(f"{DATA_REPORT}.txt", report_text(report)))
    session.log_artifact(split_file, name=SPLIT_FILE, artifact_type="data")
