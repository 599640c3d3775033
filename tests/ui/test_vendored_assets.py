"""What the page brings that is not ours: each file is listed, unchanged, and has its licence beside it."""

import hashlib
import tomllib
from pathlib import Path

import runstore_ui

FOLDER = Path(runstore_ui.__file__).parent / "assets" / "vendor"
LISTED = tomllib.loads((FOLDER / "manifest.toml").read_text())["file"]


def test_each_file_that_is_not_ours_is_listed() -> None:
    found = {each.name for each in FOLDER.iterdir()}

    assert found == {
        "manifest.toml",
        *(each["name"] for each in LISTED),
        *(each["licence_file"] for each in LISTED),
    }


def test_each_file_that_is_not_ours_is_what_its_package_has() -> None:
    digests = {each["name"]: hashlib.sha256((FOLDER / each["name"]).read_bytes()).hexdigest() for each in LISTED}

    assert digests == {each["name"]: each["sha256"] for each in LISTED}


def test_each_licence_is_there() -> None:
    assert [each["licence"] for each in LISTED if not (FOLDER / each["licence_file"]).read_text().strip()] == []
