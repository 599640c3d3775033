"""The reference page lists every public name, and reads as text and links."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import runstore
from documentation.pages import ROOT

_ELSEWHERE = {
    "Health",
    "RecorderOptions",
    "RunSession",
    "RunStoreCallback",
    "RunStoreLogger",
    "fetch_checkpoint",
    "stored_health",
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The reference page of the built site."""
    if find_spec("mkdocs") is None:
        pytest.skip("mkdocs is not installed")
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return (Path(site) / "reference" / "index.html").read_text(encoding="utf-8")


def test_each_public_name_has_its_heading(reference: str) -> None:
    headings = {each.rpartition(".")[2] for each in re.findall(r'<h\d id="runstore\.([\w.]+)"', reference)}

    assert {*runstore.__all__, *_ELSEWHERE} - headings == set()


def test_no_role_is_left_as_it_is_written_in_a_docstring(reference: str) -> None:
    assert re.findall(r":\w+:<code>[^<]*</code>", reference) == []
    assert '<a href="#runstore.model.DatasetType"><code>DatasetType</code></a>' in reference
