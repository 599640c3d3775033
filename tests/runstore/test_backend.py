"""The base class of backends: what lacks an operation cannot be made, and what is public cannot be overridden."""

import inspect
import pickle
from abc import ABC

import pytest

from runstore.backend import BackendStore, Store
from runstore.memory import MemoryStore
from runstore.opening.reading import ReadOnlyStore
from runstore.protocol import RunEditor, RunReader, RunStore

OPERATIONS = sorted(BackendStore.__abstractmethods__)
VERBS_AND_READS = sorted(
    name
    for protocol in (RunStore, RunEditor, RunReader)
    for name in vars(protocol)
    if not name.startswith("_") and name != "close"
)


def test_the_operations_of_a_backend_are_these() -> None:
    assert OPERATIONS == [
        "append",
        "beat",
        "blobs",
        "change_experiment",
        "change_run",
        "close",
        "end_run",
        "find_experiment_by_id",
        "find_run",
        "insert_run",
        "make_experiment",
        "merge_config",
        "presence_of",
        "read_artifact",
        "read_artifacts",
        "read_configs",
        "read_deleted",
        "read_experiments",
        "read_history",
        "read_runs",
        "read_summaries",
        "record_artifacts",
        "reopen_run",
        "sweep",
        "thin",
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_backend_that_lacks_an_operation_cannot_be_made_and_the_error_names_it(operation: str) -> None:
    members = {name: member for name, member in vars(MemoryStore).items() if name not in {operation, "__dict__"}}
    lacking = type("Lacking", (BackendStore,), members)

    with pytest.raises(TypeError, match=rf"abstract method '?{operation}'?"):
        lacking()


@pytest.mark.parametrize("name", [*VERBS_AND_READS, "heartbeat"])
def test_help_shows_what_a_verb_or_read_does(name: str) -> None:
    assert inspect.getdoc(getattr(Store, name))


@pytest.mark.parametrize("name", sorted(name for name in vars(RunReader) if name in VERBS_AND_READS))
def test_a_reader_shows_the_words_of_the_protocol(name: str) -> None:
    assert inspect.getdoc(getattr(ReadOnlyStore, name)) == inspect.getdoc(getattr(RunReader, name))


@pytest.mark.parametrize("name", [*VERBS_AND_READS, "heartbeat"])
def test_a_verb_or_read_is_final_for_every_store(name: str) -> None:
    member = getattr(Store, name)

    assert member.__final__
    assert getattr(MemoryStore, name) is member


def test_what_a_database_and_a_recorder_have_in_common_is_abstract() -> None:
    assert issubclass(Store, ABC)
    assert {"begin_run", "take_points", "keep_artifact", "source"} <= Store.__abstractmethods__


def test_a_backend_that_overrides_a_verb_is_refused_when_the_class_is_made() -> None:
    def log_metrics(*_: object) -> None: ...

    with pytest.raises(TypeError, match="Mine overrides log_metrics, which is final"):
        type("Mine", (MemoryStore,), {"log_metrics": log_metrics})


class Plain(MemoryStore):
    """A backend of nothing but a name, as one that connects anew for each call."""

    def __init__(self, name: str) -> None:
        self.name = name


def test_a_copy_of_a_handle_has_begun_none_of_its_runs() -> None:
    handle = Plain("runs")
    handle.begun.add("a")

    copy = pickle.loads(pickle.dumps(handle))

    assert copy.name == "runs"
    assert copy.begun.take() == []
    assert handle.begun.take() == ["a"]
