"""The three distributions: what each holds, that none holds a file of another, and how they come and go beside each other."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageMetadata, PathDistribution
from pathlib import Path

import pytest

from support.distributions import FOLDERS, ROOT, built, digest, install, new_environment, python, uv

pytestmark = pytest.mark.packaging

_TESTING = FOLDERS["runstore-testing"]

_PACKAGES = {
    "runstore": {"runstore", "runstore_mongo", "runstore_sql", "runstore_ui"},
    "runstore-testing": {"runstore"},
    "pneumo-train": {"pneumo_train"},
}
_KEPT = {".py", ".md", ".typed", ".html", ".css", ".js", ".toml", ".LICENSE"}


def _files(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as opened:
        return opened.namelist()


def _metadata(wheel: Path) -> PackageMetadata:
    with zipfile.ZipFile(wheel) as opened:
        info = next(name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        return PathDistribution(zipfile.Path(opened, info.removesuffix("METADATA"))).metadata


@pytest.mark.parametrize("name", FOLDERS)
def test_a_wheel_carries_licence_and_its_own_packages_only(name: str) -> None:
    files = _files(built(name).wheel)

    packages = {file.partition("/")[0] for file in files if ".dist-info" not in file}
    assert packages == _PACKAGES[name]
    assert any(file.endswith(".dist-info/licenses/LICENSE") for file in files)


def test_the_wheel_names_the_licence_of_all_that_it_brings_and_has_its_text() -> None:
    wheel, vendored = built("runstore").wheel, "src/runstore_ui/assets/vendor"
    listed = tomllib.loads((ROOT / vendored / "manifest.toml").read_text(encoding="utf-8"))["file"]

    metadata = _metadata(wheel)
    assert set(metadata["License-Expression"].split(" AND ")) == {"Apache-2.0", *(each["licence"] for each in listed)}
    texts = {"LICENSE", *(f"{vendored}/{each['licence_file']}" for each in listed)}
    assert set(metadata.get_all("License-File") or []) == texts
    assert {each.partition("/licenses/")[2] for each in _files(wheel) if "/licenses/" in each} == texts


def test_each_package_says_that_it_is_typed_and_the_command_brings_its_page_for_agents() -> None:
    files = [file for name in FOLDERS for file in _files(built(name).wheel)]

    typed = {file for file in files if file.endswith("/py.typed")}
    assert typed == {f"{package}/py.typed" for packages in _PACKAGES.values() for package in packages}
    assert "runstore/cli/SKILL.md" in files


def test_no_file_is_in_two_wheels_and_none_of_the_packages_is_left_out() -> None:
    files = [file for name in FOLDERS for file in _files(built(name).wheel) if ".dist-info" not in file]
    source = ROOT / "src"

    kept = {str(path.relative_to(source)) for path in source.rglob("*") if path.suffix in _KEPT}
    assert sorted(files) == sorted(set(files))
    assert kept - set(files) == set()
    assert {file for file in set(files) - kept if file.endswith(".py")} == {"runstore/testing.py"}


@pytest.mark.parametrize("name", FOLDERS)
def test_an_sdist_builds_the_same_wheel_as_the_checkout(name: str) -> None:
    assert digest(built(name).wheel) == digest(built(name).wheel_of_checkout)


@pytest.mark.parametrize("name", ["runstore-testing", "pneumo-train"])
def test_what_stands_beside_runstore_has_its_version_licence_and_pythons_and_asks_for_no_other_release(
    name: str,
) -> None:
    ours, theirs = _metadata(built("runstore").wheel), _metadata(built(name).wheel)

    assert [theirs[each] for each in ("Version", "Requires-Python")] == [
        ours[each] for each in ("Version", "Requires-Python")
    ]
    assert theirs["License-Expression"] == ours["License-Expression"].partition(" AND ")[0] == "Apache-2.0"
    asked = next(each for each in theirs.get_all("Requires-Dist") or [] if each.startswith("runstore"))
    assert asked.partition("==")[2] == ours["Version"]
    assert (FOLDERS[name] / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert (FOLDERS[name] / "hatch_build.py").read_bytes() == (_TESTING / "hatch_build.py").read_bytes()


def test_away_from_its_checkout_a_distribution_says_what_is_missing_and_builds_no_empty_wheel(tmp_path: Path) -> None:
    alone = shutil.copytree(_TESTING, tmp_path / "alone" / "testing")

    with pytest.raises(AssertionError, match="is not there; build in a checkout of runstore, or in an unpacked sdist"):
        uv("build", "--wheel", "--out-dir", tmp_path / "out", alone)


def test_no_requirement_of_the_distributions_has_two_lower_ends() -> None:
    asked: dict[str, set[str]] = {}
    for folder in FOLDERS.values():
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = project.get("optional-dependencies", {}).values()
        for text in [*project["dependencies"], *(each for extra in extras for each in extra)]:
            name, _, bound = text.partition(">=")
            asked.setdefault(name, set()).add(bound)

    assert {name: bounds for name, bounds in asked.items() if len(bounds) > 1 and not name.startswith("runstore")} == {}


def test_the_kit_comes_beside_runstore_and_goes_without_harm_to_it(tmp_path: Path) -> None:
    environment = new_environment(tmp_path / "environment")
    kit = "from runstore.testing import Harness; print(Harness.__module__)"
    install(environment, built("runstore").wheel, built("runstore-testing").wheel)
    with_kit = python(environment, kit)

    # pip, which has its own way to undo an installation; uv installs again.
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", "runstore-testing"], check=True, capture_output=True)
    without = python(environment, kit)
    alone = python(environment, "import runstore, runstore.backend; print(runstore.open_store.__module__)")
    uv(
        "pip",
        "install",
        "--quiet",
        "--python",
        environment / "bin" / "python",
        "--no-deps",
        built("runstore-testing").wheel,
    )
    again = python(environment, kit)

    assert (with_kit.stdout, with_kit.stderr) == ("runstore.testing.harness\n", "")
    assert without.stderr.endswith("do: pip install runstore-testing\n")
    assert (alone.stdout, alone.stderr) == ("runstore.opening.stores\n", "")
    assert again.stdout == with_kit.stdout


def test_what_is_uploaded_holds_nothing_that_a_wheel_should_not_and_can_be_shown_by_a_package_index() -> None:
    made = [built(name) for name in FOLDERS]
    wheels = [str(each.wheel) for each in made]

    contents = [sys.executable, "-m", "check_wheel_contents", "--config", str(ROOT / "pyproject.toml"), *wheels]
    shown = [sys.executable, "-m", "twine", "check", "--strict", *wheels, *(str(each.sdist) for each in made)]
    for words in (contents, shown):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
