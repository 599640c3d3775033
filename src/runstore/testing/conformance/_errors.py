"""ERR: errors that say what to do, and survive the way home from another process."""

import pickle
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

import pytest

from runstore import errors
from runstore.backend import Store
from runstore.errors import (
    ArtifactNotFoundError,
    ConflictError,
    CorruptArtifactError,
    ExperimentNotFoundError,
    ForeignSchemaError,
    InvalidValueError,
    QueryError,
    ReadOnlyError,
    RunFinalizedError,
    RunNotFoundError,
    RunStoreError,
    SchemaTooNewError,
    StoreClosedError,
    StoreFailureError,
    StoreUnavailableError,
)
from runstore.testing.bench import Bench, new_experiment, new_run, point, unique
from runstore.testing.conformance._base import ConformanceBase, clause

ABSENT: Final = "an id that nothing has"


class Given(NamedTuple):
    """What the calls below are about."""

    store: Store
    experiment: str
    other: str
    ended: str
    live: str


class Told(NamedTuple):
    """A call that fails, and the texts that must stand in its message. ``{ended}`` is the field of :class:`Given`.

    Attributes:
        call: what fails.
        error: with what, exactly.
        asked: what the caller wanted or gave.
        found: what is there instead, or the rule that is broken.
        cure: what to do next.
    """

    call: Callable[[Given], object]
    error: type[RunStoreError]
    asked: str
    found: str
    cure: str


def _log(given: Given, **changed: Any) -> None:
    given.store.log_metrics(given.ended, [point(**{"name": "x", "step": 1, "value": 1.0, **changed})])


TOLD: Mapping[str, Told] = MappingProxyType(
    {
        "empty name": Told(
            lambda given: given.store.get_or_create_experiment(""),
            *(InvalidValueError, "experiment name", "is empty", "give 1 to 255 characters"),
        ),
        "NUL in a name": Told(
            lambda given: given.store.get_or_create_experiment("a\0"),
            *(InvalidValueError, r"experiment name 'a\x00'", "NUL", "remove it"),
        ),
        "no experiment named": Told(
            lambda given: given.store.ensure_run(),
            *(InvalidValueError, "a new run", "experiment_id is missing", "pass experiment_id="),
        ),
        "unknown experiment": Told(
            lambda given: given.store.ensure_run(ABSENT),
            *(ExperimentNotFoundError, repr(ABSENT), "no experiment has the id", "get_or_create_experiment(name)"),
        ),
        "another experiment": Told(
            lambda given: given.store.ensure_run(given.other, run_id=given.ended),
            *(ConflictError, "'{ended}'", "'{experiment}'", "leave experiment_id out"),
        ),
        "unknown parent": Told(
            lambda given: given.store.ensure_run(given.experiment, parent_run_id=ABSENT),
            *(RunNotFoundError, repr(ABSENT), "no parent run", "start_run"),
        ),
        "tag that is no text": Told(
            lambda given: given.store.ensure_run(given.experiment, tags={"a": cast("str", 5)}),
            *(InvalidValueError, "tags['a']", "5 of type int", "give a str"),
        ),
        "naive time": Told(
            lambda given: given.store.ensure_run(given.experiment, start_time=datetime(2026, 1, 1)),  # noqa: DTZ001
            *(InvalidValueError, "start_time", "naive time 2026-01-01T00:00:00", "tzinfo=UTC"),
        ),
        "step": Told(
            lambda given: _log(given, step=-1), InvalidValueError, "points[0].step", "is -1", "0 to 2**63 - 1"
        ),
        "value": Told(
            lambda given: _log(given, value="x"),
            *(InvalidValueError, "points[0].value", "'x' of type str", "give a real number"),
        ),
        "dataset type": Told(
            lambda given: _log(given, dataset_type="val"),
            *(InvalidValueError, "points[0].dataset_type", "'val'", "train, validation, test, other"),
        ),
        "points of an unknown run": Told(
            lambda given: given.store.log_metrics(ABSENT, [point("x", 1, 1.0)]),
            *(RunNotFoundError, repr(ABSENT), "no run has the id", "start_run"),
        ),
        "config value": Told(
            lambda given: given.store.log_config(given.ended, {"a": {"f": object()}}),
            *(InvalidValueError, "config['a']['f']", "of type object", "give None, bool, int, float, str"),
        ),
        "config size": Told(
            lambda given: given.store.log_config(given.ended, {"a": "x" * 5_000_000}),
            *(InvalidValueError, "config", "at most 4194304", "as an artifact"),
        ),
        "missing file": Told(
            lambda given: given.store.log_artifact(given.ended, "/no/such/file"),
            *(InvalidValueError, "'/no/such/file'", "does not exist", "give a file or a folder"),
        ),
        "artifact name": Told(
            lambda given: given.store.log_artifact(given.ended, __file__, name="../x"),
            *(InvalidValueError, "'../x'", "'..'", "use plain file and folder names"),
        ),
        "unknown artifact": Told(
            lambda given: given.store.open_artifact(given.ended, "absent.bin"),
            *(ArtifactNotFoundError, "'absent.bin'", "run '{ended}' has no artifact", "list_artifacts"),
        ),
        "another end": Told(
            lambda given: given.store.finalize(given.ended, "failed"),
            *(RunFinalizedError, "'{ended}' was to end as failed", "ended as completed", "start_run(resume="),
        ),
        "status": Told(
            lambda given: given.store.finalize(given.live, "lost"),
            *(InvalidValueError, "status is 'lost'", "does not end a run", "completed, failed, interrupted"),
        ),
        "end before the start": Told(
            lambda given: given.store.finalize(given.live, "failed", end_time=datetime(2000, 1, 1, tzinfo=UTC)),
            *(InvalidValueError, "end_time 2000-01-01", "before the run's start", "give a later one"),
        ),
        "lease": Told(
            lambda given: given.store.heartbeat(given.live, lease_s=-1.0),
            *(InvalidValueError, "lease_s", "-1.0", "give a positive, finite number"),
        ),
        "read of an unknown experiment": Told(
            lambda given: given.store.get_experiment(ABSENT),
            *(ExperimentNotFoundError, repr(ABSENT), "no experiment has the id", "get_or_create_experiment(name)"),
        ),
        "read of an unknown run": Told(
            lambda given: given.store.get_run(ABSENT),
            *(RunNotFoundError, repr(ABSENT), "no run has the id", "search_runs"),
        ),
        "filter": Told(
            lambda given: given.store.search_runs("colour = 'red'"),
            *(QueryError, "colour = 'red'", "found 'colour' at position 0", "did you mean"),
        ),
        "filter that breaks off": Told(
            lambda given: given.store.search_runs("name ="),
            *(QueryError, "'name ='", "found the end at position 6", "expected a number, a text"),
        ),
        "order": Told(
            lambda given: given.store.search_runs(order_by=["colour"]),
            *(QueryError, "'colour'", "found 'colour' at position 0", "did you mean"),
        ),
        "terms of an order": Told(
            lambda given: given.store.search_runs(order_by=["name"] * 21),
            *(QueryError, "order_by has 21 terms", "at most 10", "sort by fewer"),
        ),
        "cursor": Told(
            lambda given: given.store.search_runs(cursor="nonsense"),
            *(QueryError, "'nonsense'", "does not belong to this query", "pass next_cursor"),
        ),
        "limit": Told(
            lambda given: given.store.search_runs(limit=0), InvalidValueError, "limit", "is 0", "holds 1 to 10000"
        ),
        "experiment's id": Told(
            lambda given: given.store.search_runs(experiment_id=cast("str", 5)),
            *(InvalidValueError, "experiment_id", "5 of type int", "give a str"),
        ),
        "one of many ids": Told(
            lambda given: given.store.get_configs([given.ended, "a\0"]),
            *(InvalidValueError, r"run_ids[1] 'a\x00'", "NUL", "remove it"),
        ),
        "size of a sample": Told(
            lambda given: given.store.sample_history(given.ended, "x", "validation", max_points=3),
            *(InvalidValueError, "max_points", "is 3", "give at least 4"),
        ),
    }
)
"""What a caller can do wrong."""


def _read_only(bench: Bench) -> None:
    run_id = new_run(bench.open())
    bench.open_reader().log_config(run_id, {"a": 1})


def _damaged(bench: Bench) -> None:
    store = bench.open()
    run_id = new_run(store)
    store.log_artifact(run_id, __file__, name="damaged.py")
    bench.harness.damage_artifact(run_id, "damaged.py")
    store.open_artifact(run_id, "damaged.py")


def _closed(bench: Bench) -> None:
    store = bench.open()
    store.close()
    store.get_run(unique())


def _too_new(bench: Bench) -> None:
    fresh = bench.fresh()
    fresh.open().close()
    fresh.harness.mark_newer(readable=False)
    fresh.open()


def _foreign(bench: Bench) -> None:
    fresh = bench.fresh()
    fresh.harness.plant_foreign_schema()
    fresh.open()


def _refused(bench: Bench) -> None:
    bench.harness.open_refused()


def _away(bench: Bench) -> None:
    faulty = bench.faulty()
    store = faulty.open()
    with faulty.harness.outage():
        store.get_run(unique())


MISFORTUNES: Mapping[str, tuple[Callable[[Bench], object], type[RunStoreError], tuple[str, ...]]] = MappingProxyType(
    {
        "writing through a reader": (_read_only, ReadOnlyError, ("log_config", "open_reader", r"open_store\(url\)")),
        "damaged bytes": (_damaged, CorruptArtifactError, ("'damaged.py'", "were read", "from a backup")),
        "a closed handle": (_closed, StoreClosedError, ("this store|the store at", "was closed", "open another")),
        "a newer schema": (_too_new, SchemaTooNewError, ("schema", "takes|needs", "[Rr]un: pip install")),
        "tables of a stranger": (_foreign, ForeignSchemaError, ("holds|has", "did not make", "give|Name another")),
        "a server that refuses": (_refused, StoreFailureError, ("refused|could not open", "check|give|ask")),
        "a server that is away": (_away, StoreUnavailableError, ("is away|could not", "try again|may succeed")),
    }
)
"""What a caller can meet, with what the message must match: where, what is there, and what to do."""


class ErrorClauses(ConformanceBase):
    """ERR.1 and ERR.2."""

    @clause("ERR.1")
    def test_every_error_is_of_the_tree_has_a_code_and_survives_pickling(self, store: Store) -> None:
        given = _given(store)

        for told in TOLD.values():
            with pytest.raises(RunStoreError) as info:
                told.call(given)
            error = info.value
            again = pickle.loads(pickle.dumps(error))  # noqa: S301 - just made
            assert type(error) is getattr(errors, type(error).__name__)
            assert error.code != RunStoreError.code
            assert (type(again), str(again)) == (type(error), str(error))

    @clause("ERR.2")
    @pytest.mark.parametrize("told", list(TOLD.values()), ids=list(TOLD))
    def test_a_mistake_is_told_by_what_was_asked_what_was_found_and_what_to_do(self, bench: Bench, told: Told) -> None:
        given = bench.once(_given)._replace(store=bench.open())

        with pytest.raises(told.error) as info:
            told.call(given)

        message = str(info.value)
        assert type(info.value) is told.error
        for part in (told.asked, told.found, told.cure):
            assert part.format_map(given._asdict()) in message
        assert "\n" not in message

    @clause("ERR.2")
    @pytest.mark.parametrize(("meet", "error", "parts"), list(MISFORTUNES.values()), ids=list(MISFORTUNES))
    def test_what_is_wrong_with_a_store_is_told_by_where_it_is_what_was_found_and_what_to_do(
        self, bench: Bench, meet: Callable[[Bench], object], error: type[RunStoreError], parts: tuple[str, ...]
    ) -> None:
        with pytest.raises(error) as info:
            meet(bench)

        for part in parts:
            assert info.match(part)
        assert "\n" not in str(info.value)

    @clause("ERR.1", "MET.2")
    def test_no_error_of_the_driver_reaches_a_caller_of_a_store_of_another_kind(self, bench: Bench) -> None:
        store = bench.open()
        experiment_id = new_experiment(store)

        for call in (
            lambda: store.ensure_run(experiment_id, parent_run_id=unique()),
            lambda: store.log_metrics(unique(), [point("x", 1, 1.0)]),
            lambda: store.get_experiment("'; DROP TABLE experiments; --"),
            lambda: store.get_run("{'$gt': ''}"),
            lambda: store.search_runs(order_by=["1; --"]),
        ):
            with pytest.raises(RunStoreError):
                call()


def _given(store: Store) -> Given:
    experiment_id = new_experiment(store)
    ended, live = store.ensure_run(experiment_id), store.ensure_run(experiment_id)
    store.finalize(ended, "completed")
    return Given(store=store, experiment=experiment_id, other=new_experiment(store), ended=ended, live=live)
