"""The page says which stored formats there are; of each that was followed by another, something is kept and read."""

import re
from pathlib import Path

import pytest

from documentation.pages import ROOT
from runstore.moving.layout import VERSION as EXPORT
from runstore.predictions.layout import VERSION as PREDICTIONS
from runstore.recording.frames import FORMAT_VERSION as JOURNAL
from runstore.rounds.files import VERSION as ROUNDS
from runstore_mongo.schema.opening import VERSION as MONGODB
from runstore_sql.schema.tables import SCHEMA_VERSION as SQL

_TESTS = ROOT / "tests"
_FORMATS = {
    "SQL databases": SQL,
    "MongoDB databases": MONGODB,
    "journals": JOURNAL,
    "exports": EXPORT,
    "[files of predictions](predictions.md)": PREDICTIONS,
    "[files of rounds](rounds.md)": ROUNDS,
}
_KEPT = {
    ("SQL databases", 1): "runstore_sql/landed/sqlite.db.gz",
    ("MongoDB databases", 1): "runstore_mongo/landed/store_1.json",
    ("journals", 1): "recording/format-1",
    ("exports", 1): "exporting/layout-1",
    ("[files of predictions](predictions.md)", 1): "runstore/predictions/format-1",
    ("[files of rounds](rounds.md)", 1): "runstore/rounds/format-1",
}


@pytest.mark.parametrize("stored", _FORMATS)
def test_the_page_names_each_format_up_to_the_one_that_is_written(stored: str) -> None:
    page = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")

    (named,) = re.findall(rf"\| {re.escape(stored)} \| ([\d, ]+) \| for ever \|", page)
    assert [int(each) for each in named.split(",")] == list(range(1, _FORMATS[stored] + 1))


@pytest.mark.parametrize("stored", _FORMATS)
def test_something_is_kept_of_each_format_that_was_followed_by_another(stored: str) -> None:
    kept = {number: Path(path) for (what, number), path in _KEPT.items() if what == stored}

    assert set(range(1, _FORMATS[stored])) - set(kept) == set()
    assert [path for path in kept.values() if not (_TESTS / path).exists()] == []
