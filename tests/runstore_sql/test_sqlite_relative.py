"""A relative path means the file that it named when the store was opened, whatever the working directory becomes (OPEN.5)."""

import os
import pickle
from pathlib import Path

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore.backend import Store


@pytest.fixture
def elsewhere(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another folder than that in which the test begins."""
    (fast_path / "here").mkdir()
    (fast_path / "elsewhere").mkdir()
    monkeypatch.chdir(fast_path / "here")
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    return fast_path / "elsewhere"


def use(store: Store, name: str, weights: Path) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("experiment"), run_id=name)
    store.log_metrics(run_id, [MetricPoint(name="loss", value=1.0, step=0)])
    store.log_artifact(run_id, weights)
    store.finalize(run_id, "completed")
    store.close()


@pytest.mark.parametrize("kind", ["bare", "recorded"])
@pytest.mark.parametrize("artifacts", [None, "bytes", "file://bytes"])
@pytest.mark.parametrize("way", ["forked", "pickled"])
def test_a_copy_in_another_working_directory_writes_to_the_same_file(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, kind: str, artifacts: str | None, way: str
) -> None:
    here = Path.cwd()
    weights = here / "model.ckpt"
    weights.write_bytes(b"weights")
    monkeypatch.setenv("RUNSTORE_STATE_DIR", "state")

    with open_store("sqlite:///runs.db", durable=kind == "recorded", artifacts=artifacts) as store:
        store.get_or_create_experiment("experiment")
        carried = pickle.dumps(store)
        os.chdir(elsewhere)
        if way == "pickled":
            use(pickle.loads(carried), "copy", weights)
        elif (child := os.fork()) == 0:
            status = 1
            try:
                use(store, "copy", weights)
                status = 0
            finally:
                os._exit(status)
        else:
            assert os.waitpid(child, 0)[1] == 0
        use(store, "own", weights)

    assert list(elsewhere.iterdir()) == []
    with open_reader(f"sqlite:///{here / 'runs.db'}", artifacts=artifacts and str(here / "bytes")) as reader:
        for name in ("copy", "own"):
            assert reader.get_run(name).status == "completed"
            assert len(reader.get_history(name, "loss", "other")) == 1
            with reader.open_artifact(name, "model.ckpt") as stream:
                assert stream.read() == b"weights"


def test_a_relative_place_of_journals_is_kept(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path.cwd()
    monkeypatch.setenv("RUNSTORE_STATE_DIR", "state")
    with open_store("sqlite:///runs.db") as store:
        os.chdir(elsewhere)
        with pickle.loads(pickle.dumps(store)) as copy:
            journals = [store.health().journal, copy.health().journal]  # type: ignore[attr-defined]  # recorders

    assert all(Path(journal).is_relative_to(here / "state") for journal in journals)


def test_two_ways_to_write_one_path_are_one_store(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(elsewhere / "state"))
    (elsewhere / "linked").symlink_to(Path.cwd())

    with (
        open_store("sqlite:///runs.db") as one,
        open_store(f"sqlite:///{elsewhere}/linked/./runs.db") as other,
    ):
        journals = [Path(each.health().journal).parent for each in (one, other)]  # type: ignore[attr-defined]  # recorders
        one.ensure_run(one.get_or_create_experiment("experiment"), run_id="run")

        assert other.get_run("run").id == "run"
        assert journals[0] == journals[1]
