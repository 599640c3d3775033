"""DUR.8: a database goes back behind what it acknowledged, and the recorder in front of it sends that again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runstore.backend import Store
from runstore.health import SentAgain
from runstore.model import RunStatus
from runstore.testing.bench import Bench, new_run, point, points_of
from runstore.testing.conformance._base import ConformanceBase, clause


class Forgetful:
    """A recorder in front of an empty database of its own, which can be brought back to what it was.

    Attributes:
        bench: on that database, without the recorder.
        recorder: the handle that records.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.recorder = bench.open_recorded()

    def back_up(self) -> Callable[[], None]:
        """A call that brings the database back to what it holds now."""
        self.settle()
        bring_back = self.bench.harness.back_up()

        def go_back() -> None:
            self.settle()
            bring_back()

        return go_back

    def settle(self) -> None:
        """Returns once all that was recorded is stored."""
        self.recorder.flush()  # type: ignore[attr-defined]  # a recorder's

    def log(self, run_id: str, steps: range, *, times: float = 1.0) -> None:
        """Logs a point for each step, a call each."""
        for step in steps:
            self.recorder.log_metrics(run_id, [point("loss", step, step * times)])

    def keep(self, run_id: str, path: Path, text: str) -> None:
        """Logs a file with this text."""
        path.write_text(text)
        self.recorder.log_artifact(run_id, path)

    def told_of(self, run_id: str) -> SentAgain:
        """What the recorder says of what it sent again of a run."""
        told: SentAgain | None = self.recorder.health().runs[run_id].sent_again  # type: ignore[attr-defined]  # a recorder's
        assert told is not None, f"nothing is told of what was sent again of run {run_id}"
        return told

    def end(self, *run_ids: str) -> Store:
        """Ends the runs and the recorder; gives a handle without it."""
        for run_id in run_ids:
            self.recorder.finalize(run_id, "completed")
        self.recorder.close()
        return self.bench.open()


@contextmanager
def forgetful(bench: Bench, folder: Path) -> Iterator[Forgetful]:
    """A recorder in front of a database that can go back; its journals lie below this folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNSTORE_STATE_DIR", str(folder / "journals"))
        yield Forgetful(bench.fresh())


def by_step(store: Store, run_id: str) -> dict[int, float]:
    """The points of the series that these tests log, and nothing that its summary does not count."""
    found = points_of(store, run_id, "loss")
    assert [each.count for each in store.get_summaries(run_id)] == [len(found)]
    return dict(found)


def text_of(store: Store, run_id: str, name: str) -> bytes:
    """What an artifact holds."""
    with store.open_artifact(run_id, name) as file:
        return file.read()


def is_deleted(store: Store, run_id: str) -> bool:
    """Whether a run is deleted, and could be restored."""
    return run_id in [each.id for each in store.list_deleted().items]


class GoingBackClauses(ConformanceBase):
    """DUR.8."""

    @clause("DUR.8")
    def test_what_a_database_forgot_of_a_run_is_sent_again(self, bench: Bench, tmp_path: Path) -> None:
        with forgetful(bench, tmp_path) as given:
            run_id = new_run(given.recorder, name="early", tags={"kept": "yes"})
            given.recorder.log_config(run_id, {"lr": 0.1, "model": {"depth": 3}})
            given.log(run_id, range(20))
            given.keep(run_id, tmp_path / "early", "early bytes")
            go_back = given.back_up()
            given.log(run_id, range(15, 60), times=2.0)
            given.recorder.log_config(run_id, {"lr": 0.2, "seed": 7})
            given.recorder.set_note(run_id, "a note")
            given.recorder.rename_run(run_id, "late")
            given.keep(run_id, tmp_path / "late", "late bytes")

            go_back()
            given.log(run_id, range(60, 70), times=2.0)
            store = given.end(run_id)

            assert by_step(store, run_id) == {step: step * (1.0 if step < 15 else 2.0) for step in range(70)}
            assert store.get_config(run_id) == {"lr": 0.2, "model": {"depth": 3}, "seed": 7}
            run = store.get_run(run_id)
            assert (run.status, run.attempt, run.tags) == (RunStatus.COMPLETED, 1, {"kept": "yes"})
            assert (run.name, run.note) == ("late", "a note")
            assert [text_of(store, run_id, name) for name in ("early", "late")] == [b"early bytes", b"late bytes"]
            told = given.told_of(run_id)
            assert (told.points >= 40, told.lost) == (True, ())

    @clause("DUR.8")
    def test_a_run_that_a_database_forgot_is_begun_again_as_it_was(self, bench: Bench, tmp_path: Path) -> None:
        with forgetful(bench, tmp_path) as given:
            new_run(given.recorder)
            go_back = given.back_up()
            experiment_id = given.recorder.get_or_create_experiment("forgotten", description="the first one")
            parent = given.recorder.ensure_run(experiment_id, name="parent")
            run_id = given.recorder.ensure_run(
                experiment_id, name="child", parent_run_id=parent, tags={"a": "b"}, provenance={"git": "abc"}
            )
            given.recorder.log_config(run_id, {"lr": 0.1})
            given.log(run_id, range(30))
            given.keep(run_id, tmp_path / "weights", "weights")
            given.recorder.finalize(parent, "failed")
            given.settle()
            before = [given.recorder.get_run(each) for each in (parent, run_id)]

            go_back()
            store = given.end(run_id)

            for each in before:
                after = store.get_run(each.id)
                for fact in ("experiment_id", "parent_run_id", "name", "tags", "provenance", "start_time", "attempt"):
                    assert getattr(after, fact) == getattr(each, fact), fact
            assert [store.get_run(each).status for each in (parent, run_id)] == [RunStatus.FAILED, RunStatus.COMPLETED]
            assert store.get_experiment(experiment_id).description == "the first one"
            assert (store.get_config(run_id), by_step(store, run_id)) == (
                {"lr": 0.1},
                {step: float(step) for step in range(30)},
            )
            assert text_of(store, run_id, "weights") == b"weights"
            assert given.told_of(run_id).lost == ()

    @clause("DUR.8")
    def test_what_came_later_is_not_written_over_by_what_is_sent_again(self, bench: Bench, tmp_path: Path) -> None:
        with forgetful(bench, tmp_path) as given:
            run_id = new_run(given.recorder, name="at first")
            given.recorder.log_config(run_id, {"lr": 0.1})
            given.log(run_id, range(10))
            go_back = given.back_up()
            given.log(run_id, range(10, 20))
            given.recorder.log_config(run_id, {"seed": 1, "late": 1})
            given.recorder.rename_run(run_id, "by the trainer")

            go_back()
            with given.bench.open() as other:
                other.log_metrics(run_id, [point("loss", step, -1.0) for step in (3, 15)])
                other.log_config(run_id, {"seed": 2, "lr": 0.5})
                other.rename_run(run_id, "by a person")
                assert other.get_run(run_id).name == "by a person"  # it is stored, also by one that records
            store = given.end(run_id)

            assert by_step(store, run_id) == {**{step: float(step) for step in range(20)}, 3: -1.0, 15: -1.0}
            assert store.get_config(run_id) == {"lr": 0.5, "seed": 2, "late": 1}
            assert store.get_run(run_id).name == "by a person"

    @clause("DUR.8")
    def test_a_run_that_somebody_deleted_is_not_sent_again(self, bench: Bench, tmp_path: Path) -> None:
        with forgetful(bench, tmp_path) as given:
            run_id, other_id = new_run(given.recorder), new_run(given.recorder)
            given.log(run_id, range(10))
            go_back = given.back_up()
            given.log(run_id, range(10, 20))
            given.log(other_id, range(20))

            go_back()
            with given.bench.open() as other:
                other.delete_run(run_id)
                assert is_deleted(other, run_id)
            store = given.end(other_id)

            assert is_deleted(store, run_id)
            assert by_step(store, other_id) == {step: float(step) for step in range(20)}
