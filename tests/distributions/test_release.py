"""``make release`` on a copy of this checkout, and what ``make audit`` makes of an advisory service's answers."""

import json
import shutil
import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from support.distributions import ROOT

pytestmark = pytest.mark.packaging


def _git(where: Path, *arguments: str) -> str:
    words = ["git", "-C", str(where), "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one commit: the files of this checkout as they are now."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not run: this is no checkout of git")
    place = tmp_path_factory.mktemp("committed")
    for name in _git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name, follow_symlinks=False)
    _git(place, "init", "--quiet", "--initial-branch", "main")
    _git(place, "add", "--all")
    _git(place, "commit", "--quiet", "--message", "As it is")
    return place


@pytest.fixture
def checkout(committed: Path, tmp_path: Path) -> Path:
    """A clone of its own."""
    place = tmp_path / "checkout"
    _git(committed, "clone", "--quiet", str(committed), str(place))
    _git(place, "config", "user.name", "A")
    _git(place, "config", "user.email", "a@example.org")
    return place


def _release(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(checkout / "scripts" / "release.py"), *arguments]
    return subprocess.run(words, capture_output=True, text=True, cwd=checkout, check=False)


def test_a_release_is_two_commits_a_tag_and_all_that_is_uploaded(checkout: Path) -> None:
    done = _release(checkout, "7.8.0")

    assert done.returncode == 0, done.stderr
    assert _git(checkout, "log", "--format=%s").splitlines() == ["Begin 7.9.0.dev0", "Release 7.8.0", "As it is"]
    assert _git(checkout, "log", "-1", "--format=%s", "v7.8.0") == "Release 7.8.0"
    assert _git(checkout, "status", "--porcelain") == ""
    assert sorted(path.name for path in (checkout / "dist").iterdir()) == [
        "pneumo_train-7.8.0-py3-none-any.whl",
        "pneumo_train-7.8.0.tar.gz",
        "runstore-7.8.0-py3-none-any.whl",
        "runstore-7.8.0.cdx.json",
        "runstore-7.8.0.tar.gz",
        "runstore_testing-7.8.0-py3-none-any.whl",
        "runstore_testing-7.8.0.tar.gz",
    ]
    assert "uv publish" in done.stdout

    assert "## 7.8.0 (" in _git(checkout, "show", "v7.8.0:CHANGELOG.md")
    assert _git(checkout, "ls-tree", "--name-only", "v7.8.0", "changelog.d/") == "changelog.d/README.md"
    assert "\nversion: 7.8.0\n" in _git(checkout, "show", "v7.8.0:CITATION.cff")
    assert '"runstore==7.9.0.dev0"' in (checkout / "distributions/testing/pyproject.toml").read_text(encoding="utf-8")
    with zipfile.ZipFile(checkout / "dist" / "pneumo_train-7.8.0-py3-none-any.whl") as wheel:
        asked = wheel.read("pneumo_train-7.8.0.dist-info/METADATA").decode()
    assert "Requires-Dist: runstore[lightning,sql]==7.8.0\n" in asked

    bill = json.loads((checkout / "dist" / "runstore-7.8.0.cdx.json").read_text(encoding="utf-8"))
    root = bill["metadata"]["component"]
    assert (bill["bomFormat"], root["name"], root["version"]) == ("CycloneDX", "runstore", "7.8.0")
    assert {"SQLAlchemy", "psycopg", "PyMySQL", "pymongo", "msgspec"} <= {each["name"] for each in bill["components"]}
    assert [each["name"] for each in bill["components"] if not each.get("licenses")] == []


def test_a_dry_run_leaves_nothing_behind(checkout: Path) -> None:
    before = _git(checkout, "log", "--format=%H")

    done = _release(checkout, "7.8.0rc1", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert "runstore-7.8.0rc1-py3-none-any.whl" in done.stdout
    assert "Nothing was changed here" in done.stdout
    assert (_git(checkout, "log", "--format=%H"), _git(checkout, "tag")) == (before, "")
    assert (_git(checkout, "status", "--porcelain"), (checkout / "dist").exists()) == ("", False)


def test_what_is_unfit_for_a_release_is_refused_with_what_to_do(checkout: Path) -> None:
    no_version = _release(checkout, "7.8")
    _git(checkout, "tag", "v7.8.0")
    taken = _release(checkout, "7.8.0")
    (checkout / "dist").mkdir()
    (checkout / "dist" / "old.whl").touch()
    full = _release(checkout, "7.9.0")
    (checkout / "README.md").write_text("Changed.\n", encoding="utf-8")
    changed = _release(checkout, "7.9.0")

    assert [each.returncode for each in (no_version, taken, full, changed)] == [1, 1, 1, 1]
    assert no_version.stderr == "'7.8' is no version of a release; say one such as 1.2.0 or 1.2.0rc1\n"
    assert taken.stderr == "there is a release 7.8.0 already, by its tag v7.8.0; say a later one\n"
    assert full.stderr == "dist/ holds files already, and they would be uploaded, too; remove it\n"
    assert changed.stderr.splitlines() == [
        "a release is made of what is committed, and these are not; commit or undo them:",
        "M README.md",
    ]


@pytest.fixture
def audit() -> ModuleType:
    spec = spec_from_file_location("audit", ROOT / "scripts" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_SOUND = {"name": "click", "version": "8.5.1", "vulns": []}
_SKIPPED = {"name": "mine", "skip_reason": "Dependency not found on PyPI and could not be audited: mine (1.0)"}
_KNOWN = {"name": "jinja", "version": "3.1.2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.4", "3.2"]}]}


def test_an_audit_is_passed_only_if_every_package_was_looked_at(audit: ModuleType) -> None:
    assert audit.verdict([_SOUND]) == (0, ["1 of 1 packages were looked at: 0 known vulnerabilities"])
    assert audit.verdict([_SOUND, _SKIPPED]) == (
        3,
        [
            "1 of 2 packages were looked at: 0 known vulnerabilities",
            "not run: 1 packages were not looked at: mine",
            "  such as: Dependency not found on PyPI and could not be audited: mine (1.0)",
        ],
    )
    assert audit.verdict([])[0] == 3


def test_an_audit_names_what_is_known_and_what_mends_it(audit: ModuleType) -> None:
    status, lines = audit.verdict([_KNOWN, _SKIPPED])

    assert (status, lines[0]) == (1, "jinja 3.1.2: PYSEC-1; mended by 3.1.4 or 3.2")
