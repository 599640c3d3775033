"""Whatever the store does at whatever call, the end is what a plain model says."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recording.faulty import FAULTS, Faults, faulty
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.model import MetricPoint, RunStatus
from runstore.recording import Recorder, RecorderOptions
from support.dying import die
from support.processes import fast_directory

RUNS = ("run-a", "run-b")

calls = st.one_of(
    st.tuples(
        st.just("log_metrics"),
        st.sampled_from(RUNS),
        st.lists(
            st.tuples(st.sampled_from(["loss", "auroc"]), st.integers(0, 5), st.floats(allow_nan=False)), max_size=4
        ),
    ),
    st.tuples(st.just("log_config"), st.sampled_from(RUNS), st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9))),
    st.tuples(st.just("finalize"), st.sampled_from(RUNS), st.just("completed")),
    st.tuples(st.just("resume"), st.sampled_from(RUNS), st.none()),
    st.tuples(st.just("restart"), st.none(), st.none()),
)
mendable = st.sampled_from([None, None, "away", "lost reply", "slow"])


@dataclass
class ModelRun:
    """What one run should be in the end."""

    points: dict[tuple[str, int], float] = field(default_factory=dict)
    config: dict[str, int] = field(default_factory=dict)
    status: str = "in_progress"
    attempt: int = 1


class Subject:
    """A recorder on a memory database that breaks at will; a restart abandons it without draining."""

    def __init__(self, faults: Faults) -> None:
        self.database = MemoryDatabase()
        self._faults = faults
        self._folder = tempfile.TemporaryDirectory(dir=fast_directory())
        self.recorder = self._open()

    def _open(self) -> Recorder:
        return Recorder(
            lambda: faulty(MemoryStore(self.database), self._faults),
            identity="memory://faults",
            options=RecorderOptions(state_dir=Path(self._folder.name), confirm_s=0.05),
        )

    def restart(self) -> None:
        die(self.recorder)
        self.recorder = self._open()

    def end(self) -> MemoryStore:
        self.recorder.close(deadline_s=120.0)
        assert self.recorder.health().waiting_bytes == 0
        with self._open() as last:  # takes in what a restart may have left
            last.flush(deadline_s=120.0)
            quarantined = last.health().quarantined_records + self.recorder.health().quarantined_records
        assert quarantined == 0
        self._folder.cleanup()
        return MemoryStore(self.database)


def apply(recorder: Recorder, model: dict[str, ModelRun], call: tuple[str, Any, Any]) -> None:
    verb, run_id, given_value = call
    run = model[run_id]
    match verb:
        case "log_metrics":
            recorder.log_metrics(
                run_id, [MetricPoint(name=name, step=step, value=value) for name, step, value in given_value]
            )
            run.points.update({(name, step): value for name, step, value in given_value})
        case "log_config":
            recorder.log_config(run_id, given_value)
            run.config.update(given_value)
        case "finalize":
            recorder.finalize(run_id, given_value)
            run.status = given_value
        case "resume":
            recorder.ensure_run(run_id=run_id, resume=True)
            run.attempt += run.status != "in_progress"
            run.status = "in_progress"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(calls, max_size=12), st.lists(mendable, max_size=25))
def test_what_the_store_holds_in_the_end_is_what_was_accepted(
    made: list[tuple[str, Any, Any]], faults: list[str | None]
) -> None:
    subject = Subject(Faults(faults))
    model = {run_id: ModelRun() for run_id in RUNS}
    experiment_id = subject.recorder.get_or_create_experiment("faults")
    for run_id in RUNS:
        subject.recorder.ensure_run(experiment_id, run_id=run_id)

    for call in made:
        if call[0] == "restart":
            subject.restart()
        else:
            apply(subject.recorder, model, call)

    bare = subject.end()
    for run_id, expected in model.items():
        run = bare.get_run(run_id)
        points = {
            (series.name, point.step): point.value
            for series in bare.get_summaries(run_id)
            for point in bare.get_history(run_id, series.name, series.dataset_type)
        }
        assert (points, bare.get_config(run_id)) == (expected.points, expected.config)
        # A run whose beginning a closed recorder left in its journal is nobody's once that is stored.
        status = RunStatus.IN_PROGRESS if run.status == RunStatus.LOST else run.status
        assert (str(status), run.attempt) == (expected.status, expected.attempt)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from([None, *FAULTS]), max_size=12))
def test_a_failure_that_passes_costs_nothing_either(faults: list[str | None]) -> None:
    failures = [place for place, fault in enumerate(faults) if fault in {"failure", "bug"}]
    for place in failures[7:]:  # eight for one record would be a refusal for good
        faults[place] = "away"
    subject = Subject(Faults(faults))
    run_id = subject.recorder.ensure_run(subject.recorder.get_or_create_experiment("faults"))

    for step in range(20):
        subject.recorder.log_metrics(run_id, [MetricPoint(name="loss", step=step, value=float(step))])

    bare = subject.end()
    assert list(bare.get_history(run_id, "loss", "other").values) == [float(step) for step in range(20)]
