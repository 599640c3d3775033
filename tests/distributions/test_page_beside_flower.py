"""The page with the Starlette and the uvicorn that Flower holds, which are older than those of constraints.txt."""

import json
import re
import subprocess
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

import pytest

from support.distributions import ROOT, built, new_environment, python, uv

pytestmark = pytest.mark.packaging

_HELD = ("starlette==1.3.*", "uvicorn==0.49.*")

_FILL = """
import runstore
with runstore.start_run("films", config={"lr": 0.1}, store="sqlite:///runs.db", console=False, name="first") as run:
    for step in range(30):
        run.log({"val/auroc": step / 40}, step=step)
    open("weights.bin", "wb").write(bytes(range(256)) * 400)
    run.log_artifact("weights.bin")
print(run.id)
"""


@pytest.fixture
def beside_flower(tmp_path: Path) -> Path:
    """An environment with them, and with everything else in the versions of constraints.txt."""
    environment = new_environment(tmp_path / "environment")
    names = tuple(held.partition("==")[0] for held in _HELD)
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    others = tmp_path / "constraints.txt"
    others.write_text("\n".join(line for line in lines if line.partition("==")[0] not in names))
    wheel = f"runstore[sql,ui] @ {built('runstore').wheel.as_uri()}"
    uv("pip", "install", "--quiet", "--python", environment / "bin" / "python", "--constraint", others, wheel, *_HELD)
    return environment


@pytest.fixture
def filled(beside_flower: Path) -> str:
    """The id of a run in a store of that environment."""
    done = python(beside_flower, _FILL)
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.fixture
def address(beside_flower: Path, filled: str) -> Iterator[str]:  # noqa: ARG001 - the store must be there
    """The whole address that ``runstore ui --write`` prints there, with its token."""
    words = [str(beside_flower / "bin" / "runstore"), "ui", "--store", "sqlite:///runs.db", "--port", "0", "--write"]
    with subprocess.Popen(words, cwd=beside_flower, stdout=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None
            yield served.stdout.readline().strip()
        finally:
            served.terminate()


def test_a_table_a_run_a_chart_a_change_and_a_part_of_a_file_are_served(
    beside_flower: Path, address: str, filled: str
) -> None:
    opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def asked(where: str, fields: dict[str, str] | None = None, **headers: str) -> tuple[int, Any, str]:
        body = urlencode(fields).encode() if fields else None
        request = Request(urljoin(address, where), body, headers)
        with opener.open(request) as answer:
            return answer.status, answer.headers, answer.read().decode("latin-1")

    found = python(beside_flower, "import starlette; print(starlette.__version__)").stdout
    table = asked(address)[2]
    assets = re.findall(r'(?:src|href)="(assets/[^"]+)"', table)
    run = asked(f"run?id={filled}")[2]
    chart = json.loads(asked(f"chart.json?run={filled}&metric=auroc")[2])
    asked("change", {"do": "tag", "tag_text": "paper=yes", "run": filled})
    status, headers, part = asked(f"file?id={filled}&name=weights.bin", Range="bytes=256-511")

    assert found.startswith("1.3.")
    assert "first" in table
    assert [each for each in assets if not asked(each)[2]] == []
    assert "0.725" in run
    assert chart["total"] == 30
    assert "paper" in asked("./")[2]
    assert (status, headers["content-range"], len(part)) == (206, "bytes 256-511/102400", 256)
