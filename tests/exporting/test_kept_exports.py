"""Exports of every layout that a release has written are read for ever."""

import json
from pathlib import Path

import pytest

from runstore.backend import BackendStore
from runstore.importing import bring_from, source_at
from support.landed import FOLDER, told

_TOLD = json.loads((FOLDER / "told.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("layout", ["layout-1"])
def test_a_kept_export_comes_back_with_all_that_was_in_its_store(layout: str, target: BackendStore) -> None:
    report = bring_from(source_at(str(Path(__file__).parent / layout)), target)

    assert (report.brought.points, report.brought.files, report.findings) == (1213, 3, ())
    assert told(target) == _TOLD
    with target.open_artifact("parent", "weights.bin") as stream:
        assert stream.read() == b"weights"
