"""Makes a release, up to what can still be taken back.

    python scripts/release.py 1.2.0

In a clone of this checkout it sets the version, writes the changelog, commits, builds and checks what is uploaded, tags, and
begins the next version. Only when all of that has worked do the two commits and the tag come here, and what was built into dist/.
With --dry-run nothing comes here. It uploads and pushes nothing: it ends by saying how.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from distributions import build, run

_ROOT = Path(__file__).resolve().parent.parent
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(rc\d+)?")
_PLACES = {
    "pyproject.toml": 1,
    "CITATION.cff": 1,
    "distributions/testing/pyproject.toml": 2,
    "distributions/pneumo-train/pyproject.toml": 2,
}
"""Where the version stands, and how often: its own and, beside runstore, that of the runstore that belongs to it."""
_LINE = r'(?m)^(version\s*[:=]\s*"?|\s*"runstore(?:\[[a-z,]+\])?==){}(?=["\s])'


def main() -> int:
    """Reads the arguments, makes the release, and gives the exit status."""
    parser = argparse.ArgumentParser(description="Makes a release: commits, tag, and what is uploaded, in dist/.")
    parser.add_argument("version", help="such as 1.2.0, or 1.2.0rc1")
    parser.add_argument("--dry-run", action="store_true", help="try all of it, and leave nothing behind")
    arguments = parser.parse_args()
    _refuse_unfit(arguments.version)
    with tempfile.TemporaryDirectory(prefix="runstore-release-") as place:
        clone = Path(place) / "clone"
        _git(_ROOT, "clone", "--quiet", _ROOT, clone)
        built = _release(clone, arguments.version)
        print(*(each.name for each in built), sep="\n")
        if arguments.dry_run:
            print(f"Tried {arguments.version}: all of it works. Nothing was changed here.")
            return 0
        _git(_ROOT, "pull", "--quiet", "--ff-only", "--tags", clone, "HEAD")
        shutil.copytree(clone / "dist", _ROOT / "dist", dirs_exist_ok=True)
    print(
        f"Released {arguments.version} here: two commits, the tag v{arguments.version}, and the files in dist/. To publish:"
    )
    print(f"  git push origin HEAD v{arguments.version}")
    print("  uv publish dist/*.whl dist/*.tar.gz")
    return 0


def _refuse_unfit(version: str) -> None:
    if not _VERSION.fullmatch(version):
        raise SystemExit(f"{version!r} is no version of a release; say one such as 1.2.0 or 1.2.0rc1")
    if changed := _git(_ROOT, "status", "--porcelain"):
        raise SystemExit(f"a release is made of what is committed, and these are not; commit or undo them:\n{changed}")
    if not _git(_ROOT, "branch", "--show-current"):
        raise SystemExit("no branch is checked out, so the commits of a release would be lost; check one out")
    if _git(_ROOT, "tag", "--list", f"v{version}"):
        raise SystemExit(f"there is a release {version} already, by its tag v{version}; say a later one")
    dist = _ROOT / "dist"
    if dist.exists() and any(dist.iterdir()):
        raise SystemExit("dist/ holds files already, and they would be uploaded, too; remove it")


def _release(clone: Path, version: str) -> list[Path]:
    """Everything, in the clone: what was built lies in its dist/."""
    for key in ("user.name", "user.email"):
        if value := _git(_ROOT, "config", "--default", "", key):
            _git(clone, "config", key, value)
    set_version(clone, version)
    run("towncrier", "build", "--yes", "--version", version, where=clone)
    _git(clone, "commit", "--quiet", "--all", "--message", f"Release {version}")
    built = build(clone, clone / "dist")
    _git(clone, "tag", "--annotate", "--message", f"Release {version}", f"v{version}")
    following = next_version(version)
    set_version(clone, following)
    _git(clone, "commit", "--quiet", "--all", "--message", f"Begin {following}")
    return built


def set_version(root: Path, version: str) -> None:
    """Writes a version wherever ours stands."""
    found = re.search(r'(?m)^version = "(.+)"$', (root / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("pyproject.toml has no line with a version")
    for name, times in _PLACES.items():
        path = root / name
        text, count = re.subn(_LINE.format(re.escape(found[1])), rf"\g<1>{version}", path.read_text(encoding="utf-8"))
        if count != times:
            raise SystemExit(f"{name} has the version {found[1]} at {count} places, and should at {times}")
        path.write_text(text, encoding="utf-8")


def next_version(version: str) -> str:
    """What is developed after a release: the next minor one; after a candidate, the release that it is one for."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError(version)
    major, minor, patch, candidate = found.groups()
    return f"{major}.{minor}.{patch}.dev0" if candidate else f"{major}.{int(minor) + 1}.0.dev0"


def _git(where: Path, *arguments: str | Path) -> str:
    words = ["git", "-C", str(where), *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
