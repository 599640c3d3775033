"""How much a user's disk gives for runs in SQLite, byte code included; and how much the page fetches."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.distributions import VERSIONS, built, new_environment, uv

pytestmark = pytest.mark.packaging

_MOST_BYTES = 40_000_000
_MOST_FETCHED = 1_000_000
_PAGE = ("jinja2", "starlette", "uvicorn")


def test_with_sql_forty_megabytes_are_installed_at_most(tmp_path: Path) -> None:
    environment = new_environment(tmp_path / "environment")
    wheel = f"runstore[sql] @ {built('runstore').wheel.as_uri()}"
    python = environment / "bin" / "python"
    uv("pip", "install", "--quiet", "--compile-bytecode", "--python", python, *VERSIONS, wheel)

    (site,) = environment.glob("lib/python3*/site-packages")
    sizes: dict[str, int] = {}
    for path in site.rglob("*"):
        if path.is_file() and not path.name.startswith("_virtualenv"):  # uv's own, in each environment
            top = path.relative_to(site).parts[0]
            sizes[top] = sizes.get(top, 0) + path.stat().st_size

    assert sizes["sqlalchemy"] > 1_000_000
    assert sum(sizes.values()) <= _MOST_BYTES, sorted(sizes.items(), key=lambda each: -each[1])


def test_the_page_fetches_a_megabyte_of_wheels_at_most(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(tmp_path), "--only-binary", ":all:"]
    done = subprocess.run([*words, *map(str, VERSIONS[:2]), *_PAGE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    sizes = {wheel.name: wheel.stat().st_size for wheel in tmp_path.glob("*.whl")}
    assert len(sizes) > len(_PAGE)
    assert sum(sizes.values()) <= _MOST_FETCHED, sizes
