"""Conditions of fields that are not stored as a filter names them: each says which stored values pass."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from runstore.model import RunStatus
from runstore.query import Compare, In, Like, Present, Test, matches
from runstore_mongo.documents.names import Document
from runstore_mongo.documents.stages import DURATION, IS_LATE
from runstore_mongo.search.patterns import regex_of

OPERATORS: Final = {"=": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_NOTHING: Final[Document] = {"$nor": [{}]}


def of_status(test: Test) -> Document:
    """The condition of a test of the derived status: one for each of the few statuses that pass it."""
    passing = [status for status in RunStatus if matches(test, lambda _, status=status: str(status))]  # type: ignore[misc]
    return {"$or": [_has_status(status) for status in passing]} if passing else _NOTHING


def of_archived(test: Test) -> Document:
    """The condition of a test of whether a run is put away."""
    passing = [is_archived for is_archived in (True, False) if matches(test, lambda _, value=is_archived: value)]  # type: ignore[misc]
    return {"$or": [{"archived_at": {"$ne": None} if value else None} for value in passing]} if passing else _NOTHING


def of_duration(test: Test) -> Document:
    """The condition of a test of the seconds from start to end."""
    has_ended = {"end_time": {"$ne": None}}
    match test:
        case Present(negated=negated):
            return {"end_time": None} if negated else has_ended
        case Compare(op=op, value=seconds):
            return {**has_ended, "$expr": {OPERATORS[op]: [DURATION, seconds]}}
        case In(values=values, negated=negated):
            is_one = {"$in": [DURATION, list(values)]}
            return {**has_ended, "$expr": {"$not": [is_one]} if negated else is_one}
        case Like():
            raise AssertionError(test)


def _has_status(status: RunStatus) -> Document:
    if status.is_final:
        return {"status": {"$eq": str(status)}}
    stored = {"status": {"$eq": str(RunStatus.IN_PROGRESS)}}
    return {**stored, "$expr": IS_LATE if status == RunStatus.LOST else {"$not": IS_LATE}}


def of_experiment(test: Test, experiments: Mapping[str, str]) -> Document:
    """The condition of a test of the experiment's name.

    Args:
        test: the test.
        experiments: all names, by id.
    """
    passing = {name for name in experiments.values() if matches(test, lambda _, name=name: name)}  # type: ignore[misc]
    return {"experiment_id": {"$in": [identity for identity, name in experiments.items() if name in passing]}}


def artifact_scope(test: Test) -> Document:
    """Which records of artifacts a test of them is about."""
    match test:
        case Compare(value=name):
            return {"artifact_name": {"$eq": name}}
        case In(values=names):
            return {"artifact_name": {"$in": list(names)}}
        case Like(pattern=pattern):
            return {"artifact_name": {"$regex": regex_of(pattern)}}
        case Present():
            return {}


def found_test(test: Test) -> Test:
    """The test that is looked up: whether there is an artifact, also where it is asked whether there is none."""
    return replace(test, negated=False) if isinstance(test, Present) else test
