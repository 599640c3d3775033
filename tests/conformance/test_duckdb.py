"""The contract on the example of an outside author: installed as a stranger would, found by its scheme, run whole."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from runstore import open_store
from runstore.plugins.registry import find_backends
from runstore.testing import Harness, RunStoreConformance
from support import session

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "third_party_backend"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example's wheel, built and installed into a folder of its own, which is then on the path."""
    required = os.environ.get("RUNSTORE_TEST_REQUIRE") == "all"
    pytest.importorskip("duckdb", reason="duckdb is not installed") if not required else import_module("duckdb")
    beside_python = Path(sys.executable).with_name("uv")
    uv = str(beside_python) if beside_python.exists() else shutil.which("uv")
    if uv is None:
        session.missing("example backend: uv is not installed", needed=required)
    folder = tmp_path_factory.mktemp("installed")
    command = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--target", str(folder)]
    done = subprocess.run([*command, str(EXAMPLE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with pytest.MonkeyPatch.context() as patch:
        for name in [each for each in sys.modules if each.partition(".")[0] in ("runstore_duckdb", "duckdb_harness")]:
            patch.delitem(sys.modules, name)  # of an earlier folder: a worker may come to these tests twice
        patch.syspath_prepend(folder)
        patch.syspath_prepend(EXAMPLE / "tests")
        yield folder


@pytest.fixture(scope="module")
def harness(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Harness:
    """The harness that the example's own test uses."""
    assert installed.exists()
    made: Harness = import_module("duckdb_harness").DuckHarness(tmp_path_factory.mktemp("duckdb"))
    return made


def test_the_installed_example_is_found_by_its_scheme(installed: Path, tmp_path: Path) -> None:
    backend = find_backends().backend_for("duckdb")

    with open_store(f"duckdb:///{tmp_path / 'runs.duckdb'}", durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("by scheme"))

    assert backend.name == "duckdb"
    assert run_id
    assert Path(import_module("runstore_duckdb").__file__ or "").is_relative_to(installed)


class TestDuckDB(RunStoreConformance):
    backend = "duckdb (example)"
