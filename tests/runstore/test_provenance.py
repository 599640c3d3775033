import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from runstore.provenance import gather_provenance, git_revision, package_versions


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
