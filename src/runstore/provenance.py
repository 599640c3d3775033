"""Where a run came from: host, process, versions, source revision, seed.

Nothing here imports the packages it reports on, and nothing here fails: what cannot be found out is left out.
"""

import functools
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from importlib import metadata
from typing import IO, Any

from runstore.local.homes import here
from runstore.secrets import redact, redact_arguments

_GIT_TIMEOUT_S = 5.0


def gather_provenance(
    *,
    packages: Iterable[str] = (),
    seed: int | None = None,
    argv: Sequence[str] | None = None,
    directory: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """What can be known of this process, as a nested mapping fit for ``ensure_run(provenance=...)``.

    It holds ``host`` (name, platform, processors), ``process`` (pid, command line with secrets hidden, working
    directory), ``versions`` (``python`` and the given packages, as far as they are installed), ``git`` (commit,
    dirty) where ``directory`` lies in a repository, and ``seed`` where one is given.

    Args:
        packages: names of distributions, as in ``pip install``; they are looked up, never imported.
        seed: the seed of the run's random numbers.
        argv: the command line; this process's own by default.
        directory: where to look for the source's repository; the working directory by default.
    """
    found: dict[str, Any] = {
        "host": {"name": socket.gethostname(), "platform": platform.platform(), "processors": os.cpu_count()},
        "process": {
            "pid": os.getpid(),
            "argv": redact_arguments([_readable(each) for each in (sys.argv if argv is None else argv)]),
            "directory": _readable(str(here() or "")),
        },
        "versions": {"python": platform.python_version(), **package_versions(packages)},
    }
    revision = git_revision(directory)
    if revision is not None:
        found["git"] = revision
    if seed is not None:
        found["seed"] = seed
    return found


def package_versions(packages: Iterable[str]) -> dict[str, str]:
    """The installed version of each distribution; those that are not installed are left out."""
    versions = {package: _version(package) for package in packages}
    return {package: version for package, version in versions.items() if version is not None}


@functools.cache
def _version(package: str) -> str | None:
    """Looked up once: reading a distribution's metadata takes milliseconds, and a sweep begins many runs."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def git_revision(directory: str | os.PathLike[str] | None = None) -> dict[str, Any] | None:
    """The commit checked out at ``directory``, and whether tracked files differ from it.

    ``None`` without git, outside a repository, before the first commit, and where git does not answer in time.
    """
    git = shutil.which("git")
    if git is None:
        return None
    commit = _ask_git(git, "rev-parse", "HEAD", directory=directory)
    if commit is None:
        return None
    changes = _ask_git(git, "status", "--porcelain", "--untracked-files=no", directory=directory)
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def git_changes(directory: str | os.PathLike[str] | None = None, *, most_bytes: int = 256 * 1024) -> str | None:
    """What tracked files at ``directory`` differ by from the commit checked out, as ``git diff`` tells it, secrets hidden.

    ``None`` where there is nothing to tell: without changes, without git, outside a repository, and where git does not
    answer in time.

    Args:
        directory: where to look for the repository; the working directory by default.
        most_bytes: of a longer text so much is kept from its beginning, and a last line says so.
    """
    git = shutil.which("git")
    if git is None:
        return None
    question = [git, "diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv", "--submodule=short"]
    with tempfile.TemporaryFile() as answer:
        if not _run_git(question, directory, answer):
            return None
        size = answer.seek(0, os.SEEK_END)
        answer.seek(0)
        kept = answer.read(most_bytes)
    if size > most_bytes:
        kept = kept[: kept.rfind(b"\n") + 1]
        kept += f"[… {size - len(kept)} bytes left out …]\n".encode()
    return redact(kept.decode("utf-8", "replace")) or None


def installed_packages() -> dict[str, str]:
    """The version of each distribution that is installed here, by name, in the order of the names.

    What can be read from the names of folders is not opened: a large environment takes some ten milliseconds.
    """
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        folder = getattr(getattr(distribution, "_path", None), "name", "")
        name, dash, version = str(folder).removesuffix(".dist-info").partition("-")
        if not dash or not str(folder).endswith(".dist-info"):
            try:
                name, version = distribution.metadata["Name"], distribution.version
            except Exception:  # noqa: BLE001, S112 - a broken installation is left out
                continue
        if name and version:
            found.setdefault(name.replace("_", "-").lower(), version)
    return dict(sorted(found.items()))


def _run_git(question: list[str], directory: str | os.PathLike[str] | None, answer: IO[bytes]) -> bool:
    """Whether git answered well, into a file: an answer of a gigabyte takes no memory."""
    try:
        subprocess.run(  # noqa: S603 - a fixed program and fixed words
            question,
            cwd=directory,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},  # as below
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            timeout=_GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _ask_git(git: str, *question: str, directory: str | os.PathLike[str] | None) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - a fixed program and fixed words
            [git, *question],
            cwd=directory,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},  # a status that takes no lock disturbs nobody's commit
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.decode("utf-8", "replace").strip()


def _readable(argument: str) -> str:
    """The argument without lone surrogates, by which Python stands in for bytes that are not UTF-8."""
    return os.fsencode(argument).decode("utf-8", "replace")
