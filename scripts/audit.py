"""Asks an advisory service about each package that our distributions bring, in the versions of constraints.txt.

    python scripts/audit.py               ends with 0 only if the service has looked at each of them and knows of nothing
    python scripts/audit.py -s osv        options go to pip-audit: another service, --ignore-vuln ID

It ends with 1 where something is known, and with 3 where a package was not looked at: the service cannot be reached, or does not
know it. That is no finding, and no all-clear.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOUND, NOT_RUN = 1, 3
_ROOT = Path(__file__).resolve().parent.parent
_BINARIES = Path(sys.executable).parent
_OURS = {
    "runstore": ".[all]",
    "runstore-testing": "./distributions/testing",
    "pneumo-train": "./distributions/pneumo-train",
}


def main() -> int:
    """Prints what was found and what was not looked at, and gives the exit status."""
    with tempfile.TemporaryDirectory(prefix="runstore-audit-") as folder:
        pinned = Path(folder) / "pinned.txt"
        _pin(pinned)
        options = ["--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off", *sys.argv[1:]]
        done = subprocess.run(  # noqa: S603 - our own words
            [_BINARIES / "pip-audit", "--requirement", pinned, *options], capture_output=True, text=True, check=False
        )
        count = len(pinned.read_text(encoding="utf-8").splitlines())
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        print(f"not run: none of {count} packages was looked at, for the advisory service did not answer: {last}")
        return NOT_RUN
    status, lines = verdict(dependencies)
    print(*lines, sep="\n")
    return status


def verdict(dependencies: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """The exit status and the lines for what pip-audit says of each package."""
    known = list(_known(dependencies))
    skipped = [each for each in dependencies if "skip_reason" in each]
    looked_at = len(dependencies) - len(skipped)
    lines = [*known, f"{looked_at} of {len(dependencies)} packages were looked at: {len(known)} known vulnerabilities"]
    if skipped:
        lines.append(
            f"not run: {len(skipped)} packages were not looked at: {', '.join(each['name'] for each in skipped)}"
        )
        lines.append(f"  such as: {skipped[0]['skip_reason']}")
    if known:
        return FOUND, lines
    return (NOT_RUN if skipped or not dependencies else 0), lines


def _known(dependencies: list[dict[str, Any]]) -> Iterator[str]:
    for each in dependencies:
        for found in each.get("vulns", ()):
            cure = " or ".join(found["fix_versions"]) or "no release yet"
            yield f"{each['name']} {each['version']}: {found['id']}; mended by {cure}"


def _pin(path: Path) -> None:
    words = [_BINARIES / "uv", "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", "--output-file", path]
    words += ["--constraint", "constraints.txt", "--no-emit-index-url", "--no-emit-find-links"]
    words += [f"--no-emit-package={name}" for name in _OURS]
    wanted = "".join(f"-e {what}\n" for what in _OURS.values())
    done = subprocess.run(words, input=wanted, cwd=_ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        print(f"not run: what our distributions bring cannot be found out: {done.stderr.strip()}")
        raise SystemExit(NOT_RUN)


if __name__ == "__main__":
    sys.exit(main())
