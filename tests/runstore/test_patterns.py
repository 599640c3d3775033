"""Patterns of ``like``: how they are cut up, and what they match."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstore.query.patterns import Wildcard, like_matcher, like_parts, like_tokens


@pytest.mark.parametrize(
    ("pattern", "tokens"),
    [
        ("", ()),
        ("a\\%b%_\\\\", ("a%b", Wildcard.ONE, Wildcard.ANY, "\\")),
        ("%_%%_%", (Wildcard.ONE, Wildcard.ONE, Wildcard.ANY)),
        ("a%%b", ("a", Wildcard.ANY, "b")),
        ("a\\", ("a\\",)),
    ],
)
def test_a_pattern_is_split_into_text_and_wildcards(pattern: str, tokens: object) -> None:
    assert like_tokens(pattern) == tokens


def test_a_pattern_is_cut_at_each_run_of_any_characters() -> None:
    assert like_parts("ab") == (("ab",),)
    assert like_parts("%") == ((), ())
    assert like_parts("a%b_%%c") == (("a",), ("b", Wildcard.ONE), ("c",))


@given(st.text("ab%_\\\n", max_size=8), st.text("ab%\\\n", max_size=8))
def test_a_text_matches_as_the_regular_expression_says(pattern: str, text: str) -> None:
    spelled = {Wildcard.ANY: ".*", Wildcard.ONE: "."}
    regex = "".join(
        spelled[token] if isinstance(token, Wildcard) else re.escape(token) for token in like_tokens(pattern)
    )

    assert like_matcher(pattern)(text) == bool(re.fullmatch(regex, text, re.DOTALL))


def test_a_pattern_of_many_wildcards_is_matched_without_going_back() -> None:
    text = "a" * 65_000

    assert like_matcher("%a" * 500)(text)
    assert not like_matcher("%a" * 499 + "%b")(text)
    assert not like_matcher("%a%a%a%c%b%a%")(f"c{text}b")
