"""The wheel as a stranger gets it: bare, with extras missing, and beside plugins that are broken or at odds.

Real distributions are built and installed into environments of their own, so these tests need ``uv``, and a package
index or a filled cache for the handful of small dependencies.
"""

import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from support import session
from support.processes import locked, state_directory

pytestmark = pytest.mark.packaging

_ROOT = Path(__file__).resolve().parent.parent
_VERSIONS = ("--constraint", _ROOT / "constraints.txt", "--build-constraint", _ROOT / "constraints.txt")
_PLUGINS: Mapping[str, str] = {
    "broken": "raise RuntimeError('I was written for another version')",
    "twin_a": "from support_plugin import backend; runstore_backends = backend('alpha', 'twin')",
    "twin_b": "from support_plugin import backend; runstore_backends = backend('beta', 'twin')",
    "sound": "from support_plugin import backend; runstore_backends = backend('sound', 'sound')",
}
_SUPPORT_PLUGIN = """
from runstore.hookspecs import Backend, hookimpl
from runstore.memory.store import MemoryStore

def backend(name, scheme):
    @hookimpl
    def runstore_backends():
        return [Backend(name=name, schemes=(scheme,), open=lambda url, options: MemoryStore())]
    return runstore_backends
"""


def _uv(*arguments: str | Path) -> None:
    beside_python = Path(sys.executable).with_name("uv")
    program = str(beside_python) if beside_python.exists() else shutil.which("uv")
    if program is None:
        session.missing("packaging: uv is not installed", needed=os.environ.get("RUNSTORE_TEST_REQUIRE") == "all")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"uv {arguments}: {done.stderr}"


def _install(environment: Path, *distributions: Path) -> None:
    _uv("pip", "install", "--quiet", "--python", environment / "bin" / "python", *_VERSIONS, *distributions)


def _python(environment: Path, program: str) -> subprocess.CompletedProcess[str]:
    # Away from the checkout, and without its paths: only what is installed can be found.
    return subprocess.run(
        [environment / "bin" / "python", "-I", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        cwd=environment,
        check=False,
    )


def _command(environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environment / "bin" / "runstore", *arguments],
        capture_output=True,
        text=True,
        cwd=environment,
        env={**os.environ, "COLUMNS": "200"},
        check=False,
    )


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The wheel of this checkout, built once for all workers."""
    folder = state_directory() / "wheel"
    with locked(state_directory() / "wheel.lock"):
        if not folder.exists():
            _uv("build", "--wheel", "--quiet", *_VERSIONS[2:], "--out-dir", folder.with_name("wheel-unfinished"), _ROOT)
            folder.with_name("wheel-unfinished").rename(folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def bare_environment(wheel: Path) -> Path:
    """An environment with ``pip install runstore`` and nothing more."""
    environment = state_directory() / "bare"
    with locked(state_directory() / "bare.lock"):
        if not (environment / "ready").exists():
            _uv("venv", "--quiet", "--clear", "--python", sys.executable, environment)
            _install(environment, wheel)
            (environment / "ready").touch()
    return environment


@pytest.fixture(scope="session")
def plugged_environment(wheel: Path) -> Path:
    """An environment with four third-party plugins: one broken, two that claim one scheme, one sound."""
    environment = state_directory() / "plugged"
    with locked(state_directory() / "plugged.lock"):
        if not (environment / "ready").exists():
            sources = [_write_plugin(name, module) for name, module in _PLUGINS.items()]
            support = _write_distribution("support_plugin", _SUPPORT_PLUGIN, entry_point=False)
            _uv("venv", "--quiet", "--clear", "--python", sys.executable, environment)
            _install(environment, wheel, support, *sources)
            (environment / "ready").touch()
    return environment


def _write_plugin(name: str, module: str) -> Path:
    return _write_distribution(name, module, entry_point=True)


def _write_distribution(name: str, module: str, *, entry_point: bool) -> Path:
    folder = state_directory() / "plugins" / name
    folder.mkdir(parents=True, exist_ok=True)
    project = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    project += f'[project]\nname = "{name.replace("_", "-")}-dist"\nversion = "1.2"\n'
    if entry_point:
        project += f'[project.entry-points.runstore]\n{name} = "{name}"\n'
    project += f'[tool.hatch.build.targets.wheel]\nonly-include = ["{name}.py"]\n'
    (folder / "pyproject.toml").write_text(project)
    (folder / f"{name}.py").write_text(module)
    return folder


def test_the_wheel_carries_types_licence_and_the_four_packages_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    packages = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    typed = {name for name in names if name.endswith("/py.typed")}
    assert packages == {"pneumo_train", "runstore", "runstore_mongo", "runstore_sql"}
    assert typed == {f"{package}/py.typed" for package in packages}
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert "runstore/cli/SKILL.md" in names


def test_the_bare_package_imports_and_keeps_a_run(bare_environment: Path) -> None:
    done = _python(
        bare_environment,
        """
        from runstore import open_store
        with open_store("memory://", durable=False) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("bare"))
            store.finalize(run_id, "completed")
            print(store.get_run(run_id).status)
        """,
    )

    assert (done.stdout, done.stderr) == ("completed\n", "")


@pytest.mark.parametrize(
    ("url", "extra"),
    [
        ("sqlite:///runs.db", "runstore[sql]"),
        ("postgresql://localhost/x", "runstore[postgres]"),
        ("mysql://localhost/x", "runstore[mysql]"),
        ("mongodb://localhost/x", "runstore[mongo]"),
    ],
)
def test_a_missing_driver_names_the_extra_to_install(bare_environment: Path, url: str, extra: str) -> None:
    done = _python(
        bare_environment,
        f"""
        import runstore, runstore.errors
        try:
            runstore.open_store({url!r})
        except runstore.errors.MissingDriverError as error:
            print(error)
        """,
    )

    assert f'pip install "{extra}"' in done.stdout, done.stderr


def test_backends_without_their_driver_are_listed_with_what_they_need(bare_environment: Path) -> None:
    done = _command(bare_environment, "backends")

    assert done.returncode == 0, done.stderr
    assert 'needs pip install "runstore[mongo]"' in done.stdout
    assert 'needs pip install "runstore[postgres]"' in done.stdout


def test_a_broken_plugin_is_reported_and_harms_no_other(plugged_environment: Path) -> None:
    listed = _command(plugged_environment, "backends")
    done = _python(
        plugged_environment,
        """
        from runstore import open_store
        print(type(open_store("sound://", durable=False)).__name__)
        """,
    )

    assert listed.returncode == 0, listed.stderr
    assert "broken (broken-dist 1.2)" in listed.stdout + listed.stderr
    assert "I was written for another version" in listed.stdout + listed.stderr
    assert done.stdout == "MemoryStore\n", done.stderr


def test_two_plugins_that_claim_one_scheme_are_an_error_that_names_both(plugged_environment: Path) -> None:
    done = _python(
        plugged_environment,
        """
        import runstore, runstore.errors
        try:
            runstore.open_store("twin://")
        except runstore.errors.SchemeConflictError as error:
            print(error)
        """,
    )

    assert "'alpha' of twin_a (twin-a-dist 1.2)" in done.stdout, done.stderr
    assert "'beta' of twin_b (twin-b-dist 1.2)" in done.stdout


def test_the_list_of_backends_shows_a_claim_that_two_plugins_make(plugged_environment: Path) -> None:
    listed = _command(plugged_environment, "backends")

    lines = [line for line in listed.stdout.splitlines() if "twin" in line]
    assert ["alpha" in lines[0], "beta" in lines[1]] == [True, True]
