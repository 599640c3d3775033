"""The page about filters has the grammar, the fields and the bounds of the code, and its examples can be parsed."""

import re
import textwrap

import pytest

import runstore.query as language
from documentation.pages import PAGES, blocks_of
from runstore import DatasetType, QueryError, RunStatus
from runstore.query import ATTRIBUTES, MAX_SORTED_LENGTH, STATISTICS, parse_filter, tree

PAGE = PAGES["docs/filters.md"].read_text(encoding="utf-8")


def test_the_grammar_is_the_one_of_the_code() -> None:
    (shown,) = blocks_of("docs/filters.md", "text")
    document = textwrap.dedent(language.__doc__ or "").partition("::")[2]

    assert textwrap.dedent(document.partition("Times are")[0]).strip() == shown.text.strip()


def test_each_field_statistic_kind_and_status_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE))

    assert {*ATTRIBUTES, *STATISTICS, *DatasetType, *RunStatus} - named == set()


def test_the_bounds_are_those_of_the_code() -> None:
    shown = re.findall(r"^\| .* \| \D*([\d,]+)(?: characters)? \|$", PAGE, re.MULTILINE)

    assert [int(each.replace(",", "")) for each in shown] == [
        tree.MAX_FILTER_LENGTH,
        tree.MAX_TESTS,
        tree.MAX_FILTER_DEPTH,
        tree.MAX_LIST_LENGTH,
        tree.MAX_PATTERN_LENGTH,
        tree.MAX_ORDER_TERMS,
        MAX_SORTED_LENGTH,
    ]


SENTENCES = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
EXAMPLES = re.findall(r"`([a-z][\w.]* (?:=|>|>=|like|in|is) [^`]+)`", SENTENCES)
WRONG = {"status = 'finished'", "metric.val.auroc > 1"}


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_filter_in_a_sentence_is_understood_but_those_that_the_page_calls_wrong(text: str) -> None:
    if text in WRONG:
        with pytest.raises(QueryError, match=r"did you mean|a status"):
            parse_filter(text)
    else:
        assert parse_filter(text) is not None


def test_the_page_shows_both_kinds() -> None:
    assert set(EXAMPLES) > WRONG
