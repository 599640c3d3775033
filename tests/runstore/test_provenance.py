import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runstore.provenance import (
    gather_provenance,
    git_changes,
    git_revision,
    installed_packages,
    package_versions,
)


def test_the_password_of_a_store_is_in_no_part_of_the_provenance() -> None:
    found = gather_provenance(argv=["train.py", "--store", "postgres://me:hunter2@db/runs"])

    assert "hunter2" not in repr(found)
    assert found["process"]["argv"][2] == "postgres://me:***@db/runs"


def test_an_argument_that_is_not_utf_8_becomes_text_that_can_be_kept() -> None:
    found = gather_provenance(argv=[os.fsdecode(b"run-\xff")])

    assert found["process"]["argv"] == ["run-\N{REPLACEMENT CHARACTER}"]


def test_host_process_versions_and_seed_are_told() -> None:
    found = gather_provenance(packages=["msgspec"], seed=7)

    assert found["host"]["name"]
    assert found["process"]["pid"] == os.getpid()
    assert found["versions"]["python"] == platform.python_version()
    assert set(found["versions"]) == {"python", "msgspec"}
    assert found["seed"] == 7


def test_a_package_that_is_not_installed_is_left_out() -> None:
    assert package_versions(["no-such-distribution-anywhere"]) == {}


def test_the_versions_of_packages_are_found_without_importing_them() -> None:
    code = (
        "import sys; from runstore.provenance import gather_provenance; "
        "gather_provenance(packages=['torch', 'sqlalchemy']); "
        "print(sorted({'torch', 'sqlalchemy'} & set(sys.modules)))"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


def test_a_clean_checkout_and_a_changed_one_are_told_apart(tmp_path: Path) -> None:
    tracked = tmp_path / "train.py"
    tracked.write_text("one")
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", "train.py")
    _git(tmp_path, "commit", "-q", "-m", "one")

    clean = git_revision(tmp_path)
    tracked.write_text("two")
    changed = git_revision(tmp_path)

    assert clean is not None
    assert changed is not None
    assert clean["dirty"] is False
    assert changed == {"commit": clean["commit"], "dirty": True}


def test_outside_a_repository_no_revision_is_told(tmp_path: Path) -> None:
    assert git_revision(tmp_path) is None
    assert "git" not in gather_provenance(directory=tmp_path)


def test_without_git_no_revision_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert git_revision() is None


def _git(directory: Path, *words: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], cwd=directory, check=True, capture_output=True)


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=me", "-c", "user.email=me@x", *words], cwd=folder, check=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit of one file."""
    git(tmp_path, "init", "-q")
    (tmp_path / "train.py").write_text("lr = 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_uncommitted_changes_are_told_staged_or_not_without_secrets(checkout: Path) -> None:
    (checkout / "train.py").write_text("lr = 2\nurl = 'postgresql://me:hunter2@host/db'\n")
    (checkout / "new.py").write_text("staged = True\n")
    git(checkout, "add", "new.py")

    changes = git_changes(checkout)

    assert changes is not None
    assert "-lr = 1\n+lr = 2\n" in changes
    assert "+staged = True" in changes
    assert "hunter2" not in changes


def test_without_changes_or_a_repository_there_is_nothing_to_tell(checkout: Path, tmp_path_factory: Any) -> None:
    assert git_changes(checkout) is None
    assert git_changes(tmp_path_factory.mktemp("plain")) is None


def test_of_very_long_changes_the_beginning_is_kept_in_whole_lines(checkout: Path) -> None:
    (checkout / "train.py").write_text("".join(f"line {number}\n" for number in range(10_000)))

    changes = git_changes(checkout, most_bytes=1000)

    assert changes is not None
    *lines, last = changes.splitlines()
    assert len(changes) < 1100
    assert lines[-1].startswith("+line ")
    assert "bytes left out" in last


def test_the_installed_packages_are_those_that_importlib_knows() -> None:
    found = installed_packages()

    assert found["msgspec"] == package_versions(["msgspec"])["msgspec"]
    assert list(found) == sorted(found)
