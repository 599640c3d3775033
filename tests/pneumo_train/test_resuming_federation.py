"""A federation that was cut off goes on from its last round, and ends as if it had never been stopped."""

import functools
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.errors import ConfigError, FederationError, InUseError
from pneumo_train.federated import FederatedTrainer
from pneumo_train.federating.last import Last, find_last
from pneumo_train.federating.looking import Look
from pneumo_train.federating.privacy import epsilon
from pneumo_train.federating.result import FederationResult
from pneumo_train.federating.values import Arrays, Request
from pneumo_train.fitting.alone import LOCK
from pneumo_train.result import BEST_CHECKPOINT
from runstore import Run, RunReader, RunStatus, open_reader
from runstore.memory.store import MemoryStore
from runstore.rounds import read_rounds
from support.federations import SMALL, lead_two

pytestmark = pytest.mark.training

TESTS = Path(__file__).parents[1]

Lead = Callable[..., FederationResult]


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        yield opened


@pytest.fixture
def lead(store: MemoryStore, tiny_config: TrainConfig, phantoms: Path, fast_path: Path) -> Lead:
    return functools.partial(lead_two, store, load_config(overrides=SMALL, base=tiny_config), phantoms, fast_path)


def assert_same(reader: RunReader, run_id: str, other: str) -> None:
    """All points of two runs, to the last bit."""
    series = reader.get_summaries(other)
    assert [(each.name, each.dataset_type) for each in reader.get_summaries(run_id)] == [
        (each.name, each.dataset_type) for each in series
    ]
    for each in series:
        mine, theirs = (reader.get_history(run, each.name, each.dataset_type) for run in (run_id, other))
        assert list(mine.steps) == list(theirs.steps), each.name
        assert np.array_equal(mine.values, theirs.values, equal_nan=True), each.name


def clients_of(reader: RunReader, run_id: str) -> dict[str, Run]:
    children = [child for child in reader.list_children(run_id).items if child.client_id]
    assert len({child.client_id for child in children}) == len(children)
    return {str(child.client_id): child for child in children}


@pytest.mark.skipif(sys.platform == "win32", reason="a process is forked for each attempt")
def test_a_server_that_is_killed_at_any_moment_of_a_round_goes_on_to_the_same_weights_and_the_same_record(
    phantoms: Path, fast_path: Path
) -> None:
    url, program = f"sqlite:///{fast_path / 'runs.db'}", TESTS / "support" / "killed_server.py"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}

    done = subprocess.run(
        [sys.executable, str(program), url, str(phantoms), str(fast_path)],
        env=environment,
        cwd=fast_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    cut, whole = (find_last(fast_path / run_id) for run_id in ("cut", "whole"))
    assert cut is not None
    assert whole is not None
    assert (cut.number, str(cut.best)) == (whole.number, str(whole.best))  # in which NaN is NaN
    assert all(np.array_equal(array, whole.arrays[name]) for name, array in cut.arrays.items())
    left, theirs = (sorted(path.name for path in (fast_path / run_id).iterdir()) for run_id in ("cut", "whole"))
    assert left == theirs
    with open_reader(url) as reader:
        runs = [reader.get_run(run_id) for run_id in ("cut", "whole")]
        assert [(run.status, run.attempt) for run in runs] == [(RunStatus.COMPLETED, 5), (RunStatus.COMPLETED, 1)]
        assert_same(reader, "cut", "whole")
        mine, others = (clients_of(reader, run_id) for run_id in ("cut", "whole"))
        assert mine.keys() == others.keys() == {"client-0", "client-1"}
        for name, run in mine.items():
            assert run.status is RunStatus.COMPLETED
            assert [point.step for point in reader.get_history(run.id, "loss", "train")] == [1, 2, 3]
            assert [point.value for point in reader.get_history(run.id, "loss", "train")] == [
                point.value for point in reader.get_history(others[name].id, "loss", "train")
            ]
        made, theirs_made = (read_rounds(reader, run_id) for run_id in ("cut", "whole"))
        assert [each.number for each in made] == [1, 2, 3]
        assert str([each.metrics for each in made]) == str([each.metrics for each in theirs_made])
        assert {each.run_id for one in made for each in one.clients} == {run.id for run in mine.values()}
        assert str(cut.rounds) == str(made)
        best = [
            next(each.metadata for each in reader.list_artifacts(run.id) if each.name == BEST_CHECKPOINT)
            for run in runs
        ]
        assert best[0] == best[1]


def test_a_federation_that_had_too_few_answers_goes_on_with_that_round_when_the_clients_are_mended(
    lead: Lead, store: MemoryStore
) -> None:
    def drop_out(request: Request) -> None:
        if request.round == 2:
            raise OSError("the network is down")

    whole = lead(run_id="whole")
    with pytest.raises(FederationError, match="the network is down"):
        lead(drop_out)

    resumed = lead(resume=True, round_timeout=100)

    assert (store.get_run("together").status, store.get_run("together").attempt) == (RunStatus.COMPLETED, 2)
    assert {run.status for run in clients_of(store, "together").values()} == {RunStatus.COMPLETED}
    assert str(resumed.metrics_history) == str(whole.metrics_history)  # in which NaN is NaN
    assert resumed.client_run_ids == {name: run.id for name, run in clients_of(store, "together").items()}
    assert [made.num_completed for made in read_rounds(store, "together")] == [2, 2]


def test_a_client_that_fails_when_a_round_is_played_again_keeps_no_figure_of_its_first_try(
    lead: Lead, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Last.write

    def cut_off(last: Last, folder: Path) -> None:
        if last.number == 2:
            raise KeyboardInterrupt
        write(last, folder)

    def drop_out(request: Request) -> None:
        if (request.round, request.client) == (2, "client-1"):
            raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Last, "write", cut_off)
        with pytest.raises(KeyboardInterrupt):
            lead()
    failed, other = (clients_of(store, "together")[name].id for name in ("client-1", "client-0"))
    assert [point.step for point in store.get_history(failed, "loss", "train")] == [1, 2]

    lead(drop_out, resume=True)

    for name, dataset_type in (("loss", "train"), ("loss", "validation"), ("global_loss", "validation")):
        values = {
            run_id: [math.isnan(point.value) for point in store.get_history(run_id, name, dataset_type)]
            for run_id in (failed, other)
        }
        assert values == {failed: [False, True], other: [False, False]}, name
    assert not any(math.isnan(point.value) for point in store.get_history("together", "loss", "validation"))


def test_a_federation_that_one_process_leads_is_refused_to_a_second_one(
    lead: Lead, store: MemoryStore, fast_path: Path
) -> None:
    refusals: list[str] = []

    def go_on(request: Request) -> None:
        if request.round == 2 and not refusals:
            with pytest.raises(InUseError) as refused:
                lead(resume=True)
            refusals.append(str(refused.value))

    result = lead(go_on)

    assert "another process is training this run" in refusals[0]
    assert (result.num_rounds, store.get_run("together").attempt) == (2, 1)
    assert not (fast_path / "together" / LOCK).exists()


def test_each_client_goes_on_with_its_own_batch_normalisation_of_the_round_before(lead: Lead) -> None:
    def press(request: Request) -> None:
        if (request.round, request.client) == (2, "client-1"):  # client-0 has trained in this round
            raise KeyboardInterrupt

    whole = lead(run_id="whole", batch_norm="local")
    with pytest.raises(KeyboardInterrupt):
        lead(press, batch_norm="local")

    resumed = lead(resume=True, batch_norm="local")

    def figures(result: FederationResult) -> str:
        return str([(made.metrics, [client.metrics for client in made.clients]) for made in result.rounds])

    assert figures(resumed) == figures(whole)


def test_a_release_that_nobody_saw_the_end_of_is_counted_when_the_federation_goes_on(
    store: MemoryStore, tiny_config: TrainConfig, phantoms: Path, fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(overrides={**SMALL, "model.norm": "group"}, base=tiny_config)
    private = functools.partial(lead_two, store, config, phantoms, fast_path, dp_clip=1.0, dp_noise=1.0)
    look = Look.__call__

    def press(self: Look, arrays: Arrays) -> Mapping[str, float]:
        if len(store.get_history("together", "epsilon", "other")) == 1:
            raise KeyboardInterrupt
        return look(self, arrays)

    with monkeypatch.context() as patch:
        patch.setattr(Look, "__call__", press)
        with pytest.raises(KeyboardInterrupt):
            private()

    private(resume=True)

    kept = [point.value for point in store.get_history("together", "epsilon", "other")]
    assert kept == [epsilon(1.0, 1, 1e-5), epsilon(1.0, 3, 1e-5)]


def test_what_cannot_be_gone_on_with_is_an_error_that_changes_nothing(
    lead: Lead, store: MemoryStore, fast_path: Path, phantoms: Path
) -> None:
    def press(request: Request) -> None:
        if request.round == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lead(press)
    before = store.get_run("together")
    last = fast_path / "together" / "last.round"

    def refused(message: str, **values: object) -> None:
        with pytest.raises(ConfigError, match=message):
            lead(resume=True, **values)

    refused("num_rounds = 9: the run 'together' was begun with 2", num_rounds=9)
    with pytest.raises(ConfigError, match="wants the run to go on with"):
        FederatedTrainer().train(phantoms, resume=True)
    content = last.read_bytes()
    last.unlink()
    refused("no checkpoint to go on from lies at")
    last.write_bytes(b"half a file")
    refused("is no round that a federation can go on from")
    assert store.get_run("together") == before
    last.write_bytes(content)
    lead(resume=True)
    refused("this run has completed; there is nothing to go on with")
