r"""The filter language: text → tree; backends translate the tree, the module ``meaning`` here says what it means.

::

    filter     = or
    or         = and { "or" and }
    and        = not { "and" not }
    not        = "not" not | "(" or ")" | test
    test       = field ("=" | "!=" | "<" | "<=" | ">" | ">=") literal
               | field [ "not" ] "in" "(" literal { "," literal } ")"
               | field [ "not" ] "like" text          % any run, _ one character, \ escapes; case-sensitive
               | field "is" [ "not" ] "null"
    field      = attribute | "artifact" | "tag." key | "config." key { "." key }
               | "metric." dataset_type "." name [ "." statistic ]
    attribute  = id name note status training_mode parent_run_id parent client_id source_path experiment
                 experiment_id attempt start_time end_time duration archived
    statistic  = last (default) first min max count
    key, name  = a word, or "…" in double quotes (a quote inside is doubled)
    literal    = number | 'text' (a quote inside is doubled) | true | false

Times are ISO texts (``start_time >= '2026-11-01'``; UTC where no offset is given). An order is a field with ``asc``
(default) or ``desc`` after it.

Bounds: a filter has at most 20,000 characters and 100 tests, nests ``not`` and parentheses 10 levels deep, and takes
1,000 literals in one ``in`` and 1,000 characters in one pattern; an ordering has at most 10 terms. Texts sort by their
first 65,535 characters. What lies beyond is refused with :class:`~runstore.errors.QueryError`.
"""

from runstore.query.deletions import DeletedQuery, check_deleted, pick_deleted
from runstore.query.facets import KeyKind, KeyQuery, ValueQuery, check_count, check_keys, check_values
from runstore.query.meaning import Lookup, lookup_in, matches
from runstore.query.pages import pick_page
from runstore.query.parser import parse_field, parse_filter
from runstore.query.patterns import Part, Wildcard, like_matcher, like_parts, like_tokens, part_length
from runstore.query.searches import Place, RunQuery, check_children, check_search
from runstore.query.spelling import spelt, spelt_literal
from runstore.query.tree import (
    ATTRIBUTES,
    BOOLEAN_ATTRIBUTES,
    MAX_SORTED_LENGTH,
    NULLABLE_ATTRIBUTES,
    STATISTICS,
    TEXT_ATTRIBUTES,
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
    Rank,
    Tag,
    Test,
    tests_in,
)

__all__ = [
    "ATTRIBUTES",
    "BOOLEAN_ATTRIBUTES",
    "MAX_SORTED_LENGTH",
    "NULLABLE_ATTRIBUTES",
    "STATISTICS",
    "TEXT_ATTRIBUTES",
    "And",
    "ArtifactName",
    "Attribute",
    "Compare",
    "ConfigKey",
    "DeletedQuery",
    "Field",
    "In",
    "KeyKind",
    "KeyQuery",
    "Like",
    "Literal",
    "Lookup",
    "Metric",
    "Node",
    "Not",
    "Or",
    "Order",
    "Part",
    "Place",
    "Present",
    "Rank",
    "RunQuery",
    "Tag",
    "Test",
    "ValueQuery",
    "Wildcard",
    "check_children",
    "check_count",
    "check_deleted",
    "check_keys",
    "check_search",
    "check_values",
    "like_matcher",
    "like_parts",
    "like_tokens",
    "lookup_in",
    "matches",
    "parse_field",
    "parse_filter",
    "part_length",
    "pick_deleted",
    "pick_page",
    "spelt",
    "spelt_literal",
    "tests_in",
]
