"""Checks that a type checker of a user knows the type of each public name, and of all that a user reaches through it.

    python scripts/public_types.py

The public names are those of ``tests/public_api/names.txt``. pyright's ``--verifytypes`` looks at the package as it looks to
a user, who has no settings of ours: what has no annotation counts as unknown, even where mypy can tell. It looks at every
module, and most are ours alone, so what no public name leads to is left out.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_NAMES = _ROOT / "tests" / "public_api" / "names.txt"

Symbols = Mapping[str, Mapping[str, Any]]
"""What pyright says of each name of the package."""


def main() -> int:
    """Prints what has no whole type, and why, and gives the exit status."""
    symbols = _looked_at("runstore")
    public = list(_public_names())
    complaints = list(complaints_of(public, symbols))
    print(*complaints, sep="\n" if complaints else "", end="\n" if complaints else "")
    if not complaints:
        print(f"pyright knows the types of all {len(public)} public names")
    return 1 if complaints else 0


def complaints_of(public: Sequence[str], symbols: Symbols) -> Iterator[str]:
    """A line for each public name without a whole type, and for each annotation that is missing below one."""
    missing = [name for name in public if name not in symbols]
    if missing:
        yield f"pyright finds no {', '.join(missing)}; is all installed that they need? Run: make"
    unknown = [name for name in public if name in symbols and not _is_known(symbols[name])]
    yield from (f"{name}: its type is not wholly known" for name in unknown)
    yield from sorted(_reasons({name.rpartition(".")[2] for name in unknown}, symbols))


def _reasons(names: set[str], symbols: Symbols) -> set[str]:
    """Goes from these names to the types that pyright names with them, and gives what is the cause at the ends."""
    found: set[str] = set()
    waiting, seen = set(names), set(names)
    while waiting:
        name = waiting.pop()
        for symbol, said in symbols.items():
            if name in symbol.split(".") and not _is_known(said):
                for each in said["diagnostics"]:
                    message = " ".join(each["message"].split())
                    if "partially unknown" not in message:
                        found.add(f"  {symbol}: {message}")
                    further = set(re.findall(r"\b[A-Z]\w+", message)) - seen
                    seen |= further
                    waiting |= further
    return found


def _is_known(symbol: Mapping[str, Any]) -> bool:
    return bool(symbol["isTypeKnown"]) and not symbol["isTypeAmbiguous"]


def _looked_at(package: str) -> Symbols:
    binaries = Path(sys.executable).parent
    done = subprocess.run(  # noqa: S603 - our own words
        [binaries / "basedpyright", "--verifytypes", package, "--ignoreexternal", "--outputjson"],
        capture_output=True,
        text=True,
        check=False,
        cwd=_ROOT / "docs",  # where no settings of ours are found
        env=os.environ | {"PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}", "VIRTUAL_ENV": ""},
    )
    try:
        return {symbol["name"]: symbol for symbol in json.loads(done.stdout)["typeCompleteness"]["symbols"]}
    except (ValueError, KeyError):
        raise SystemExit(f"basedpyright said nothing of {package}:\n{done.stdout}{done.stderr}") from None


def _public_names() -> Iterator[str]:
    for line in _NAMES.read_text(encoding="utf-8").splitlines():
        module, _, names = line.partition(":")
        package = "runstore" if module == "runstore" else f"runstore.{module}"
        yield from (f"{package}.{name}" for name in names.split())


if __name__ == "__main__":
    sys.exit(main())
