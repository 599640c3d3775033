"""Each contestant's own Python environment, with everything pinned, made by uv once and kept.

A peer's exact packages stand in ``environments/NAME.txt``, resolved from ``environments/NAME.in``::

    uv pip compile --python-version 3.11 --no-header --no-annotate NAME.in -o NAME.txt

Ours is installed from this checkout as a user gets it: a built wheel, with its modules compiled.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = Path(__file__).resolve().parent / "environments"

OURS = "runstore"
OURS_SQL = "runstore-sql"
OURS_PAGE = "runstore-page"
LIGHTNING = "lightning"
"""Everybody's loggers, ours among them, beside one Lightning; 5.4 GB of it are PyTorch."""

_OUR_EXTRAS = {OURS: "sql,postgres,mysql,mongo", OURS_SQL: "sql", OURS_PAGE: "ui,sql,postgres,mongo"}
_BESIDE = {OURS: ("numpy",), OURS_SQL: (), OURS_PAGE: ()}


class Environments:
    """The environments below one directory; a missing or outdated one is made when it is asked for.

    With ``here`` ours is the interpreter that runs the suite, as it is: for a quick look while changing the code.
    """

    def __init__(self, directory: Path, *, here: bool = False) -> None:
        self._directory = directory
        self._here = here
        self._ready: dict[str, Path] = {}

    def python(self, name: str) -> Path:
        """The interpreter of an environment."""
        if name not in self._ready:
            if self._here and name in _OUR_EXTRAS:
                self._ready[name] = Path(sys.executable)
            else:
                self._ready[name] = self._make(name)
        return self._ready[name]

    def versions(self, name: str, packages: Sequence[str]) -> dict[str, str]:
        """The installed versions of some packages."""
        code = (
            "import sys, json, importlib.metadata as m\n"
            "def v(p):\n"
            "    try: return m.version(p)\n"
            "    except m.PackageNotFoundError: return None\n"
            "print(' '.join(f'{p}={v(p)}' for p in sys.argv[1:]))"
        )
        output = subprocess.run(
            [str(self.python(name)), "-c", code, *packages], check=True, capture_output=True, text=True
        ).stdout
        found = dict(pair.split("=", 1) for pair in output.split())
        return {package: version for package, version in found.items() if version != "None"}

    def size(self, name: str) -> tuple[float, int]:
        """Megabytes of the installed packages, byte code included as pip leaves it, and the number of distributions."""
        site = next((self.python(name).parent.parent / "lib").glob("python3*")) / "site-packages"
        files = [path for path in site.rglob("*") if path.is_file() and not path.name.startswith("_virtualenv")]
        return sum(path.stat().st_size for path in files) / 1e6, len(list(site.glob("*.dist-info")))

    def _make(self, name: str) -> Path:
        place = self._directory / name
        python = place / "bin" / "python"
        stamp = place / ".lock"
        wanted = "" if name in _OUR_EXTRAS else (LOCKS / f"{name}.txt").read_text()
        if wanted and stamp.exists() and stamp.read_text() == wanted:
            self._install_beside(name, python)
            return python
        self._directory.mkdir(parents=True, exist_ok=True)
        (self._directory / ".gitignore").write_text("*\n")
        if not python.exists() or wanted or name == OURS_SQL:  # what is counted holds nothing of an earlier release
            shutil.rmtree(place, ignore_errors=True)
            _uv("venv", "--quiet", "--python", sys.executable, str(place))
        install = ["pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
        if wanted:
            _uv(*install, "--no-deps", "-r", str(LOCKS / f"{name}.txt"))
        else:
            project = f"runstore[{_OUR_EXTRAS[name]}] @ {ROOT.as_uri()}"
            _uv(*install, "--reinstall-package", "runstore", project, *_BESIDE[name])
        stamp.write_text(wanted)
        self._install_beside(name, python)
        return python

    def _install_beside(self, name: str, python: Path) -> None:
        if name == LIGHTNING:  # what ours needs is pinned there with the rest
            options = ("--quiet", "--compile-bytecode", "--no-deps", "--reinstall-package", "runstore")
            _uv("pip", "install", *options, "--python", str(python), f"runstore @ {ROOT.as_uri()}")


def our_version() -> str:
    """The version that the checkout gives itself."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def _uv(*arguments: str) -> None:
    program = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        raise SystemExit("the suite makes its environments with uv, which was not found: pip install uv")
    result = subprocess.run([program, *arguments], check=False, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"uv {' '.join(arguments)} ended with {result.returncode}:\n{result.stderr.strip()}")
