"""The page about errors has a line for each error there is, and says of it what the class says."""

import re
from collections.abc import Iterator

import pytest

from documentation.pages import PAGES
from runstore import errors
from runstore.errors import RunStoreError

_ATTRIBUTES = {"mistake": "is_mistake", "transient": "is_transient", "person": "needs_person"}
ROWS = {
    name: (code, shown, cause, cure)
    for name, code, shown, cause, cure in re.findall(
        r"^\| `(\w+)` \| `(\w+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$",
        PAGES["docs/errors.md"].read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}


def _below(kind: type[RunStoreError]) -> Iterator[type[RunStoreError]]:
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _below(child)


def test_each_error_has_its_line_and_no_line_is_of_another() -> None:
    assert set(ROWS) == {kind.__name__ for kind in _below(RunStoreError)}


@pytest.mark.parametrize("name", ROWS)
def test_the_code_and_the_attributes_are_those_of_the_class(name: str) -> None:
    kind: type[RunStoreError] = getattr(errors, name)
    code, shown, cause, cure = ROWS[name]

    attributes = [word for word, attribute in _ATTRIBUTES.items() if getattr(kind, attribute)]
    assert (code, shown) == (kind.code, ", ".join(attributes) or "–")
    assert cause
    assert cure
