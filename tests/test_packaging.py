"""The wheel as a stranger gets it: bare, with extras missing, and beside plugins that are broken or at odds.

Real distributions are built and installed into environments of their own, so these tests need ``uv``, and a package
index or a filled cache for the handful of small dependencies.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from support.distributions import built, command, install, new_environment, python
from support.processes import locked, state_directory

pytestmark = pytest.mark.packaging

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


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The wheel of the distribution ``runstore``, as its sdist builds it."""
    return built("runstore").wheel


@pytest.fixture(scope="session")
def bare_environment(wheel: Path) -> Path:
    """An environment with ``pip install runstore`` and nothing more."""
    environment = state_directory() / "bare"
    with locked(state_directory() / "bare.lock"):
        if not (environment / "ready").exists():
            new_environment(environment)
            install(environment, wheel)
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
            new_environment(environment)
            install(environment, wheel, support, *sources)
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


def test_the_bare_package_imports_and_keeps_a_run(bare_environment: Path) -> None:
    done = python(
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
def test_a_missing_driver_names_the_extra_toinstall(bare_environment: Path, url: str, extra: str) -> None:
    done = python(
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


def test_without_the_kit_an_import_and_the_command_say_what_to_install(bare_environment: Path) -> None:
    imported = python(bare_environment, "import runstore.testing")
    tried = command(bare_environment, "conformance", "sqlite:///runs.db")

    assert imported.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: runstore.testing, the conformance kit, is not installed; do: pip install runstore-testing"
    )
    assert tried.returncode == 1
    assert (
        "need runstore.testing and pytest and hypothesis, not installed here; run: pip install runstore-testing"
        in tried.stderr
    )


def test_backends_without_their_driver_are_listed_with_what_they_need(bare_environment: Path) -> None:
    done = command(bare_environment, "backends")

    assert done.returncode == 0, done.stderr
    assert 'needs pip install "runstore[mongo]"' in done.stdout
    assert 'needs pip install "runstore[postgres]"' in done.stdout


def test_a_broken_plugin_is_reported_and_harms_no_other(plugged_environment: Path) -> None:
    listed = command(plugged_environment, "backends")
    done = python(
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
    done = python(
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
    listed = command(plugged_environment, "backends")

    lines = [line for line in listed.stdout.splitlines() if "twin" in line]
    assert ["alpha" in lines[0], "beta" in lines[1]] == [True, True]
