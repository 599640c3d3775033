"""A filter and an ordering as trees: what the parser makes and every backend translates."""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from msgspec import Struct


class Attribute(Struct, frozen=True):
    """A field of the run itself; ``status`` is the derived one, with ``lost``."""

    name: str


class Tag(Struct, frozen=True):
    """A tag of the run, by its exact key."""

    key: str


class ConfigKey(Struct, frozen=True):
    """A leaf of the config, by its flattened key (:func:`runstore.values.config.flatten_config`)."""

    key: str


class Metric(Struct, frozen=True):
    """A statistic of a series' summary: ``last``, ``first``, ``min``, ``max`` or ``count``."""

    dataset_type: str
    name: str
    stat: str


class ArtifactName(Struct, frozen=True):
    """The names of the run's artifacts: a test holds when it holds for one of them. No ordering goes by it."""


Field = Attribute | Tag | ConfigKey | Metric | ArtifactName
Literal = bool | float | str | int
"""A literal in a tree: a boolean, a finite float64, a text, or for times an int of microseconds since 1970 UTC."""


class Compare(Struct, frozen=True):
    """``field op value``; ``op`` is one of ``= != < <= > >=``."""

    field: Field
    op: str
    value: Literal


class In(Struct, frozen=True):
    """``field [not] in (values)``; also when negated, a value that is absent or of another kind never matches."""

    field: Field
    values: tuple[Literal, ...]
    negated: bool


class Like(Struct, frozen=True):
    """``field [not] like pattern``; only texts match, also when negated."""

    field: Field
    pattern: str
    negated: bool


class Present(Struct, frozen=True):
    """``field is not null``, or with ``negated`` ``field is null``: absent, or null in the config."""

    field: Field
    negated: bool


class Not(Struct, frozen=True):
    """The plain complement of ``item``."""

    item: "Node"


class And(Struct, frozen=True):
    """All of two or more."""

    items: "tuple[Node, ...]"


class Or(Struct, frozen=True):
    """At least one of two or more."""

    items: "tuple[Node, ...]"


Test = Compare | In | Like | Present
Node = Test | Not | And | Or


def tests_in(node: Node) -> Iterator[Test]:
    """Every test of a filter."""
    match node:
        case And(items) | Or(items):
            for item in items:
                yield from tests_in(item)
        case Not(item):
            yield from tests_in(item)
        case _:
            yield node


class Order(Struct, frozen=True):
    """One term of an ordering."""

    field: Field
    descending: bool


class Rank(IntEnum):
    """What an ordering goes by first, ascending in both directions; values are compared within a rank."""

    NUMBER = 0
    NON_FINITE = 1
    TEXT = 2
    BOOLEAN = 3
    OTHER = 4
    """Null, a list or an empty mapping."""
    MISSING = 5


_TEXTS: Final = (
    "id",
    "name",
    "note",
    "status",
    "training_mode",
    "parent_run_id",
    "client_id",
    "source_path",
    "experiment",
    "experiment_id",
)
TEXT_ATTRIBUTES: Final = frozenset(_TEXTS)
TIME_ATTRIBUTES: Final = frozenset({"start_time", "end_time"})
NUMBER_ATTRIBUTES: Final = frozenset({"attempt", "duration"})
"""``duration``: seconds from the start to the end; a run that has not ended has none."""
BOOLEAN_ATTRIBUTES: Final = frozenset({"archived"})
ATTRIBUTES: Final = (*_TEXTS, "attempt", "start_time", "end_time", "duration", "archived")
"""All of them, as errors list them."""
STATISTICS: Final = ("last", "first", "min", "max", "count")
ALIASES: Final = {"parent": "parent_run_id"}
"""Short names of attributes."""
NULLABLE_ATTRIBUTES: Final = frozenset(
    {"name", "note", "parent_run_id", "client_id", "source_path", "end_time", "duration"}
)
"""Attributes that a run may lack."""

# The bounds of the language (READ.8). Within them every backend gives the same answer on its server's default settings.
MAX_FILTER_LENGTH: Final = 20_000
"""Characters of a filter, and of one term of an ordering."""
MAX_FILTER_DEPTH: Final = 10
"""Levels of parentheses and of ``not`` inside each other."""
MAX_TESTS: Final = 100
"""Tests that ``and``, ``or`` and ``not`` join: a database plans each as a look-up of its own."""
MAX_LIST_LENGTH: Final = 1_000
"""Literals of one ``in``."""
MAX_PATTERN_LENGTH: Final = 1_000
"""Characters of a pattern."""
MAX_ORDER_TERMS: Final = 10
"""Terms of an ordering: MongoDB sorts by 32 keys, of which a term takes two, MySQL joins 61 tables."""
MAX_SORTED_LENGTH: Final = 65_535
"""Characters of a text that an ordering looks at: all of a tag or a path, and of a longer text in a config no more."""
