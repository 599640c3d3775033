"""The tree of errors: what each says of itself to a program."""

import pickle
from collections.abc import Iterator

import pytest

from runstore import errors
from runstore.errors import RunStoreError

MISTAKE, TRANSIENT, PERSON = "is_mistake", "is_transient", "needs_person"

REMEDIES: dict[str, set[str]] = {
    "RunStoreError": set(),
    "InvalidValueError": {MISTAKE},
    "QueryError": {MISTAKE},
    "NotFoundError": {MISTAKE},
    "ExperimentNotFoundError": {MISTAKE},
    "RunNotFoundError": {MISTAKE},
    "ArtifactNotFoundError": {MISTAKE},
    "ConflictError": {MISTAKE},
    "RunDeletedError": {MISTAKE},
    "RunFinalizedError": {MISTAKE},
    "StoreUnavailableError": {TRANSIENT},
    "StoreClosedError": set(),
    "ReadOnlyError": {PERSON},
    "StoreFailureError": {PERSON},
    "StoreFullError": {PERSON, TRANSIENT},
    "CorruptArtifactError": {PERSON},
    "SchemaError": {PERSON},
    "SchemaTooNewError": {PERSON},
    "ForeignSchemaError": {PERSON},
    "SourceError": {MISTAKE},
    "SettingsError": {PERSON},
    "PluginError": {PERSON},
    "UnknownSchemeError": {PERSON},
    "MissingDriverError": {PERSON},
    "SchemeConflictError": {PERSON},
    "BrokenPluginError": {PERSON},
}


def tree_of(kind: type[RunStoreError]) -> Iterator[type[RunStoreError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree_of(child)


KINDS = list(tree_of(RunStoreError))


def test_every_error_says_what_helps() -> None:
    said = {
        kind.__name__: {fact for fact in (MISTAKE, TRANSIENT, PERSON) if getattr(kind, fact)}
        for kind in KINDS
    }  # fmt: skip

    assert said == REMEDIES


def test_no_error_is_a_mistake_and_something_else() -> None:
    assert [kind for kind in KINDS if kind.is_mistake and (kind.is_transient or kind.needs_person)] == []


def test_every_error_has_a_code_of_its_own() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_that_was_pickled_says_the_same(kind: type[RunStoreError]) -> None:
    copy = pickle.loads(pickle.dumps(kind("what was asked", "what was found")))

    assert (type(copy), copy.args) == (kind, ("what was asked", "what was found"))


def test_the_tree_that_is_drawn_names_every_error() -> None:
    drawn = errors.__doc__ or ""

    assert [kind.__name__ for kind in KINDS if f"{kind.__name__} " not in f"{drawn} ".replace("\n", " ")] == []
