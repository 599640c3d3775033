"""What ``make types`` says of pyright's findings; that it finds nothing is checked there."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def script() -> ModuleType:
    spec = spec_from_file_location("public_types", Path(__file__).parents[2] / "scripts" / "public_types.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _said(*messages: str, is_known: bool = False, is_ambiguous: bool = False) -> dict[str, Any]:
    return {
        "isTypeKnown": is_known,
        "isTypeAmbiguous": is_ambiguous,
        "diagnostics": [{"message": message} for message in messages],
    }


def test_a_public_name_without_a_whole_type_is_named_with_the_annotation_that_is_missing_and_nothing_else(
    script: ModuleType,
) -> None:
    symbols = {
        "runstore.sound": _said(is_known=True),
        "runstore.Run": _said(),
        "runstore.session.run.Run.__init__": _said('Type of parameter "session" is partially unknown\n  "Session"'),
        "runstore.training.Session.maker": _said("Type is missing type annotation", is_known=True, is_ambiguous=True),
        "runstore.elsewhere.Hidden.count": _said("Type is missing type annotation"),
    }

    assert list(script.complaints_of(["runstore.sound", "runstore.Run"], symbols)) == [
        "runstore.Run: its type is not wholly known",
        "  runstore.training.Session.maker: Type is missing type annotation",
    ]


def test_a_public_name_that_pyright_does_not_find_is_named(script: ModuleType) -> None:
    assert list(script.complaints_of(["runstore.away"], {})) == [
        "pyright finds no runstore.away; is all installed that they need? Run: make"
    ]
