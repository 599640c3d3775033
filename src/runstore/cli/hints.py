"""What somebody may have meant whose column is unknown, or whose filter names what is not there."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from runstore.errors import ExperimentNotFoundError, QueryError
from runstore.protocol import RunReader
from runstore.query.known import all_keys, fields_meant
from runstore.query.parser import parse_filter
from runstore.query.searches import names_archived
from runstore.query.spelling import spelt
from runstore.query.tree import ArtifactName, Attribute, Compare, Field, In, Metric, Node, Present, tests_in

_MOST_KEYS: Final = 10_000


@contextmanager
def advice_of_keys(reader: RunReader) -> Iterator[None]:
    """Lets an error about a column that is unknown name the keys in use that are like it."""
    try:
        yield
    except QueryError as error:
        like = fields_meant(error.unknown_field, _in_use(reader)) if error.unknown_field else []
        advice = f"; did you mean {' or '.join(like)}?" if like else error.advice
        others = "; started, ended and took (how long it ran) are columns, too"
        raise QueryError(f"--columns: {str(error).removesuffix(error.advice)}{others}{advice}") from None


def hint_of_nothing(reader: RunReader, where: str) -> str:
    """What to say, behind a blank, when no run matches a filter; empty when all that it names is there."""
    node = parse_filter(where)
    if node is None:
        return ""
    return next(_hints_of_experiments(reader, node), "") or next(_hints_of_keys(reader, node), "")


def _hints_of_experiments(reader: RunReader, node: Node) -> Iterator[str]:
    """For an experiment's name where its id belongs."""
    for value in _values_of(node, Attribute("experiment_id")):
        try:
            reader.get_experiment(value)
        except ExperimentNotFoundError:
            named = reader.find_experiment(value)
            found = "this is the name of one" if named is not None else "`runstore experiments` lists them"
            yield f" No experiment has the id {value!r} ({found}); by name: --experiment NAME, or experiment = 'NAME'."
    for value in _values_of(node, Attribute("experiment")):
        if reader.find_experiment(value) is None:
            yield f" There is no experiment {value!r}; `runstore experiments` lists them."


def _values_of(node: Node, field: Field) -> Sequence[str]:
    """The texts that tests of equality compare a field with."""
    tests = [test for test in tests_in(node) if test.field == field]
    listed = [
        test.values if isinstance(test, In) else (test.value,) for test in tests if isinstance(test, (Compare, In))
    ]
    return [value for values in listed for value in values if isinstance(value, str)]


def _hints_of_keys(reader: RunReader, node: Node) -> Iterator[str]:
    """For a tag, a setting or a metric that no run has."""
    if names_archived(node):  # archived runs are not among those whose keys are listed
        return
    fields = [test.field for test in tests_in(node) if not isinstance(test, Present)]
    yield from (f" {hint}" for hint in hints_of_fields(reader, fields))


def hints_of_fields(reader: RunReader, fields: Iterable[Field]) -> Iterator[str]:
    """For each tag, setting or metric that no run has."""
    for field in fields:
        if isinstance(field, (Attribute, ArtifactName)):
            continue
        key = Metric(field.dataset_type, field.name, "last") if isinstance(field, Metric) else field
        if key not in _in_use(reader, prefix=field.name if isinstance(field, Metric) else field.key):
            like = fields_meant(spelt(field), _in_use(reader))
            meant = f"; did you mean {' or '.join(like)}?" if like else "."
            yield f"No run has {spelt(key)}{meant}"


def _in_use(reader: RunReader, prefix: str | None = None) -> list[Field]:
    tags = reader.list_keys("tag", prefix=prefix, limit=_MOST_KEYS)
    settings = reader.list_keys("config", prefix=prefix, limit=_MOST_KEYS)
    metrics = reader.list_keys("metric", prefix=prefix, limit=_MOST_KEYS)
    series = [(each.key, str(each.dataset_type)) for each in metrics]
    return all_keys([each.key for each in tags], [each.key for each in settings], series)
