"""Builds what a release uploads, and looks at it: the sdists and wheels of our three distributions, and a bill of materials.

    python scripts/distributions.py dist

The folder must not exist, or be empty. A wheel is built from its sdist, as whoever builds from the index would do it.
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

FOLDERS = (".", "distributions/testing", "distributions/pneumo-train")
LISTED_EXTRAS = "sql,postgres,mysql,mongo,import"
"""Whose packages the bill of materials has. PyTorch and the other frameworks are their user's own choice."""

_ROOT = Path(__file__).resolve().parent.parent
_BINARIES = Path(sys.executable).parent


def main() -> int:
    """Builds into the folder that is named, and gives the exit status."""
    parser = argparse.ArgumentParser(description="Builds and checks what a release uploads.")
    parser.add_argument("folder", type=Path, help="where to; it must not exist, or be empty")
    for path in build(_ROOT, parser.parse_args().folder.resolve()):
        print(path)
    return 0


def build(root: Path, folder: Path) -> list[Path]:
    """Builds a checkout into an empty folder, and gives what lies there."""
    if folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"{folder} holds files already; remove them, or name another folder")
    versions = ("--build-constraint", root / "constraints.txt")
    for each in FOLDERS:
        run("uv", "build", "--quiet", "--no-create-gitignore", *versions, "--out-dir", folder, root / each)
    wheels, sdists = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    run("check-wheel-contents", "--config", root / "pyproject.toml", *wheels)
    run("twine", "check", "--strict", *wheels, *sdists)
    return [*wheels, *sdists, _bill_of_materials(root, folder)]


def _bill_of_materials(root: Path, folder: Path) -> Path:
    """What ``pip install runstore`` brings with each database's driver, with versions and licences, as CycloneDX."""
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    wheel = folder / f"runstore-{version}-py3-none-any.whl"
    bill = folder / f"runstore-{version}.cdx.json"
    with tempfile.TemporaryDirectory(prefix="runstore-bill-") as environment:
        python = Path(environment) / "bin" / "python"
        run("uv", "venv", "--quiet", "--clear", "--python", sys.executable, environment)
        what = f"runstore[{LISTED_EXTRAS}] @ {wheel.resolve().as_uri()}"
        run("uv", "pip", "install", "--quiet", "--python", python, "--constraint", root / "constraints.txt", what)
        head = ("--pyproject", root / "pyproject.toml", "--mc-type", "library", "--output-reproducible")
        run("cyclonedx-py", "environment", *head, "--output-file", bill, python)
    return bill


def run(program: str, *arguments: str | Path, where: Path = _ROOT) -> None:
    """Runs a program of this environment; if it fails, what it printed is the end of this one."""
    words = [str(_BINARIES / program), *map(str, arguments)]
    done = subprocess.run(words, cwd=where, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise SystemExit(f"{' '.join([program, *words[1:]])} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
