"""The filter language: text to tree. The grammar stands in :mod:`runstore.query`."""

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from runstore.errors import InvalidValueError, QueryError
from runstore.model import DatasetType, RunStatus, to_microseconds
from runstore.query import advice as query_advice
from runstore.query.spelling import spelt
from runstore.query.tokens import Token, tokens_of
from runstore.query.tree import (
    ALIASES,
    ATTRIBUTES,
    BOOLEAN_ATTRIBUTES,
    MAX_FILTER_DEPTH,
    MAX_FILTER_LENGTH,
    MAX_LIST_LENGTH,
    MAX_ORDER_TERMS,
    MAX_PATTERN_LENGTH,
    MAX_TESTS,
    NUMBER_ATTRIBUTES,
    STATISTICS,
    TEXT_ATTRIBUTES,
    TIME_ATTRIBUTES,
    And,
    ArtifactName,
    Attribute,
    Compare,
    ConfigKey,
    Field,
    In,
    Like,
    Literal,
    Metric,
    Node,
    Not,
    Or,
    Order,
    Present,
    Tag,
)
from runstore.values.checks import check_text, shown
from runstore.values.config import escape_key

_ARTIFACT: Final = "artifact"
_PART: Final = re.compile(r'\.(?:"((?:[^"]|"")*)"|([^."]+))')


WORDS: Final = (*ATTRIBUTES, *ALIASES, _ARTIFACT)
"""The fields that are one word each."""
_FIELDS: Final = (
    f"Fields are {', '.join(WORDS)}, tag.KEY, config.KEY and "
    f"metric.KIND.NAME[.{'|'.join(STATISTICS)}] with KIND one of {', '.join(DatasetType)}"
)


def parse_filter(text: str | None) -> Node | None:
    """The tree of a filter; ``None`` for no filter or a blank one.

    Raises:
        QueryError: says what was expected and where.
    """
    if text is None:
        return None
    if not isinstance(text, str):
        raise QueryError(
            f"filter is {shown(text)} of type {type(text).__name__}; give a str such as \"status = 'completed'\""
        )
    if not text.strip():
        return None
    parser = _Parser(text, "filter")
    node = parser.parse_or(0)
    parser.expect_end("'and', 'or' or the end", query_advice.about_more)
    return node


def parse_order(terms: Sequence[str]) -> tuple[Order, ...]:
    """The terms of an ordering, each ``field``, ``field asc`` or ``field desc``.

    Raises:
        QueryError: a term is not of that form.
    """
    if isinstance(terms, str):
        terms = (terms,)
    if not isinstance(terms, Sequence):
        raise QueryError(
            f"order_by is {shown(terms)} of type {type(terms).__name__}; give a list of terms, or one term"
        )
    if len(terms) > MAX_ORDER_TERMS:
        raise _too_large("order_by", "terms", bound=MAX_ORDER_TERMS, found=len(terms), advice="sort by fewer")
    orders = []
    for term in terms:
        parser = _Parser(term, "an order")
        field = parser.parse_field()
        if isinstance(field, ArtifactName):
            raise QueryError(f"the order {term!r} names artifact, of which a run has many; sort by another field")
        direction = parser.take_word("asc", "desc")
        expected = "'asc', 'desc' or the end" if direction is None else "the end"
        parser.expect_end(expected, query_advice.about_end)
        orders.append(Order(field, direction == "desc"))
    return tuple(orders)


def parse_field(text: object, what: str) -> Field:
    """One field of the language, for what takes no order and no test.

    Args:
        text: the field.
        what: what it is called in errors, as in ``column``.

    Raises:
        QueryError: it is none.
    """
    parser = _Parser(text, what)
    field = parser.parse_field()
    parser.expect_end("the end", query_advice.about_end)
    return field


class _Parser:
    """Recursive descent over one text."""

    def __init__(self, text: object, what: str) -> None:
        if not isinstance(text, str):
            raise QueryError(f"{what} is {shown(text)} of type {type(text).__name__}; give a str")
        if len(text) > MAX_FILTER_LENGTH:
            raise _too_large(
                what, "characters", bound=MAX_FILTER_LENGTH, found=len(text), advice="ask several shorter questions"
            )
        try:
            check_text(text, what)
        except InvalidValueError as error:
            raise QueryError(str(error)) from None
        self._text = text
        self._tests = 0
        self._tokens = list(tokens_of(text))
        self._next = 0

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _fail(self, expected: str, advice: str = "") -> QueryError:
        token = self._peek()
        found = repr(token.text) if token.kind != "end" else "the end"
        error = QueryError(
            f"expected {expected} but found {found} at position {token.position} of {self._text!r}{advice}"
        )
        error.position = token.position
        return error

    def take_word(self, *words: str) -> str | None:
        """The next token if it is one of these keywords."""
        token = self._peek()
        if token.kind == "word" and token.text.lower() in words:
            self._next += 1
            return token.text.lower()
        return None

    def _take_mark(self, mark: str) -> bool:
        token = self._peek()
        if token.kind == "mark" and token.text == mark:
            self._next += 1
            return True
        return False

    def expect_end(self, expected: str, about: Callable[[str], str]) -> None:
        """Refuses what is left over, with what ``about`` says of it."""
        if self._peek().kind != "end":
            raise self._fail(expected, about(self._peek().text))

    def parse_or(self, depth: int) -> Node:
        items = [self._parse_and(depth)]
        while self.take_word("or"):
            items.append(self._parse_and(depth))
        return items[0] if len(items) == 1 else Or(tuple(items))

    def _parse_and(self, depth: int) -> Node:
        items = [self._parse_not(depth)]
        while self.take_word("and"):
            items.append(self._parse_not(depth))
        return items[0] if len(items) == 1 else And(tuple(items))

    def _parse_not(self, depth: int) -> Node:
        if depth > MAX_FILTER_DEPTH:
            error = QueryError(
                f"the filter nests parentheses and 'not' over {MAX_FILTER_DEPTH} levels deep at position "
                f"{self._peek().position}; leave out those that change nothing, or use 'in' and 'and' side by side"
            )
            error.position = self._peek().position
            raise error
        if self.take_word("not"):
            return Not(self._parse_not(depth + 1))
        if self._take_mark("("):
            node = self.parse_or(depth + 1)
            if not self._take_mark(")"):
                raise self._fail("')'")
            return node
        return self._parse_test()

    def _parse_test(self) -> Node:
        self._tests += 1
        if self._tests > MAX_TESTS:
            raise _too_large("the filter", "tests", bound=MAX_TESTS, advice="use 'in' for many values of one field")
        field = self.parse_field()
        token = self._peek()
        if token.kind == "op":
            if isinstance(field, ArtifactName) and token.text != "=":
                raise self._fail_of_artifacts()
            self._next += 1
            return Compare(field, token.text, self._parse_literal(field))
        if self.take_word("is"):
            is_negated = self.take_word("not") is None
            if not self.take_word("null"):
                raise self._fail("'null'", "; write is null or is not null, and compare values by = and !=")
            return Present(field, is_negated)
        is_negated = self.take_word("not") is not None
        if is_negated and isinstance(field, ArtifactName):
            raise self._fail_of_artifacts()
        if self.take_word("in"):
            return In(field, self._parse_list(field), is_negated)
        if self.take_word("like"):
            return self._parse_like(field, negated=is_negated)
        advice = query_advice.about_operator(self._peek().text, spelt(field))
        raise self._fail("an operator (= != < <= > >= in like is)", advice)

    def _fail_of_artifacts(self) -> QueryError:
        return self._fail(
            "=, in, like or is", "; a run has many artifacts: write not artifact = 'name' for none of them"
        )

    def _parse_list(self, field: Field) -> tuple[Literal, ...]:
        if not self._take_mark("("):
            raise self._fail("'('", "; write the values in parentheses, as in (18, 34)")
        values = [self._parse_literal(field)]
        while self._take_mark(","):
            values.append(self._parse_literal(field))
            if len(values) > MAX_LIST_LENGTH:
                raise _too_large(
                    "the list after 'in'", "values", bound=MAX_LIST_LENGTH, advice="ask for some of them at a time"
                )
        if not self._take_mark(")"):
            raise self._fail("',' or ')'")
        return tuple(values)

    def _parse_like(self, field: Field, *, negated: bool) -> Like:
        if isinstance(field, Metric) or (isinstance(field, Attribute) and field.name not in TEXT_ATTRIBUTES):
            raise self._fail("a comparison, for 'like' needs a text field")
        token = self._peek()
        if token.kind != "text":
            raise self._fail("a pattern in single quotes", "; as in name like 'unet%'")
        pattern = _unquoted(token.text)
        if len(pattern) > MAX_PATTERN_LENGTH:
            raise _too_large(
                "the pattern after 'like'",
                "characters",
                bound=MAX_PATTERN_LENGTH,
                found=len(pattern),
                advice="match the beginning and the end, with % between",
            )
        self._next += 1
        return Like(field, pattern, negated)

    def parse_field(self) -> Field:
        token = self._peek()
        if token.kind != "word":
            advice = query_advice.about_field_place(token.text, kind=token.kind)
            raise self._fail("a field", advice or f". {_FIELDS}")
        head, parts = _split_path(token.text)
        field = _field(head.lower(), parts)
        if field is None:
            following = self._tokens[self._next + 1]
            if (following.kind, following.text) == ("mark", "("):
                raise self._fail("a field", query_advice.about_call(token.text, STATISTICS))
            advice = query_advice.about_field(token.text, WORDS, STATISTICS)
            advice += f"{'' if advice.endswith('?') else '.'} {_FIELDS}"
            error = self._fail("a field", advice)
            error.unknown_field, error.advice = token.text, advice
            raise error
        self._next += 1
        return field

    def _parse_literal(self, field: Field) -> Literal:
        token = self._peek()
        value: Literal
        if token.kind == "text":
            value = _unquoted(token.text)
        elif token.kind == "number":
            value = float(token.text)
            if not math.isfinite(value):
                raise self._fail("a number within float64")
        elif token.kind == "word" and token.text.lower() in {"true", "false"}:
            value = token.text.lower() == "true"
        else:
            raise self._fail("a number, a text in single quotes, true or false", self._about_literal(field))
        value = self._fitted(field, value)
        self._next += 1
        return value

    def _about_literal(self, field: Field) -> str:
        token = self._peek()
        is_time = isinstance(field, Attribute) and field.name in TIME_ATTRIBUTES
        is_duration = field == Attribute("duration")
        return query_advice.about_literal(token.text, kind=token.kind, is_time=is_time, is_duration=is_duration)

    def _fitted(self, field: Field, value: Literal) -> Literal:
        """The literal as the field's kind; attributes, tags and metrics have one kind only."""
        if isinstance(field, ConfigKey):
            return value
        if isinstance(field, Metric) or (isinstance(field, Attribute) and field.name in NUMBER_ATTRIBUTES):
            if isinstance(value, float):
                return value
            raise self._fail("a number", self._about_literal(field))
        if isinstance(field, Attribute) and field.name in BOOLEAN_ATTRIBUTES:
            if isinstance(value, bool):
                return value
            raise self._fail("true or false")
        if not isinstance(value, str):
            raise self._fail("a text in single quotes", self._about_literal(field))
        if isinstance(field, (Tag, ArtifactName)) or field.name in TEXT_ATTRIBUTES:
            if field == Attribute("status") and value not in set(RunStatus):
                raise self._fail(f"a status ({', '.join(RunStatus)})", query_advice.about_status(value))
            return value
        try:
            moment = datetime.fromisoformat(value)
            return to_microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            raise self._fail("an ISO time such as '2026-11-21T08:30:00Z'") from None


def _too_large(what: str, unit: str, *, bound: int, advice: str, found: int | None = None) -> QueryError:
    has = f"more than {bound:,} {unit}" if found is None else f"{found:,} {unit}; at most {bound:,} are taken"
    return QueryError(f"{what} has {has}; {advice}")


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _split_path(text: str) -> tuple[str, list[str]]:
    head, dot, rest = text.partition(".")
    parts = [quoted.replace('""', '"') or plain for quoted, plain in _PART.findall(dot + rest)]
    return head, parts


def _field(head: str, parts: list[str]) -> Field | None:
    if not parts:
        return _plain_field(ALIASES.get(head, head))
    if head == "tag":
        return Tag(parts[0]) if len(parts) == 1 else None
    if head == "config":
        return ConfigKey(".".join(escape_key(part) for part in parts))
    if head == "metric" and parts[0] in set(DatasetType):
        match parts[1:]:
            case [name]:
                return Metric(parts[0], name, "last")
            case [name, stat] if stat in STATISTICS:
                return Metric(parts[0], name, stat)
    return None


def _plain_field(word: str) -> Field | None:
    if word == _ARTIFACT:
        return ArtifactName()
    return Attribute(word) if word in ATTRIBUTES else None
