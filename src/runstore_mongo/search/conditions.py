"""From the filter tree to conditions that the server's indexes can use.

What :mod:`runstore.query.meaning` says in Python is said here in the server's language. User text only ever stands
where the server expects a value: on the right of ``$eq`` and its like, or escaped in a regular expression (READ.5).
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from runstore.query import (
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
    Present,
    Tag,
    Test,
    tests_in,
)
from runstore_mongo.documents.names import Document, copy_key
from runstore_mongo.documents.records import PREFIX_LENGTH
from runstore_mongo.search.derived import OPERATORS, found_test, of_archived, of_duration, of_experiment, of_status
from runstore_mongo.search.patterns import regex_of

_LOOKED_UP: Final = "artifacts are looked up"
_BOUNDED: Final = {"$eq", "$in", "$gt", "$gte"}
"""Operators that a NaN never passes."""
_CONFIG_KINDS: Final = {"number": ["int", "float"], "text": ["str"], "boolean": ["bool"]}
EXPERIMENT: Final = Attribute("experiment")


class Conditions:
    """Translates nodes; with ``joins`` statistics are looked up, and otherwise read from the run's own copy.

    Attributes:
        joined: the series that must be looked up, ``(dataset_type, name)`` to the number of their field.
        artifacts: the tests of artifacts, which must be looked up, to the number of their field.
    """

    def __init__(self, *, joins: bool, experiments: Mapping[str, str]) -> None:
        """Knows how to read documents.

        Args:
            joins: whether statistics are looked up.
            experiments: names by id, where the filter asks for names.
        """
        self._joins = joins
        self._experiments = experiments
        self.joined: dict[tuple[str, str], int] = {}
        self.artifacts: dict[Test, int] = {}

    def path_of(self, field: Metric) -> str:
        """Where a statistic stands in the document."""
        if not self._joins:
            return f"metrics.{copy_key((field.name, field.dataset_type))}.{field.stat}"
        number = self.joined.setdefault((field.dataset_type, field.name), len(self.joined))
        return f"_m{number}.{field.stat}"

    def of(self, node: Node) -> Document:
        """The condition of a node."""
        match node:
            case And(items):
                return {"$and": [self.of(item) for item in items]}
            case Or(items):
                return {"$or": [self.of(item) for item in items]}
            case Not(item):
                return {"$nor": [self.of(item)]}
            case _:
                return self._of_test(node)

    def _of_test(self, test: Test) -> Document:
        """The condition of a test: of fields that are stored as they are named, below."""
        match test.field:
            case ArtifactName():
                return self._of_artifacts(test)
            case Attribute("status"):
                return of_status(test)
            case Attribute("archived"):
                return of_archived(test)
            case Attribute("duration"):
                return of_duration(test)
            case Attribute("experiment"):
                return of_experiment(test, self._experiments)
            case _:
                return self._of_stored(test)

    def _of_artifacts(self, test: Test) -> Document:
        number = self.artifacts.setdefault(found_test(test), len(self.artifacts))
        found: Document = {f"_a{number}": {"$ne": []}}
        return {"$nor": [found]} if isinstance(test, Present) and test.negated else found

    def _of_stored(self, test: Test) -> Document:
        match test:
            case Compare(field, op, literal):
                return self._compared(field, op, literal)
            case In(field, literals, negated):
                return self._contained(field, literals, negated=negated)
            case Like(field, pattern, negated):
                regex = {"$regex": regex_of(pattern)}
                return self._holds(field, "text", {"$not": regex} if negated else regex)
            case Present(field, negated):
                present = self._present(field)
                return {"$nor": [present]} if negated else present

    def _compared(self, field: Field, op: str, literal: Literal) -> Document:
        kind = _kind(literal)
        condition: Document = {OPERATORS[op]: _stored(literal)}
        if op == "=" and kind == "text" and isinstance(field, ConfigKey):
            return self._holds(field, kind, condition, prefix=str(literal)[:PREFIX_LENGTH])
        return self._holds(field, kind, condition)

    def _contained(self, field: Field, literals: tuple[Literal, ...], *, negated: bool) -> Document:
        by_kind: dict[str, list[Any]] = {}
        for literal in literals:
            by_kind.setdefault(_kind(literal), []).append(_stored(literal))
        operator = "$nin" if negated else "$in"
        return {"$or": [self._holds(field, kind, {operator: values}) for kind, values in by_kind.items()]}

    def _holds(self, field: Field, kind: str, condition: Document, *, prefix: str | None = None) -> Document:
        """That a field's value is of a kind, is not NaN, and meets a condition."""
        # Two entries may not share an operator, so what guards the kind stands beside the condition in an $and.
        guards: list[Document] = [condition]
        if not {"$eq", "$in"} & condition.keys():  # an equal value is of the right kind and no NaN
            guards.append({"$type": "string" if kind == "text" else "number"})
            guards += [{"$ne": math.nan}] if kind == "number" else []
        match field:
            case ArtifactName():
                raise AssertionError(_LOOKED_UP)
            case Metric():  # a number or nothing: one range of an index, from which a NaN stays out
                lowest = {} if condition.keys() & _BOUNDED else {"$gte": -math.inf}
                return {self.path_of(field): {**condition, **lowest}}
            case Attribute():
                return {"$and": [{self._path(field): guard} for guard in guards]}
            case Tag(key):
                return {"tags": {"$elemMatch": {"k": {"$eq": key}, "$and": [{"v": guard} for guard in guards]}}}
            case ConfigKey(key):
                indexed = {"n": None, "p": {"$eq": prefix}} if prefix is not None else {}
                path = "s" if kind == "text" else "n"
                return {
                    "config": {
                        "$elemMatch": {
                            "k": {"$eq": key},
                            **indexed,
                            "kind": {"$in": _CONFIG_KINDS[kind]},
                            "$and": [{path: guard} for guard in guards],
                        }
                    }
                }

    def _present(self, field: Field) -> Document:
        match field:
            case ArtifactName():
                raise AssertionError(_LOOKED_UP)
            case Attribute() | Metric():
                return {self._path(field): {"$ne": None}}
            case Tag(key):
                return {"tags": {"$elemMatch": {"k": {"$eq": key}}}}
            case ConfigKey(key):
                return {"config": {"$elemMatch": {"k": {"$eq": key}, "kind": {"$ne": "null"}}}}

    def _path(self, field: Attribute | Metric) -> str:
        if isinstance(field, Metric):
            return self.path_of(field)
        return "_id" if field.name == "id" else field.name


def uses_metrics(node: Node) -> bool:
    """Whether a filter needs the statistics of a series."""
    return any(isinstance(test.field, Metric) for test in tests_in(node))


def uses_artifacts(node: Node) -> bool:
    """Whether a filter needs the records of artifacts."""
    return any(isinstance(test.field, ArtifactName) for test in tests_in(node))


def _kind(literal: Literal) -> str:
    if isinstance(literal, bool):
        return "boolean"
    return "text" if isinstance(literal, str) else "number"


def _stored(literal: Literal) -> Any:
    """A literal as the documents hold it: a boolean leaf is the number 0 or 1 beside its kind."""
    return float(literal) if isinstance(literal, bool) else literal
