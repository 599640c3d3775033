"""What is not needed is not imported: each rule is checked in an interpreter of its own."""

import subprocess
import sys

import pytest

from runstore import open_store

_DRIVERS = {"alembic", "bson", "gridfs", "psycopg", "pymongo", "pymysql", "sqlalchemy"}
_FRAMEWORKS = {"lightning", "pytorch_lightning", "torch", "torchmetrics", "torchvision"}
_TABLES = {"numpy", "pandas", "polars", "pyarrow"}
_SLOW = {"asyncio", "fsspec", "msgspec", "numpy", "pluggy", "rich", "tenacity"}
_SLOW_STANDARD = {
    "dataclasses",
    "email",
    "http",
    "json",
    "logging",
    "pathlib",
    "sqlite3",
    "subprocess",
    "urllib",
    "zipfile",
}
"""Of the standard library; ``importlib.metadata`` shows as ``email`` and ``zipfile``."""


def _loaded_by(program: str) -> set[str]:
    """The top-level modules that are loaded once the program has run."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint('LOADED', *sys.modules)"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()[1:]}


def test_importing_runstore_imports_no_driver_no_framework_and_nothing_slow() -> None:
    loaded = _loaded_by("import runstore")

    assert loaded & (_DRIVERS | _FRAMEWORKS | _SLOW) == set()


def test_listing_the_backends_imports_no_driver_and_no_framework() -> None:
    loaded = _loaded_by("from runstore.plugins.registry import find_backends; find_backends()")

    assert loaded & (_DRIVERS | _FRAMEWORKS) == set()


def test_opening_a_memory_store_imports_no_driver_and_no_framework() -> None:
    loaded = _loaded_by("from runstore import open_store\nwith open_store('memory://', durable=False): pass")

    assert loaded & (_DRIVERS | _FRAMEWORKS) == set()


def test_importing_the_trainer_imports_no_framework() -> None:
    loaded = _loaded_by("import pneumo_train")

    assert loaded & (_DRIVERS | _FRAMEWORKS) == set()


@pytest.mark.parametrize("module", ["runstore.cli", "pneumo_train.cli"])
def test_the_help_of_a_command_imports_no_driver_and_no_framework(module: str) -> None:
    program = f"""
import sys
sys.argv = ["command", "--help"]
from {module} import main
try:
    main()
except SystemExit as end:
    assert not end.code
"""

    loaded = _loaded_by(program)

    assert loaded & (_DRIVERS | _FRAMEWORKS) == set()


def test_the_help_of_runstore_imports_nothing_but_click_and_light_modules_of_the_standard_library() -> None:
    at_start = _loaded_by("")
    program = """
import sys
sys.argv = ["runstore", "--help"]
from runstore.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
"""

    loaded = _loaded_by(program) - at_start

    assert loaded - sys.stdlib_module_names == {"click", "runstore"}
    assert loaded & (_SLOW | _SLOW_STANDARD) == set()


def test_making_a_store_in_sqlite_imports_no_other_driver_no_framework_and_no_tables(sqlite_url: str) -> None:
    loaded = _loaded_by(f"from runstore import open_store\nwith open_store({sqlite_url!r}, durable=False): pass")

    assert loaded & (_DRIVERS | _FRAMEWORKS | _TABLES) == {"sqlalchemy"}


def test_a_list_of_runs_in_sqlite_imports_no_other_driver_no_framework_and_no_tables(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False):
        pass
    program = f"""
import sys
sys.argv = ["runstore", "runs", "--store", {sqlite_url!r}]
from runstore.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
"""

    loaded = _loaded_by(program)

    assert loaded & (_DRIVERS | _FRAMEWORKS | _TABLES) == {"sqlalchemy"}
