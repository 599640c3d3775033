"""What this checkout builds, once for all workers, and environments that hold nothing else."""

import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support import session
from support.processes import locked, state_directory

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS: Mapping[str, Path] = {
    "runstore": ROOT,
    "runstore-testing": ROOT / "distributions" / "testing",
    "pneumo-train": ROOT / "distributions" / "pneumo-train",
}
VERSIONS = ("--constraint", ROOT / "constraints.txt", "--build-constraint", ROOT / "constraints.txt")


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """One distribution: its sdist, the wheel that the sdist builds, and the one that the checkout builds."""

    sdist: Path
    wheel: Path
    wheel_of_checkout: Path


def uv(*arguments: str | Path) -> None:
    """Runs uv, which must be there."""
    beside_python = Path(sys.executable).with_name("uv")
    program = str(beside_python) if beside_python.exists() else shutil.which("uv")
    if program is None:
        session.missing("packaging: uv is not installed", needed=os.environ.get("RUNSTORE_TEST_REQUIRE") == "all")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"uv {arguments}: {done.stderr}"


def built(name: str) -> Built:
    """A distribution of this checkout; the first who asks builds it."""
    folder = state_directory() / "distributions" / name
    with locked(state_directory() / f"distributions-{name}.lock"):
        if not folder.exists():
            unfinished = folder.with_name(f"{name}-unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            uv("build", "--quiet", *VERSIONS[2:], "--out-dir", unfinished, FOLDERS[name])
            uv("build", "--quiet", *VERSIONS[2:], "--wheel", "--out-dir", unfinished / "checkout", FOLDERS[name])
            unfinished.rename(folder)
    return Built(
        sdist=next(folder.glob("*.tar.gz")),
        wheel=next(folder.glob("*.whl")),
        wheel_of_checkout=next((folder / "checkout").glob("*.whl")),
    )


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def new_environment(place: Path, *, python: str | Path = sys.executable) -> Path:
    """An empty environment of a Python."""
    uv("venv", "--quiet", "--clear", "--no-python-downloads", "--python", python, place)
    return place


def install(environment: Path, *what: str | Path) -> None:
    """Installs into an environment, in the versions of constraints.txt."""
    uv("pip", "install", "--quiet", "--python", environment / "bin" / "python", *VERSIONS, *what)


def python(environment: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Runs a program away from the checkout, and without its paths: only what is installed can be found."""
    return subprocess.run(
        [environment / "bin" / "python", "-I", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        cwd=environment,
        check=False,
    )


def command(environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command ``runstore`` of an environment, on a wide terminal."""
    return subprocess.run(
        [environment / "bin" / "runstore", *arguments],
        capture_output=True,
        text=True,
        cwd=environment,
        env={**os.environ, "COLUMNS": "200"},
        check=False,
    )


def interpreter(version: str) -> Path | None:
    """A Python of this version on this machine, or nothing; the shims of pyenv are on the path without working."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    named = shutil.which(f"python{version}")
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for candidate in [Path(sys.executable), *([Path(named)] if named else []), *pyenv]:
        done = subprocess.run([candidate, "-c", ask], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return None
