"""Other tools, each in an environment of its own that is made once for all workers of a test run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from support import session
from support.processes import locked, state_directory

MAKERS = Path(__file__).resolve().parent / "makers"


_OLD: Final = (3, 11)
"""The Python that releases of years ago can be installed on."""


def tool(name: str, *requirements: str, is_old: bool = False) -> Path:
    """The interpreter of an environment with these requirements; the test counts as not run where it cannot be made.

    Args:
        name: of the environment.
        requirements: what is installed.
        is_old: whether that cannot be had on a newer Python than 3.11.
    """
    python = ".".join(map(str, _OLD)) if is_old and sys.version_info[:2] > _OLD else sys.executable
    folder = state_directory() / f"tool-{name}"
    with locked(state_directory() / f"tool-{name}.lock"):
        if not (folder / "ready").exists():
            _uv("venv", "--quiet", "--clear", "--no-python-downloads", "--python", python, str(folder))
            _uv("pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *requirements)
            (folder / "ready").touch()
    return folder / "bin" / "python"


def made_by(python: Path, maker: str, *arguments: str, folder: Path) -> str:
    """What a program of ``support/makers`` prints; it runs in a folder, and leaves there what the tool writes."""
    done = subprocess.run(
        [python, MAKERS / maker, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "WANDB_", "PYTHON"))}


def _uv(*arguments: str) -> None:
    beside_python = Path(sys.executable).with_name("uv")
    program = str(beside_python) if beside_python.exists() else shutil.which("uv")
    if program is None:
        session.missing("tools: uv is not installed", needed=os.environ.get("RUNSTORE_TEST_REQUIRE") == "all")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        session.missing(
            f"tools: {' '.join(arguments)} failed: {done.stderr[-500:]}",
            needed=os.environ.get("RUNSTORE_TEST_REQUIRE") == "all",
        )
