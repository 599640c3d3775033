"""What ``--json`` writes: as Python's own ``json`` lays it out, digit by digit."""

import json
from typing import Any

import pytest

from runstore.cli.output.programs import print_json


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        [[], {}, [[]]],
        {"runs": [{"id": "a", "tags": {}, "summaries": [1, 2.5]}, {"id": "b", "note": None, "is_stored": True}]},
        [0.1, -0.0, 1e16, 1e22, 1e-7, 1.5e-5, 5e-324, 1.7976931348623157e308, 2**70, -1],
        ['"', "\\", "/", "\n", "größe", "{[,:]}", ""],
        {'a "key"': {"größe": 1}},
    ],
)
def test_values_are_laid_out_as_python_does(value: Any, capsys: pytest.CaptureFixture[str]) -> None:
    print_json(value)

    assert capsys.readouterr().out == json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def test_a_text_with_half_a_character_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"path": "undecodable-\udcff", "size": [1]}

    print_json(value)

    assert capsys.readouterr().out == json.dumps(value, indent=2) + "\n"
