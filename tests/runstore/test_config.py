"""Configuration: types survive, merging is deep, flattened keys are unambiguous."""

import enum
import math
import re
from argparse import Namespace
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstore import InvalidValueError
from runstore.values.config import (
    MAX_CONFIG_BYTES,
    ConfigDocument,
    decode_config,
    encode_config,
    flatten_config,
)

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
_KEYS = _TEXT | st.sampled_from(["$float", "$$float", "float", "", ".", "\\", "a.b"])
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _TEXT | st.sampled_from(["nan", "inf"])
_CONFIGS = st.dictionaries(
    _KEYS,
    st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4)),
    max_size=5,
)


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return ConfigDocument.checked(new).merged_over(ConfigDocument.checked(old)).values


def _same(left: Any, right: Any) -> bool:
    """Equal in value and type, NaN to NaN and -0.0 to -0.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, float):
        return bool(left.hex() == right.hex())
    return bool(left == right)


@given(_CONFIGS)
def test_every_config_reads_back_equal_and_of_the_same_types(config: dict[str, Any]) -> None:
    assert _same(decode_config(encode_config(ConfigDocument.checked(config).values)), config)


@given(_CONFIGS, _CONFIGS)
def test_merging_the_same_config_twice_is_merging_it_once(old: dict[str, Any], new: dict[str, Any]) -> None:
    once = _merged(old, new)

    assert _same(_merged(once, new), once)


@given(_CONFIGS)
def test_no_two_leaves_have_one_flattened_key(config: dict[str, Any]) -> None:
    keys = [leaf.key for leaf in flatten_config(config)]

    assert len(keys) == len(set(keys))


def test_merging_goes_into_mappings_and_replaces_everything_else() -> None:
    old = {"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": {"d": 1}}
    new = {"a": {"y": [3]}, "b": {"z": 1}, "c": 2}

    assert _merged(old, new) == {"a": {"x": 1, "y": [3]}, "b": {"z": 1}, "c": 2}
    assert old == {"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": {"d": 1}}


def test_a_dotted_key_and_a_nested_key_are_two_keys() -> None:
    leaves = flatten_config({"a.b": 1, "a": {"b": 2}})

    assert [(leaf.key, leaf.text) for leaf in leaves] == [("a\\.b", "1"), ("a.b", "2")]


def test_scalar_subclasses_become_their_base_type_and_tuples_lists() -> None:
    class Optimizer(enum.StrEnum):
        ADAM = "adam"

    class Level(enum.IntEnum):
        HIGH = 3

    config = OrderedDict(opt=Optimizer.ADAM, level=Level.HIGH, size=(224, 224))

    checked = ConfigDocument.checked(config).values

    assert checked == {"opt": "adam", "level": 3, "size": [224, 224]}
    assert [type(value) for value in checked.values()] == [str, int, list]


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"a": {"b": [1, object()]}}, r"config\['a'\]\['b'\]\[1\]"),
        ({"a": {1: 2}}, r"config\['a'\]\[1\]"),
        ({"a": {2}}, r"config\['a'\]"),
        ({"a": b"x"}, r"config\['a'\]"),
        ({"a": "x\x00"}, r"config\['a'\]"),
        ({"a": "\ud800"}, r"config\['a'\]"),
        ({"\x00": 1}, "key"),
        ({"k" * 513: 1}, "513 characters"),
        ({"a": 1 << 9000}, "9001 bits"),
        ([("a", 1)], "config is"),
    ],
)
def test_a_value_that_cannot_be_kept_is_refused_by_its_path(config: Any, path: str) -> None:
    with pytest.raises(InvalidValueError, match=path):
        ConfigDocument.checked(config)


def test_a_config_that_holds_itself_is_refused() -> None:
    config: dict[str, Any] = {}
    config["a"] = config

    with pytest.raises(InvalidValueError, match="levels deep"):
        ConfigDocument.checked(config)


def test_a_config_over_the_limit_is_refused_whole() -> None:
    with pytest.raises(InvalidValueError, match="Log large values as an artifact"):
        encode_config({"a": "x" * MAX_CONFIG_BYTES})


def test_non_finite_floats_are_readable_json() -> None:
    assert encode_config({"a": math.inf, "b": [math.nan]}) == '{"a":{"$float":"inf"},"b":[{"$float":"nan"}]}'


@dataclass
class _Options:
    lr: float = 0.1


class _Kind(enum.Enum):
    GREY = "grey"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Path("films"), "of type PosixPath.*: str(it)"),
        ({"a"}, "of type set.*: sorted(it) or list(it)"),
        ({"a": 1}.keys(), "of type dict_keys.*: sorted(it) or list(it)"),
        (datetime(2026, 11, 28, tzinfo=UTC), "of type datetime.*: it.isoformat()"),
        (_Kind.GREY, "of type _Kind.*: it.value or it.name"),
        (_Options(), "of type _Options.*: dataclasses.asdict(it)"),
        (Namespace(lr=1), "of type Namespace.*: vars(it)"),
        (array("d", [1.0]), "of type array.*: it.tolist()"),
        (_Options, "of type type.*, such as its name"),
        (object(), "of type object.*, such as its text: str(it)"),
    ],
)
def test_a_value_that_cannot_be_kept_is_refused_with_how_to_give_it(value: object, told: str) -> None:
    pattern = re.escape(told).replace(r"\.\*", ".*")

    with pytest.raises(InvalidValueError, match=rf"config\['x'\] is .*{pattern}$"):
        ConfigDocument.checked({"x": value})


@pytest.mark.parametrize(
    ("config", "told"), [(Namespace(lr=1), r"vars\(config\)"), (_Options(), r"dataclasses\.asdict\(config\)")]
)
def test_a_config_that_is_no_mapping_is_refused_with_how_to_make_one(config: object, told: str) -> None:
    with pytest.raises(InvalidValueError, match=f"give a mapping: {told}"):
        ConfigDocument.checked(config)  # type: ignore[arg-type]  # wrong on purpose
