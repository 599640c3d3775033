"""What a program does with a run: over a memory store, which is read afterwards."""

import argparse
import asyncio
import logging
import pickle
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import runstore
from runstore import media
from runstore.errors import ConflictError, InvalidValueError, RunNotFoundError, SettingsError, StoreUnavailableError
from runstore.memory.store import MemoryStore
from runstore.model import Run, RunFailure, RunStatus
from runstore.protocol import RunReader
from runstore.session import ActiveRun, start_run
from support.waiting import wait_until


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        yield opened


@pytest.fixture
def begin(store: MemoryStore) -> Callable[..., ActiveRun]:
    """Begins a run of the memory store, without what is gathered of this checkout."""

    def start(experiment: str | None = "e", **options: Any) -> ActiveRun:
        return start_run(
            experiment, **{"store": store, "git_changes": False, "packages": False, "console": False, **options}
        )

    return start


Begin = Callable[..., ActiveRun]


def points(store: MemoryStore, run: ActiveRun, name: str, dataset_type: str = "other") -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in store.get_history(run.id, name, dataset_type)]


def content(reader: RunReader, run: ActiveRun, name: str) -> str:
    with reader.open_artifact(run.id, name) as file:
        return file.read().decode()


def only_run(store: MemoryStore) -> Run:
    (run,) = store.search_runs().items
    return run


# --- the five lines ----------------------------------------------------------------------------------------------


def test_a_run_is_led_in_five_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    (tmp_path / "roc.png").write_bytes(b"a curve")

    with runstore.start_run("ct-seg", config={"lr": 1e-3}, tags={"owner": "me"}, store=url) as run:
        for step in range(10):
            run.log({"train/loss": 1 / (step + 1), "val/auroc": step / 10}, step=step)
        run.log_artifact(tmp_path / "roc.png")

    with runstore.open_reader(url) as reader:
        found = reader.get_run(run.id)
        experiment = reader.get_experiment(found.experiment_id)
        assert (experiment.name, found.status, found.tags) == ("ct-seg", RunStatus.COMPLETED, {"owner": "me"})
        assert reader.get_config(run.id) == {"lr": 1e-3}
        assert len(reader.get_history(run.id, "loss", "train")) == 10
        assert reader.get_history(run.id, "auroc", "validation").values[-1] == 0.9
        names = {artifact.name for artifact in reader.list_artifacts(run.id)}
        assert {"roc.png", "provenance/packages.txt"} <= names
        packages = content(reader, run, "provenance/packages.txt")
        assert re.search(r"^msgspec==\d", packages, re.MULTILINE)
        assert found.provenance["process"]["argv"]
    begun, ended = capsys.readouterr().err.splitlines()
    command = f"runstore show {run.id} --store {url}"
    assert begun == f"runstore: run {run.id} of ct-seg has begun, stored in {url}; see it with: {command}"
    assert re.fullmatch(rf"runstore: run {run.id} of ct-seg completed after [\d.]+ s; see it with: {command}", ended)


# --- numbers, names and steps ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", [0.5, np.float32(0.5), np.float64(0.5), np.array(0.5), np.array([0.5]), np.float16(0.5)]
)
def test_a_number_of_any_library_is_logged(store: MemoryStore, begin: Begin, number: Any) -> None:
    with begin() as run:
        run.log({"loss": number}, step=3)

    assert points(store, run, "loss") == [(3, 0.5)]


@pytest.mark.parametrize(
    ("number", "kept"), [(1, 1.0), (True, 1.0), (np.int64(7), 7.0), (np.array([1]).astype(bool)[0], 1.0)]
)
def test_whole_numbers_and_truth_values_are_numbers(store: MemoryStore, begin: Begin, number: Any, kept: float) -> None:
    with begin() as run:
        run.log({"loss": number}, step=3)

    assert points(store, run, "loss") == [(3, kept)]


@pytest.mark.training
def test_a_tensor_of_one_element_is_a_number(store: MemoryStore, begin: Begin) -> None:
    torch = pytest.importorskip("torch")

    with begin() as run:
        run.log({"loss": torch.tensor(0.5, requires_grad=True)}, step=torch.tensor(3))

    assert points(store, run, "loss") == [(3, 0.5)]


def test_what_is_no_number_is_left_out_and_told_once(
    store: MemoryStore, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    with begin() as run:
        for step in range(3):
            run.log({"loss": 0.5, "image": "a.png", "many": np.zeros(3), "none": None}, step=step)

    assert [summary.name for summary in store.get_summaries(run.id)] == ["loss"]
    assert sum("'image' is not stored" in record.getMessage() for record in caplog.records) == 1


def test_a_mapping_in_a_mapping_names_its_numbers_with_a_slash(store: MemoryStore, begin: Begin) -> None:
    with begin() as run:
        run.log({"val": {"auroc": 0.9, "by": {"site": 0.8}}, "empty": {}}, step=0)

    assert points(store, run, "auroc", "validation") == [(0, 0.9)]
    assert points(store, run, "by/site", "validation") == [(0, 0.8)]


def test_without_a_step_each_call_gets_the_one_after_the_highest(store: MemoryStore, begin: Begin) -> None:
    with begin() as run:
        run.log({"loss": 0})
        run.log({"loss": 1})
        run.log({"loss": 2}, step=10)
        run.log({"loss": 3}, step=5)
        run.log({"loss": 4})

    assert points(store, run, "loss") == [(0, 0), (1, 1), (5, 3), (10, 2), (11, 4)]


def test_the_numbers_of_one_call_share_a_step_and_an_empty_call_takes_none(store: MemoryStore, begin: Begin) -> None:
    with begin() as run:
        run.log({"loss": 0, "acc": 0})
        run.log({})
        run.log({"loss": 1})

    assert points(store, run, "loss") == [(0, 0), (1, 1)]
    assert points(store, run, "acc") == [(0, 0)]


def test_a_child_that_is_named_by_its_id_begins_in_its_parents_experiment_or_stays_in_its_own(
    store: MemoryStore, begin: Begin
) -> None:
    with begin("other", run_id="old"):
        pass

    with begin("sweep") as parent:
        new, old = parent.child(run_id="new"), parent.child(run_id="old")
        again = parent.child(resume="old")

    experiments = {run.id: store.get_experiment(run.experiment_id).name for run in store.search_runs()}
    assert experiments == {parent.id: "sweep", "new": "sweep", "old": "other"}
    assert store.get_run("new").parent_run_id == parent.id
    assert (new.experiment, old.experiment, again.experiment) == ("sweep", "other", "other")


def test_a_run_that_is_resumed_calls_its_series_as_before_in_whatever_order_they_come(
    store: MemoryStore, begin: Begin
) -> None:
    with begin() as run:
        run.log({"val_loss": 1.0, "val/loss": 100.0}, step=0)

    with begin(None, run_id=run.id, resume=True) as again:
        again.log({"val/loss": 200.0}, step=1)
        again.log({"val_loss": 2.0}, step=1)

    assert points(store, run, "loss", "validation") == [(0, 1.0), (1, 2.0)]
    assert points(store, run, "val/loss") == [(0, 100.0), (1, 200.0)]


def test_a_run_that_is_resumed_goes_on_after_its_last_step(store: MemoryStore, begin: Begin) -> None:
    with begin() as run:
        run.log({"loss": 0}, step=7)

    with begin(None, run_id=run.id, resume=True) as again:
        again.log({"loss": 1})

    assert points(store, run, "loss") == [(7, 0), (8, 1)]
    assert store.get_run(run.id).attempt == 2


def test_threads_that_log_without_a_step_get_steps_of_their_own(store: MemoryStore, begin: Begin) -> None:
    with begin() as run, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: run.log({"loss": number}), range(400)))

    assert [step for step, _ in points(store, run, "loss")] == list(range(400))


@pytest.mark.parametrize("metrics", [None, 0.5, [("loss", 0.5)], "loss"])
def test_what_is_no_mapping_raises_at_once(begin: Begin, metrics: Any) -> None:
    with begin() as run, pytest.raises(InvalidValueError, match="metrics is"):
        run.log(metrics, step=0)


def test_a_step_that_is_none_is_counted_and_stops_nothing(
    store: MemoryStore, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    with begin() as run:
        run.log({"loss": 0.5}, step=-1)
        run.log({"loss": 0.5}, step=0)

    assert points(store, run, "loss") == [(0, 0.5)]
    assert run.points_not_stored == 1
    assert "step" in caplog.text


# --- settings, artifacts, media ----------------------------------------------------------------------------------


@dataclass
class Settings:
    lr: float
    data: Path


@pytest.mark.parametrize("config", ["lr=1", [1, 2], ("lr", 1), 5, 0.1, b"lr", {"lr"}], ids=repr)
def test_a_config_without_named_settings_is_refused_before_the_run_begins(
    store: MemoryStore, begin: Begin, config: Any
) -> None:
    with pytest.raises(InvalidValueError, match="give settings by name"):
        begin(config=config)

    assert len(store.search_runs()) == 0
    with begin() as run, pytest.raises(InvalidValueError, match="give settings by name"):
        run.log_config(config)
    assert only_run(store).status == RunStatus.COMPLETED


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ({"lr": 0.1, "layers": [1, 2]}, {"lr": 0.1, "layers": [1, 2]}),
        (argparse.Namespace(lr=0.1), {"lr": 0.1}),
        (Settings(0.1, Path("/data")), {"lr": 0.1, "data": "/data"}),
    ],
)
def test_settings_of_any_kind_are_the_config(store: MemoryStore, begin: Begin, config: Any, kept: Any) -> None:
    with begin(config=config) as run:
        run.log_config({"later": True})

    assert store.get_config(run.id) == kept | {"later": True}


def test_media_of_each_kind_are_kept_and_read_back_as_series(store: MemoryStore, begin: Begin) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow, and needed here only

    with begin() as run:
        for step in (1, 0):
            run.log_image("overlay", np.zeros((4, 4)), step=step)
        run.log_figure("roc", Figure(), dpi=20)
        run.log_table("cases.csv", [{"case": "a"}])
        run.log_text("report.md", "# All well")
        run.log_histogram("weights", [1.0, 2.0], bins=2)

    assert [item.step for item in media.read_series(store, run.id, "overlay")] == [0, 1]
    kinds = {name: items[0].kind for name, items in media.list_series(store, run.id).items()}
    assert kinds == {"overlay": "image", "roc": "figure", "cases": "table", "report": "text", "weights": "histogram"}


def test_what_cannot_be_drawn_and_a_file_that_is_missing_stop_nothing(
    begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    with begin() as run:
        assert run.log_image("overlay", np.zeros(3)) is None
        assert run.log_artifact("no-such-file") is None

    assert run.failures == 2
    assert "has the shape (3,)" in caplog.text


# --- changes -----------------------------------------------------------------------------------------------------


def test_a_running_run_is_noted_tagged_and_renamed(store: MemoryStore, begin: Begin) -> None:
    with begin(note="first", tags={"fold": 3, "best": True}) as run:
        run.add_tags({"owner": "me", "fold": 4})
        run.rename("wide")
        assert store.get_run(run.id).note == "first"
        run.set_note("looks good")

    found = store.get_run(run.id)
    assert (found.note, found.name, run.name) == ("looks good", "wide", "wide")
    assert found.tags == {"fold": "4", "best": "True", "owner": "me"}


def test_tags_of_a_run_that_exists_are_laid_over_those_it_has(store: MemoryStore, begin: Begin) -> None:
    with begin(tags={"owner": "me"}) as run:
        pass
    with begin(run_id=run.id, resume=True, tags={"machine": "b"}):
        pass

    assert store.get_run(run.id).tags == {"owner": "me", "machine": "b"}


@pytest.mark.parametrize(
    "call", [lambda run: run.set_note(7), lambda run: run.add_tags(["a"]), lambda run: run.rename(7)]
)
def test_a_change_of_the_wrong_kind_raises_at_once(begin: Begin, call: Callable[[ActiveRun], None]) -> None:
    with begin() as run, pytest.raises(InvalidValueError):
        call(run)


def test_a_run_is_noted_after_its_end_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with start_run("e", store=url, git_changes=False, packages=False, console=False) as run:
        pass

    run.set_note("looks good")

    with runstore.open_reader(url) as reader:
        assert (reader.get_run(run.id).note, reader.get_run(run.id).status) == ("looks good", "completed")


# --- children ----------------------------------------------------------------------------------------------------


def test_a_child_is_of_its_parents_experiment_and_store(store: MemoryStore, begin: Begin) -> None:
    with begin() as run:
        for fold in range(2):
            with run.child(name=f"fold {fold}", config={"fold": fold}) as child:
                child.log({"val/auroc": 0.5})

    children = store.list_children(run.id).items
    assert [(child.name, child.status, child.experiment_id) for child in children] == [
        ("fold 0", "completed", store.get_run(run.id).experiment_id),
        ("fold 1", "completed", store.get_run(run.id).experiment_id),
    ]


def test_a_child_that_is_under_way_ends_with_its_parent_and_in_the_same_way(store: MemoryStore, begin: Begin) -> None:
    def fail() -> None:
        with begin() as run:
            run.child()
            raise ValueError("bad data")

    with pytest.raises(ValueError, match="bad data"):
        fail()

    assert [run.status for run in store.search_runs().items] == ["failed", "failed"]


def test_a_child_begins_below_a_run_that_somebody_has_deleted_meanwhile(store: MemoryStore, begin: Begin) -> None:
    with begin() as run:
        store.delete_run(run.id)
        with run.child(name="fold 1") as child:
            child.log({"val/auroc": 0.5})

    assert (store.get_run(child.id).parent_run_id, store.get_run(child.id).status) == (run.id, "completed")
    assert (run.failures, child.failures) == (0, 0)


def test_a_child_that_fails_alone_leaves_its_parent_running(store: MemoryStore, begin: Begin) -> None:
    with begin() as run:
        with pytest.raises(ValueError, match="one fold"), run.child() as child:
            raise ValueError("one fold")
        run.log({"loss": 1})

    assert store.get_run(child.id).status == "failed"
    assert store.get_run(run.id).status == "completed"


def test_a_child_is_named_in_short(begin: Begin) -> None:
    with begin() as run, run.child("fold 1") as child:
        assert (child.name, child.experiment) == ("fold 1", "e")


def test_an_artifact_is_named_in_short(store: MemoryStore, begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "li.py").write_text("pass")
    with begin() as run:
        run.log_artifact(tmp_path / "li.py", "code/li.py")

    assert content(store, run, "code/li.py") == "pass"


def test_a_run_that_has_ended_begins_no_child(begin: Begin) -> None:
    with begin() as run:
        pass
    with pytest.raises(InvalidValueError, match="has ended"):
        run.child()


# --- resuming ----------------------------------------------------------------------------------------------------


def test_an_id_of_ones_own_begins_a_run_and_finds_it_again(store: MemoryStore, begin: Begin) -> None:
    with begin(run_id="my-run"):
        pass
    with begin(run_id="my-run") as again:
        again.log({"loss": 1})

    assert only_run(store).status == "completed"
    assert only_run(store).attempt == 1


@pytest.mark.parametrize("arguments", [{"resume": True}, {"resume": "a", "run_id": "b"}, {"resume": ""}, {"run_id": 7}])
def test_a_run_that_is_named_in_two_ways_or_none_is_refused(begin: Begin, arguments: Any) -> None:
    with pytest.raises(InvalidValueError):
        begin(**arguments)


@pytest.mark.parametrize("reference", [lambda run: run.id[-6:], lambda _: "wide", lambda _: "@1"])
def test_a_run_to_go_on_with_is_named_in_any_way(
    store: MemoryStore, begin: Begin, reference: Callable[[ActiveRun], str]
) -> None:
    with begin(name="wide") as run:
        pass
    with begin(None, resume=reference(run)) as again:
        pass

    assert again.id == run.id
    assert only_run(store).attempt == 2


def test_an_unknown_run_without_an_experiment_says_what_to_do(begin: Begin) -> None:
    with pytest.raises(InvalidValueError, match=r"start_run\('my-experiment', run_id='mine'\)"):
        begin(None, run_id="mine")


def test_a_run_to_go_on_with_that_is_not_there_is_an_error(begin: Begin) -> None:
    with pytest.raises(RunNotFoundError):
        begin(None, resume="no-such-run")


# --- what raises at the beginning --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        {"experiment": None},
        {"experiment": ""},
        {"store": 7},
        {"tags": ["a"]},
        {"tags": {"a": None}},
        {"note": 7},
        {"system_metrics_s": 0},
        {"name": 7},
    ],
)
def test_an_argument_that_is_wrong_raises_before_the_run_begins(
    store: MemoryStore, begin: Begin, arguments: Any
) -> None:
    with pytest.raises(InvalidValueError):
        begin(**arguments)

    assert store.search_runs().items == ()


def test_without_a_store_the_error_says_where_one_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SettingsError, match="RUNSTORE_URL"):
        start_run("e")


def test_an_unknown_parent_is_an_error(begin: Begin) -> None:
    with pytest.raises(RunNotFoundError):
        begin(parent="no-such-run")


# --- how it ends -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("bad data"), "failed"),
        (KeyboardInterrupt(), "interrupted"),
        (SystemExit(0), "interrupted"),
        (SystemExit(143), "interrupted"),
        (SystemExit(3), "failed"),
        (asyncio.CancelledError(), "interrupted"),
    ],
)
def test_what_leaves_the_block_ends_the_run(
    store: MemoryStore, begin: Begin, error: BaseException, status: str
) -> None:
    with pytest.raises(type(error)), begin() as run:
        raise error

    found = store.get_run(run.id)
    assert (found.status, run.status) == (status, status)
    assert found.failure is not None
    assert "raise error" in found.failure.traceback


def test_a_run_is_finished_without_a_block_and_once(store: MemoryStore, begin: Begin) -> None:
    run = begin()
    run.finish("interrupted")
    run.finish("failed")

    assert only_run(store).status == "interrupted"


def test_finishing_with_an_error_says_failed(store: MemoryStore, begin: Begin) -> None:
    begin().finish(error=ValueError("bad data"))

    failure = only_run(store).failure
    assert failure is not None
    assert (only_run(store).status, failure.message) == ("failed", "bad data")


def test_a_status_that_ends_nothing_raises_at_once(begin: Begin) -> None:
    run = begin()
    with pytest.raises(InvalidValueError, match="status"):
        run.finish("done")
    run.finish()


def test_what_is_logged_after_the_end_is_told_once_and_not_stored(
    store: MemoryStore, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    with begin() as run:
        pass
    run.log({"loss": 1})
    run.log_config({"lr": 1})
    run.log_text("late", "words")

    assert store.get_summaries(run.id) == ()
    assert store.get_config(run.id) == {}
    assert [f"start_run(resume={run.id!r})" in record.getMessage() for record in caplog.records] == [True]


def test_an_open_store_stays_the_callers(store: MemoryStore, begin: Begin) -> None:
    with begin():
        pass

    assert only_run(store).status == "completed"


class Away(MemoryStore):
    """A store that is away once it is told to be."""

    is_away = False

    def __getattribute__(self, name: str) -> Any:
        if name in {"log_metrics", "log_config", "log_artifact", "finalize", "set_note", "set_tags"} and self.is_away:
            raise StoreUnavailableError("the database is away")
        return super().__getattribute__(name)


def test_a_store_that_goes_away_stops_nothing(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("bytes")
    store = Away()
    with start_run("e", store=store, git_changes=False, packages=False, console=False) as run:
        store.is_away = True
        run.log({"loss": 1})
        run.log_config({"lr": 1})
        run.log_artifact(tmp_path / "file")
        run.log_text("words", "words")
        run.set_note("a note")
        run.add_tags({"a": "b"})

    assert run.failures >= 6
    assert "the database is away" in caplog.text


class Unreadable(MemoryStore):
    """A store that cannot be read."""

    def __getattribute__(self, name: str) -> Any:
        if name == "get_summaries":
            raise StoreUnavailableError("the database is away")
        return super().__getattribute__(name)


def test_a_resumed_run_whose_last_step_cannot_be_read_writes_over_nothing(caplog: pytest.LogCaptureFixture) -> None:
    store = Unreadable()
    with start_run("e", run_id="mine", store=store, git_changes=False, packages=False, console=False) as run:
        run.log({"loss": 1}, step=3)
    with start_run(
        "e", run_id="mine", resume=True, store=store, git_changes=False, packages=False, console=False
    ) as run:
        run.log({"loss": 2})
        run.log({"loss": 3})

    first, second, third = points(store, run, "loss")
    assert (first, second[1], third) == ((3, 1), 2, (second[0] + 1, 3))
    assert second[0] > 1_700_000_000
    assert "behind all that were logged before" in caplog.text


def test_the_last_line_says_what_was_not_stored(capsys: pytest.CaptureFixture[str]) -> None:
    store = Away()
    with start_run("e", store=store, git_changes=False, packages=False) as run:
        store.is_away = True
        run.log({"loss": 1})

    assert "2 of its calls were not stored, or not whole" in capsys.readouterr().err


# --- async, threads, processes -----------------------------------------------------------------------------------


def test_a_run_is_led_by_tasks_and_ends_with_its_block(store: MemoryStore, begin: Begin) -> None:
    async def train() -> ActiveRun:
        async with begin() as run:
            await asyncio.gather(*(log(run, number) for number in range(20)))
        return run

    async def log(run: ActiveRun, number: int) -> None:
        await asyncio.sleep(0)
        run.log({"loss": number})

    run = asyncio.run(train())

    assert len(points(store, run, "loss")) == 20
    assert store.get_run(run.id).status == "completed"


def test_a_task_that_is_cancelled_leaves_an_interrupted_run(store: MemoryStore, begin: Begin) -> None:
    async def train() -> None:
        async with begin():
            await asyncio.Event().wait()

    async def cancel() -> None:
        task = asyncio.create_task(train())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert only_run(store).status == "interrupted"


def test_a_run_that_another_thread_begins_and_ends_is_whole(store: MemoryStore, begin: Begin) -> None:
    def train() -> None:
        with begin() as run:
            run.log({"loss": 1})

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()

    assert only_run(store).status == "completed"


def test_a_pickled_copy_writes_to_the_same_run_and_does_not_end_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    run = start_run("e", store=url, git_changes=False, packages=False, console=False)
    run.log({"loss": 0})

    copy = pickle.loads(pickle.dumps(run))
    copy.log({"loss": 1}, step=1)
    copy.finish("failed")

    with runstore.open_reader(url) as reader:
        assert reader.get_run(run.id).status == "in_progress"
    run.finish()
    with runstore.open_reader(url) as reader:
        assert reader.get_run(run.id).status == "completed"


# --- what it says ------------------------------------------------------------------------------------------------


def test_the_repr_tells_the_run_and_its_html_escapes_it(begin: Begin) -> None:
    with begin("<b>", name="first") as run:
        text, html = repr(run), run._repr_html_()

    assert text == f"ActiveRun({run.id!r}, experiment='<b>', name='first', status='in_progress')"
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_the_two_lines_are_off_by_the_setting(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNSTORE_CONSOLE", "off")
    with start_run("e", store=store, git_changes=False, packages=False):
        pass

    assert capsys.readouterr().err == ""


def test_the_line_at_the_end_tells_the_reason_without_secrets(begin: Begin, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="hunter2"), begin(console=True):
        raise ValueError("no postgresql://me:hunter2@host/db\nmore")

    assert "by ValueError: no postgresql://me:***@host/db" in capsys.readouterr().err


def test_threads_of_a_resumed_run_take_steps_of_their_own(store: MemoryStore, begin: Begin) -> None:
    with begin() as run:
        run.log({"loss": 0.0})
    resumed = begin(resume=run.id)
    together = threading.Barrier(8)

    def log(worker: int) -> None:
        together.wait()
        for turn in range(5):
            resumed.log({"loss": worker + turn / 10})

    workers = [threading.Thread(target=log, args=(number,)) for number in range(8)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    resumed.finish()

    assert list(store.get_history(run.id, "loss", "other").steps) == list(range(41))


# --- what goes along with it -------------------------------------------------------------------------------------


def test_what_the_program_prints_is_kept_on_request(
    store: MemoryStore, begin: Begin, capsys: pytest.CaptureFixture[str]
) -> None:
    early = logging.StreamHandler()  # holds the stream of before
    with begin(capture_output=True) as run:
        sys.stdout.write("first line\n")
        sys.stdout.write("10 %\r50 %\r100 %\n")
        early.emit(logging.makeLogRecord({"msg": "from a logger to postgresql://me:hunter2@host/db"}))
        sys.stdout.write("no end")
    sys.stdout.write("after the end\n")

    (artifact,) = store.list_artifacts(run.id)
    kept = content(store, run, artifact.name)
    assert artifact.artifact_type == "log"
    assert kept == "first line\n100 %\nfrom a logger to postgresql://me:***@host/db\nno end\n"
    shown = capsys.readouterr()
    assert "50 %\r100 %" in shown.out
    assert "from a logger" in shown.err


def test_of_a_program_that_prints_without_end_the_first_and_the_last_lines_are_kept(
    store: MemoryStore, begin: Begin
) -> None:
    line = "x" * 10_000
    with begin(capture_output=True) as run:
        for number in range(2_000):
            sys.stdout.write(f"{number} {line}\n")

    (artifact,) = store.list_artifacts(run.id)
    kept = content(store, run, artifact.name).splitlines()
    assert artifact.size is not None
    assert artifact.size < 7.5 * 2**20
    assert kept[0] == f"0 {line}"
    assert kept[-1] == f"1999 {line}"
    assert any("bytes left out" in each for each in kept)


def test_the_machine_is_watched_on_request(store: MemoryStore, begin: Begin) -> None:
    pytest.importorskip("psutil")
    with begin(system_metrics_s=60) as run:
        wait_until(lambda: store.get_summaries(run.id), "figures of the machine", pause_s=0.01)
        run.log({"loss": 1})

    names = {summary.name for summary in store.get_summaries(run.id)}
    assert {"system/cpu_percent", "system/memory_percent", "system/disk_percent", "loss"} <= names
    assert points(store, run, "loss") == [(0, 1)]


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_text_says_why_a_run_failed(store: MemoryStore, begin: Begin, status: str) -> None:
    run = begin()
    child = run.child(name="kid")

    run.finish(status, error="the loss is nan")

    for each in (run, child):
        stored = store.get_run(each.id)
        assert (stored.status, stored.failure) == (
            "failed",
            RunFailure(type="Error", message="the loss is nan", traceback=""),
        )


def test_a_reason_of_another_kind_raises_and_the_run_goes_on(store: MemoryStore, begin: Begin) -> None:
    run = begin()
    wrong: Any = {"a": 1}

    with pytest.raises(InvalidValueError, match=r"error is \{'a': 1\} of type dict; give an exception, or a text"):
        run.finish("interrupted", error=wrong)

    assert (run.status, only_run(store).status) == ("in_progress", "in_progress")
    run.finish()
    assert only_run(store).status == "completed"


@pytest.mark.parametrize("step", ["3", 1.5, float("nan"), [1, 2]])
def test_a_step_that_is_no_whole_number_raises(begin: Begin, step: Any) -> None:
    with begin() as run, pytest.raises(InvalidValueError, match="give a whole number"):
        run.log({"loss": 1}, step=step)


@pytest.mark.parametrize("step", [2**63, -1])
def test_a_step_that_no_store_takes_leaves_later_steps_alone(store: MemoryStore, begin: Begin, step: int) -> None:
    with begin() as run:
        run.log({"loss": 1})
        run.log({"loss": 2}, step=step)
        run.log({"loss": 3})

    assert points(store, run, "loss") == [(0, 1.0), (1, 3.0)]
    assert run.points_not_stored == 1


def test_what_is_no_picture_and_no_table_is_told_and_stops_nothing(
    store: MemoryStore, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    nothing: Any = None
    number: Any = 5
    with begin() as run:
        assert run.log_figure("f", nothing) is None
        assert run.log_image("i", nothing, step=3) is None
        assert run.log_table("array", np.zeros((2, 3))) is None
        assert run.log_table("ragged", {"a": [1], "b": [1, 2]}) is None
        assert run.log_text("t", number) is None
        assert run.log_histogram("h", "many") is None
        assert run.log_text("t", "five") is not None

    assert (run.failures, only_run(store).status) == (6, "completed")
    for told in ("figure 'f' is not stored", "text is 5 of type int; give a str", "columns of different lengths"):
        assert told in caplog.text


def test_a_name_a_step_or_an_option_of_a_picture_that_is_not_allowed_raises(begin: Begin) -> None:
    wrong: Any = 1.5
    nothing: Any = None
    with begin() as run:
        with pytest.raises(InvalidValueError, match="name"):
            run.log_figure("../f", nothing)
        with pytest.raises(InvalidValueError, match="step"):
            run.log_text("t", "five", step=wrong)
        with pytest.raises(TypeError, match="dots"):
            run.log_text("t", "five", dots=3)


def test_a_run_that_is_gone_on_with_under_another_name_is_renamed(store: MemoryStore, begin: Begin) -> None:
    with begin(name="orig"):
        pass
    with begin(None, resume="orig", name="other") as run:
        assert run.name == "other"
    assert only_run(store).name == "other"

    with begin(None, resume="other"):
        pass
    assert only_run(store).name == "other"


def test_a_run_of_another_experiment_is_told_by_the_names_that_were_given(begin: Begin) -> None:
    with begin("ct-seg", run_id="fold-3"):
        pass

    told = "run 'fold-3' is of the experiment 'ct-seg', not of 'f'; name that one, or choose another run_id"
    with pytest.raises(ConflictError, match=re.escape(told)):
        begin("f", run_id="fold-3", resume=True)
