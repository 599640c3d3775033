"""The session over a real store (the memory store), and over one that fails when it is told to."""

import logging
import pickle
import re
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runstore import media
from runstore.errors import (
    ConflictError,
    InvalidValueError,
    RunStoreError,
    SettingsError,
    StoreFailureError,
    StoreFullError,
    StoreUnavailableError,
)
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.model import MetricPoint, RunFailure, RunStatus
from runstore.training.session import RunSession, ending_of


class BreakableStore(MemoryStore):
    """A memory store that raises ``breakage`` from every verb for as long as one is set."""

    def __init__(self, database: MemoryDatabase | None = None) -> None:
        super().__init__(database)
        self.breakage: Exception | None = None
        self.calls = 0

    def __getattribute__(self, name: str) -> Any:
        verbs = {"get_or_create_experiment", "ensure_run", "log_metrics", "log_config", "log_artifact", "finalize"}
        if name in verbs:
            self.calls += 1
            if self.breakage is not None:
                raise self.breakage
        return super().__getattribute__(name)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


DOWN = StoreUnavailableError("the database is away")


@pytest.fixture
def store() -> Iterator[BreakableStore]:
    with BreakableStore() as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    return lambda: [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def loss(step: int, value: float = 0.5) -> MetricPoint:
    return MetricPoint(name="loss", value=value, step=step, dataset_type="train")


def test_the_run_id_is_known_before_any_store_is_touched(store: BreakableStore) -> None:
    session = RunSession(store, experiment="e")

    assert session.run_id
    assert store.calls == 0


def test_beginning_makes_the_experiment_and_the_run(store: BreakableStore) -> None:
    session = RunSession(store, experiment="e", name="n", tags={"k": "v"}, provenance={"seed": 1}, source_path="/data")

    run_id = session.begin()

    run = store.get_run(run_id)
    assert run_id == session.run_id
    assert store.get_experiment(run.experiment_id).name == "e"
    assert (run.status, run.name, run.tags, run.provenance, run.source_path) == (
        RunStatus.IN_PROGRESS,
        "n",
        {"k": "v"},
        {"seed": 1},
        "/data",
    )


def test_a_write_begins_a_run_that_was_not_begun(store: BreakableStore) -> None:
    session = RunSession(store, experiment="e")

    session.log_metrics([loss(0)])

    assert list(store.get_history(session.run_id, "loss", "train").values) == [0.5]


def test_an_existing_run_needs_no_experiment(store: BreakableStore) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("e"))

    session = RunSession(store, run_id=run_id)
    session.begin()
    session.log_metrics([loss(3)])

    assert list(store.get_history(run_id, "loss", "train").steps) == [3]


def test_a_new_run_without_an_experiment_is_a_value_error_that_names_the_argument(store: BreakableStore) -> None:
    with pytest.raises(ValueError, match="experiment_id"):
        RunSession(store).begin()
    with pytest.raises(ValueError, match="experiment_id"):
        RunSession(store, run_id="no-such-run").begin()


def test_mistakes_of_the_caller_are_raised_at_the_beginning(store: BreakableStore) -> None:
    store.ensure_run(store.get_or_create_experiment("one"), run_id="r")

    def no_url() -> MemoryStore:
        raise SettingsError("no URL")

    with pytest.raises(ConflictError):
        RunSession(store, experiment="two", run_id="r").begin()
    with pytest.raises(InvalidValueError):
        RunSession(store, experiment="").begin()
    with pytest.raises(LookupError):
        RunSession(store, experiment_id="unknown").begin()
    with pytest.raises(SettingsError):
        RunSession(no_url, experiment="e").begin()


def test_config_and_artifacts_reach_the_store(store: BreakableStore, tmp_path: Path) -> None:
    file = tmp_path / "last.ckpt"
    file.write_bytes(b"weights")
    session = RunSession(store, experiment="e")

    took_config = session.log_config({"model": {"depth": 18}})
    record = session.log_artifact(file, artifact_type="model", metadata={"epoch": 3})

    assert took_config
    assert store.get_config(session.run_id) == {"model": {"depth": 18}}
    assert record is not None
    assert (record.name, record.size, record.metadata) == ("last.ckpt", 7, {"epoch": 3})


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, "completed"),
        (ValueError("wrong"), "failed"),
        (KeyboardInterrupt(), "interrupted"),
        (SystemExit(), "interrupted"),
        (SystemExit(128 + signal.SIGTERM), "interrupted"),
        (SystemExit(1), "failed"),
        (SystemExit("no data"), "failed"),
    ],
)
def test_the_status_tells_what_ended_the_training(error: BaseException | None, status: str) -> None:
    assert ending_of(error) == status


def test_a_failed_run_keeps_type_message_and_traceback(store: BreakableStore) -> None:
    session = RunSession(store, experiment="e")

    with pytest.raises(ZeroDivisionError), session:
        _ = 1 // 0

    run = store.get_run(session.run_id)
    assert run.status == "failed"
    assert run.failure is not None
    assert run.failure.type == "ZeroDivisionError"
    assert run.failure.message == "integer division or modulo by zero"
    assert "1 // 0" in run.failure.traceback


def test_a_trial_that_optuna_prunes_is_interrupted_and_has_no_traceback(store: BreakableStore) -> None:
    kind = type("TrialPruned", (Exception,), {"__module__": "optuna.exceptions"})  # it is known by its name
    session = RunSession(store, experiment="e")

    with pytest.raises(kind), session:
        raise kind("trial was pruned at epoch 3")

    run = store.get_run(session.run_id)
    assert run.status == "interrupted"
    assert run.failure == RunFailure(
        type="optuna.exceptions.TrialPruned", message="trial was pruned at epoch 3", traceback=""
    )


def test_an_end_can_be_given_a_reason_in_words(store: BreakableStore) -> None:
    session = RunSession(store, experiment="e")
    session.begin()

    session.end("interrupted", RunFailure(type="Preempted", message="requeued", traceback=""))

    run = store.get_run(session.run_id)
    assert run.status == "interrupted"
    assert run.failure is not None
    assert run.failure.type == "Preempted"


def test_resuming_an_ended_run_opens_a_new_attempt(store: BreakableStore) -> None:
    first = RunSession(store, experiment="e")
    first.begin()
    first.end("failed", ValueError("x"))

    second = RunSession(store, experiment="e", run_id=first.run_id)
    second.begin(resume=True)

    run = store.get_run(first.run_id)
    assert (run.status, run.attempt) == ("in_progress", 2)


def test_a_session_may_begin_again_after_its_own_end(store: BreakableStore) -> None:
    session = RunSession(store, experiment="e")
    session.begin()
    session.end("completed")

    session.begin()
    kept = store.get_run(session.run_id)
    session.begin(resume=True)
    reopened = store.get_run(session.run_id)

    assert (kept.status, kept.attempt) == ("completed", 1)
    assert (reopened.status, reopened.attempt) == ("in_progress", 2)


TURNED_AWAY = [
    StoreFailureError("password authentication failed"),
    RunStoreError("?"),
    OSError("a bug"),
    RuntimeError("Could not determine home directory."),
]


@pytest.mark.parametrize("breakage", TURNED_AWAY)
def test_a_database_that_turns_us_away_is_an_error_before_the_first_step(
    store: BreakableStore, breakage: Exception
) -> None:
    store.breakage = breakage

    with pytest.raises(type(breakage), match=re.escape(str(breakage))):
        RunSession(store, experiment="e").begin()
    with pytest.raises(type(breakage)), RunSession(store, experiment="e"):
        pass


@pytest.mark.parametrize("breakage", TURNED_AWAY)
def test_the_first_write_raises_what_a_beginning_would_have_raised(store: BreakableStore, breakage: Exception) -> None:
    store.breakage = breakage

    with pytest.raises(type(breakage)):
        RunSession(store, experiment="e").log_metrics([loss(0)])
    with pytest.raises(type(breakage)):
        RunSession(store, experiment="e").log_config({"a": 1})


@pytest.mark.parametrize("breakage", [DOWN, *TURNED_AWAY])
def test_a_store_that_fails_after_the_beginning_never_stops_the_caller(
    store: BreakableStore, breakage: Exception, tmp_path: Path
) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"")
    session = RunSession(store, experiment="e")
    session.begin()
    store.breakage = breakage

    answers = [session.log_artifact(file), session.log_metrics([loss(0), loss(1)]), session.log_config({"a": 1})]
    is_ended = session.end("completed")

    assert answers == [None, False, False]
    assert not is_ended
    assert session.points_not_stored == 2
    assert session.last_error is breakage


@pytest.mark.parametrize("breakage", [DOWN, StoreFullError("no space left on the server")])
def test_a_store_that_is_away_or_full_at_the_beginning_never_stops_the_caller(
    store: BreakableStore, breakage: Exception, tmp_path: Path, warnings: Callable[[], list[str]]
) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"")
    store.breakage = breakage

    session = RunSession(store, experiment="e")
    run_id = session.begin()
    answers = [session.log_metrics([loss(0), loss(1)]), session.log_config({"a": 1}), session.log_artifact(file)]
    is_ended = session.end("completed")

    assert run_id == session.run_id
    assert answers == [False, False, None]
    assert not is_ended
    assert session.points_not_stored == 2
    assert session.failures == 5
    assert session.last_error is breakage
    assert len(warnings()) == 2
    assert "did not take its beginning" in warnings()[0]
    assert "2 metric points were not stored" in warnings()[1]


def test_a_database_down_at_the_start_still_gets_the_run_and_its_config(store: BreakableStore, clock: Clock) -> None:
    session = RunSession(store, experiment="e", clock=clock)
    store.breakage = DOWN
    session.begin()
    session.log_config({"lr": 0.1})
    session.log_metrics([loss(0)])

    store.breakage = None
    clock.now += 60
    session.log_metrics([loss(1)])
    session.end_with(None)

    assert store.get_run(session.run_id).status == "completed"
    assert store.get_config(session.run_id) == {"lr": 0.1}
    assert list(store.get_history(session.run_id, "loss", "train").steps) == [1]
    assert session.points_not_stored == 1


def test_a_run_that_was_to_be_resumed_while_the_database_was_away_is_resumed_later(
    store: BreakableStore, clock: Clock
) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("e"))
    store.finalize(run_id, "failed")
    session = RunSession(store, experiment="e", run_id=run_id, clock=clock)
    store.breakage = DOWN
    session.begin(resume=True)

    store.breakage = None
    clock.now += 60
    session.log_metrics([loss(0)])

    run = store.get_run(run_id)
    assert (run.status, run.attempt) == ("in_progress", 2)


def test_a_dead_store_is_left_alone_for_longer_and_longer(store: BreakableStore, clock: Clock) -> None:
    session = RunSession(store, experiment="e", clock=clock)
    session.begin()
    store.breakage = DOWN
    asked_at = []

    for second in range(100):
        clock.now = float(second)
        before = store.calls
        session.log_metrics([loss(second)])
        if store.calls > before:
            asked_at.append(second)

    assert asked_at == [0, 1, 3, 7, 15, 31, 63]
    assert session.points_not_stored == 100


def test_the_end_is_tried_even_while_the_store_is_left_alone(store: BreakableStore, clock: Clock) -> None:
    session = RunSession(store, experiment="e", clock=clock)
    session.begin()
    store.breakage = DOWN
    session.log_metrics([loss(0)])
    store.breakage = None

    is_ended = session.end("completed")

    assert is_ended
    assert store.get_run(session.run_id).status == "completed"


def test_each_outage_is_warned_of_once(store: BreakableStore, clock: Clock, warnings: Callable[[], list[str]]) -> None:
    session = RunSession(store, experiment="e", clock=clock)
    for _outage in range(2):
        store.breakage = DOWN
        for _call in range(10):
            clock.now += 100
            session.log_metrics([loss(0)])
        store.breakage = None
        clock.now += 100
        session.log_metrics([loss(0)])

    assert len(warnings()) == 2


def test_a_bad_value_during_training_is_counted_and_stops_neither_training_nor_later_writes(
    store: BreakableStore, warnings: Callable[[], list[str]]
) -> None:
    session = RunSession(store, experiment="e")
    session.begin()

    refused = [session.log_metrics([loss(step=-1)]) for _ in range(5)]
    taken = session.log_metrics([loss(0)])
    bad_config = session.log_config({"f": object()})
    good_config = session.log_config({"g": 1})

    assert refused == [False] * 5
    assert taken
    assert (bad_config, good_config) == (False, True)
    assert store.get_config(session.run_id) == {"g": 1}
    assert session.failures == 6
    assert len(warnings()) == 2


def test_a_point_that_breaks_a_rule_takes_no_other_with_it_and_each_kind_is_named_once(
    store: BreakableStore, warnings: Callable[[], list[str]]
) -> None:
    session = RunSession(store, experiment="e")
    session.begin()
    bad = [
        MetricPoint(name="n" * 256, value=1.0, step=0),
        MetricPoint(name="two\nlines", value=1.0, step=0),
        MetricPoint(name="lr", value=10**400, step=0),
        MetricPoint(name="", value=1.0, step=0),
        loss(step=-1),
    ]

    answers = [
        session.log_metrics([loss(step), *bad, MetricPoint(name="acc", value=0.5, step=step)]) for step in (0, 1)
    ]

    assert answers == [False, False]
    assert [(summary.name, summary.count) for summary in store.get_summaries(session.run_id)] == [
        ("acc", 2),
        ("loss", 2),
    ]
    assert (session.failures, session.points_not_stored) == (2, 10)
    assert len(warnings()) == 5
    for told, word in zip(warnings(), ["256 characters", "U+000A", "too large", "empty", "-1"], strict=True):
        assert word in told
        assert "points[" not in told


def test_a_program_with_ever_new_mistakes_does_not_fill_the_log(
    store: BreakableStore, warnings: Callable[[], list[str]]
) -> None:
    session = RunSession(store, experiment="e")

    for step in range(100):
        session.log_metrics([MetricPoint(name=f"line\n{step}", value=1.0, step=step), loss(step)])

    assert store.get_summaries(session.run_id)[0].count == 100
    assert session.points_not_stored == 100
    assert len(warnings()) == 21


def test_a_config_value_that_cannot_be_kept_takes_no_other_with_it(
    store: BreakableStore, warnings: Callable[[], list[str]]
) -> None:
    session = RunSession(store, experiment="e")

    is_whole = session.log_config({"lr": 0.1, "model": object(), "depth": 18, "text": "a\0b"})

    assert not is_whole
    assert store.get_config(session.run_id) == {"lr": 0.1, "depth": 18}
    assert len(warnings()) == 2


def test_a_file_that_cannot_be_kept_keeps_no_metric_waiting(
    store: BreakableStore, tmp_path: Path, warnings: Callable[[], list[str]]
) -> None:
    session = RunSession(store, experiment="e")
    session.begin()
    store.breakage = StoreFailureError("no right to write artifacts")
    session.log_artifact(tmp_path)
    store.breakage = None

    missing = [session.log_artifact(tmp_path / name) for name in ("one.png", "two.png", "two.png")]

    assert missing == [None, None, None]
    assert session.log_metrics([loss(0)])
    assert len(warnings()) == 3


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda session: session.log_metrics({"a": 1}), r"a MetricPoint for each name"),
        (lambda session: session.log_metrics([("a", 1)]), r"MetricPoint\(name="),
        (lambda session: session.log_metrics(loss(0)), r"\[point\]"),
        (lambda session: session.log_metrics(0.5), "give a list of MetricPoint"),
        (lambda session: session.log_metrics("loss"), "give a list of MetricPoint"),
        (lambda session: session.log_config([("lr", 0.1)]), "mapping"),
        (lambda session: session.log_artifact(3), "path"),
        (lambda session: session.end("done"), "completed"),
    ],
)
def test_an_argument_of_the_wrong_kind_raises_at_once_and_says_what_to_give(
    store: BreakableStore, call: Callable[[RunSession], object], hint: str
) -> None:
    session = RunSession(store, experiment="e")
    session.begin()

    with pytest.raises(InvalidValueError, match=hint):
        call(session)

    assert session.failures == 0


def test_a_config_is_kept_as_it_was_when_it_was_logged(store: BreakableStore, clock: Clock) -> None:
    session = RunSession(store, experiment="e", clock=clock)
    config = {"lr": 0.1}
    store.breakage = DOWN
    session.log_config(config)
    config["lr"] = 0.9
    store.breakage = None

    session.end("completed")

    assert store.get_config(session.run_id) == {"lr": 0.1}


def test_threads_that_write_at_once_make_one_run_and_lose_nothing() -> None:
    store = MemoryStore()
    session = RunSession(store, experiment="e")
    start = threading.Barrier(8)

    def write(worker: int) -> None:
        start.wait()
        for step in range(50):
            session.log_metrics([MetricPoint(name=f"m{worker}", value=step, step=step)])

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [run.id for run in store.search_runs().items] == [session.run_id]
    assert [summary.count for summary in store.get_summaries(session.run_id)] == [50] * 8
    assert session.failures == 0


def test_an_opener_is_called_at_the_first_need_and_its_store_closed_with_the_session() -> None:
    database = MemoryDatabase()
    opened: list[MemoryStore] = []

    def open_one() -> MemoryStore:
        opened.append(MemoryStore(database))
        return opened[-1]

    session = RunSession(open_one, experiment="e")
    opened_by_the_constructor = len(opened)
    session.begin()
    session.log_metrics([loss(0)])
    session.close()
    session.close()
    session.log_metrics([loss(1)])

    assert opened_by_the_constructor == 0
    assert len(opened) == 2
    assert list(opened[1].get_history(session.run_id, "loss", "train").steps) == [0, 1]
    with pytest.raises(RunStoreError):
        opened[0].get_run(session.run_id)


def test_a_store_of_the_callers_is_not_closed(store: BreakableStore) -> None:
    with RunSession(store, experiment="e") as session:
        pass

    assert store.get_run(session.run_id).status == "completed"


def test_a_pickled_session_writes_to_the_same_run() -> None:
    session = RunSession(partial(MemoryStore), experiment="e")

    copy = pickle.loads(pickle.dumps(session))
    copy.begin()

    assert copy.run_id == session.run_id
    assert copy.store.get_run(session.run_id).status == "in_progress"


def test_media_is_kept_with_the_run(store: BreakableStore) -> None:
    session = RunSession(store, experiment="e")

    artifact = session.log_media(media.text("caption", "words", step=3))

    assert artifact is not None
    assert [item.read() for item in media.read_series(store, session.run_id, "caption")] == [b"words"]


def test_what_cannot_be_drawn_is_named_once_and_counted(
    store: BreakableStore, warnings: Callable[[], list[str]]
) -> None:
    session = RunSession(store, experiment="e")
    unfit = media.image("scan", np.zeros(3))

    assert [session.log_media(unfit), session.log_media(unfit)] == [None, None]
    assert session.failures == 2
    (warning,) = warnings()
    assert "image 'scan' is not stored" in warning
    assert "has the shape (3,)" in warning


def test_numbers_by_name_get_the_step_after_the_highest() -> None:
    with MemoryStore() as store, RunSession(store, experiment="e") as session:
        session.log({"train/loss": 1.0})
        session.log({"train/loss": 2.0}, step=5)
        assert session.log({"train/loss": 3.0})
        history = store.get_history(session.run_id, "loss", "train")

        assert [(point.step, point.value) for point in history] == [(0, 1.0), (5, 2.0), (6, 3.0)]
        assert repr(session) == f"RunSession({session.run_id!r}, experiment='e', has_begun=True)"


def test_the_programs_own_mistakes_are_not_called_the_stores(caplog: pytest.LogCaptureFixture) -> None:
    with MemoryStore() as store, RunSession(store, experiment="e") as session:
        for _ in range(2):
            session.log_image("overlay", "no-such-file.png")
        session.log_artifact("no-such-file.bin")
    told = [record.getMessage() for record in caplog.records]

    assert "the store" not in " ".join(told)
    assert "an artifact could not be stored" in told[1]
    assert "; 3 of its calls brought what cannot be stored; last error" in told[-1]


def test_what_the_store_failed_is_told_beside_the_programs_mistakes(caplog: pytest.LogCaptureFixture) -> None:
    store = BreakableStore()
    session = RunSession(store, experiment="e")
    session.begin()
    session.log_artifact("no-such-file.bin")
    store.breakage = DOWN
    session.log({"loss": 1.0})
    session.end("completed")

    assert (
        "; 1 of its calls brought what cannot be stored, and the store failed 2 of its calls, "
        "and 1 metric points were not stored; last error"
    ) in caplog.records[-1].getMessage()
