"""Each extra in an environment that holds nothing else, on the oldest and the newest Python: it installs, and it works.

What brings PyTorch is resolved and not installed: several GB that the tests of training have already.
"""

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import ProxyHandler, build_opener

import pytest

from support.distributions import VERSIONS, built, command, install, interpreter, new_environment, python, uv

pytestmark = pytest.mark.packaging

_UNREACHABLE = {
    "postgres": "postgresql://127.0.0.1:1/lab",
    "mysql": "mysql://127.0.0.1:1/lab",
    "mongo": "mongodb://127.0.0.1:1/lab?serverSelectionTimeoutMS=500",
}


@pytest.fixture(params=["3.11", "3.13"], ids=["oldest", "newest"])
def clean(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An empty environment of the oldest or the newest Python."""
    found = interpreter(request.param)
    if found is None:
        pytest.skip(f"not run: this machine has no Python {request.param}")
    return new_environment(tmp_path / "environment", python=found)


def _wheel(extra: str = "") -> str:
    return f"runstore{extra} @ {built('runstore').wheel.as_uri()}"


def _refused(environment: Path, *arguments: str) -> str:
    done = command(environment, *arguments)
    assert done.returncode in {1, 2}
    assert (done.stdout, done.stderr.count("\n"), "Traceback" in done.stderr) == ("", 1, False), done.stderr
    return done.stderr


def test_without_an_extra_runs_are_kept_in_memory_and_a_database_names_its_extra(clean: Path) -> None:
    install(clean, _wheel())

    done = python(
        clean,
        """
        import runstore
        with runstore.start_run("films", store="memory://", console=False) as run:
            run.log({"val/auroc": 0.5}, step=1)
        print(run.status)
        """,
    )

    assert (done.stdout, done.stderr) == ("completed\n", "")
    assert 'pip install "runstore[sql]"' in _refused(clean, "runs", "--store", "sqlite:///runs.db")


def test_with_sql_a_run_is_logged_listed_and_shown(clean: Path) -> None:
    install(clean, _wheel("[sql]"))

    logged = python(
        clean,
        """
        import runstore
        with runstore.start_run("films", config={"lr": 0.1}, store="sqlite:///runs.db", console=False) as run:
            for step in range(3):
                run.log({"val/auroc": step / 4}, step=step)
        print(run.id)
        """,
    )
    listed = command(clean, "runs", "--store", "sqlite:///runs.db", "--json")
    shown = command(clean, "show", logged.stdout.strip(), "--store", "sqlite:///runs.db")

    assert (logged.stderr, listed.stderr, shown.stderr) == ("", "", "")
    assert [run["status"] for run in json.loads(listed.stdout)] == ["completed"]
    assert "auroc" in shown.stdout
    assert "0.5" in shown.stdout


def test_with_ui_the_page_is_served_with_all_that_it_asks_for(clean: Path) -> None:
    install(clean, _wheel("[sql,ui]"))
    python(clean, "import runstore; runstore.open_store('sqlite:///runs.db').close()")

    words = [str(clean / "bin" / "runstore"), "ui", "--store", "sqlite:///runs.db", "--port", "0"]
    with subprocess.Popen(words, cwd=clean, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as served:
        try:
            assert served.stdout is not None
            address = served.stdout.readline().strip()
            asked = re.findall(r'(?:src|href)="([^"#]+\.(?:css|js)[^"]*)"', _fetched(address))
            sizes = [len(_fetched(urljoin(address, each))) for each in asked]
        finally:
            served.terminate()

    assert sizes
    assert min(sizes) > 0


def _fetched(address: str) -> str:
    with build_opener(ProxyHandler({})).open(address) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("extra", _UNREACHABLE)
def test_with_a_servers_driver_a_server_that_is_down_is_said_to_be(clean: Path, extra: str) -> None:
    install(clean, _wheel(f"[{extra}]"))

    said = _refused(clean, "runs", "--store", _UNREACHABLE[extra])

    assert "127.0.0.1:1/lab" in said
    assert re.search("server (is up|running)", said), said


def test_all_that_can_be_installed_beside_each_other_fits_together(clean: Path) -> None:
    everything = (_wheel("[all]"), built("runstore-testing").wheel, built("pneumo-train").wheel)

    uv("pip", "install", "--dry-run", "--quiet", "--python", clean / "bin" / "python", *VERSIONS, *everything)
