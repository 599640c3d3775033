"""What ``pip install`` brings, counted by walking the requirements of what is installed."""

import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).resolve().parent.parent
_MOST_WITH_SQL = 20


def _brought_by(texts: list[str], extras: frozenset[str] = frozenset()) -> set[str]:
    """The names of all distributions that these requirements bring, directly or by others, in this environment."""
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(text, extras) for text in texts]
    while waiting:
        text, asked = waiting.pop()
        needed = Requirement(text)
        if needed.marker and not any(needed.marker.evaluate({"extra": extra}) for extra in asked | {""}):
            continue
        name, wanted = canonicalize_name(needed.name), frozenset(needed.extras)
        if (name, wanted) not in seen:
            seen.add((name, wanted))
            found.add(name)
            waiting += [(text, wanted) for text in distribution(name).requires or ()]
    return found


def test_the_core_with_sql_brings_twenty_distributions_at_most() -> None:
    project: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]

    brought = _brought_by(project["dependencies"] + project["optional-dependencies"]["sql"])

    assert {"click", "sqlalchemy", "alembic"} <= brought
    assert len(brought | {"runstore"}) <= _MOST_WITH_SQL, sorted(brought)
