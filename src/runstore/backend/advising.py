"""A QueryError about an unknown field that says which of the keys in use was meant."""

from collections.abc import Callable
from typing import Final

from runstore.backend.operations import Operations
from runstore.errors import QueryError, RunStoreError
from runstore.query.advice import attribute_meant
from runstore.query.facets import KeyKind, KeyQuery
from runstore.query.known import all_keys, fields_meant
from runstore.query.parser import WORDS

_MOST_KEYS: Final = 1000
"""Of each kind, those of most runs first, that a mistyped name is compared with."""


class advice_from:  # noqa: N801 - reads as a word in a with statement
    """Lets a QueryError about an unknown field name those in use that are like it.

    Args:
        source: the backend, asked only after a mistake.
        experiment_id: whose keys come first in question, where it is one.
    """

    def __init__(self, source: Callable[[], Operations], *, experiment_id: object) -> None:
        self._source = source
        self._experiment_id = experiment_id if isinstance(experiment_id, str) else None

    def __enter__(self) -> None:
        """Nothing is asked."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Asks after a mistake alone."""
        if not isinstance(error, QueryError) or error.unknown_field is None:
            return
        try:
            found = _fields_in_use(self._source(), error.unknown_field, self._experiment_id)
        except RunStoreError:  # the store is away: the mistake is worth telling all the same
            return
        if found:
            raise QueryError(f"{str(error).removesuffix(error.advice)}; did you mean {' or '.join(found)}?") from None


def _fields_in_use(source: Operations, text: str, experiment_id: str | None) -> list[str]:
    def keys(of: KeyKind) -> list[tuple[str, str]]:
        asked = KeyQuery(of=of, experiment_id=experiment_id, prefix="", limit=_MOST_KEYS)
        return [(key, dataset_type) for key, dataset_type, _ in source.read_keys(asked)]

    own = attribute_meant(text, WORDS)
    in_use = all_keys([key for key, _ in keys("tag")], [key for key, _ in keys("config")], keys("metric"))
    return [own, *fields_meant(text, in_use, only_same=True)] if own else fields_meant(text, in_use)
