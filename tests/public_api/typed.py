"""The public face as a user types it: never run, read by mypy in strict mode. What no longer fits here is a change for users."""

from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, assert_type

import runstore
from runstore import (
    ActiveRun,
    Artifact,
    DatasetType,
    Experiment,
    History,
    MetricPoint,
    Page,
    Run,
    RunFailure,
    RunNotFoundError,
    RunReader,
    RunStatus,
    RunStore,
    RunStoreError,
    SeriesSummary,
    StepValue,
    open_reader,
    open_store,
    start_run,
)
from runstore.frames import Frame
from runstore.hookspecs import Backend, OpenOptions, hookimpl
from runstore.training import RunSession


def written(url: str) -> str:
    with open_store(url, durable=False, artifacts="artifacts") as store:
        experiment_id = assert_type(store.get_or_create_experiment("x", description="of a test"), str)
        run_id = assert_type(
            store.ensure_run(
                experiment_id,
                run_id="mine",
                training_mode="federated",
                tags={"owner": "me"},
                provenance={"host": {"name": "a"}},
                resume=True,
            ),
            str,
        )
        store.log_config(run_id, {"model": {"depth": 18}, "lr": 0.001, "layers": [1, None, True]})
        store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=1, dataset_type="train")])
        store.log_metrics(run_id, (MetricPoint(name="loss", value=1, step=step) for step in range(3)))
        assert_type(store.log_artifact(run_id, Path("weights.ckpt"), copy=False, metadata={"epoch": 3}), Artifact)
        store.heartbeat(run_id, lease_s=60)
        store.finalize(run_id, "failed", error=ValueError("why"))
        store.finalize(run_id, RunStatus.FAILED, error=RunFailure(type="x", message="y", traceback=""))
        return run_id


def led(url: str) -> None:
    with start_run("x", store=url, config={"lr": 0.1}, tags={"fold": 3}, resume="@1", system_metrics_s=15) as run:
        assert_type(run, ActiveRun)
        run.log({"train/loss": 0.5, "val": {"auroc": 0.9}}, step=3)
        assert_type(run.log_artifact(Path("weights.ckpt")), Artifact | None)
        assert_type(run.log_image("overlay", [[0]], step=1), Artifact | None)
        assert_type(run.child(name="fold"), ActiveRun)
        run.finish("failed", error=ValueError("why"))


def read(url: str | None = None) -> None:
    with open_reader(url) as reader:
        page = assert_type(reader.search_runs("name = 'x'", order_by=["name desc"], limit=5), Page[Run])
        assert_type(page.next_cursor, str | None)
        assert_type(list(page), list[Run])
        assert_type(page[0], Run)
        assert_type(page[:2], tuple[Run, ...])
        assert_type(list(reader.iter_runs("name = 'x'", order_by=["name"], limit=3)), list[Run])
        run_id = assert_type(reader.resolve_run("@1", experiment_id="x"), str)
        frame: Frame = reader.runs_frame("name = 'x'", columns=["name", "config.*"], limit=3, as_="frame")
        assert_type(frame["name"], list[Any])
        reader.history_frame(page, [("loss", DatasetType.TRAIN), "auroc"], max_points=100, min_step=3, as_="polars")
        reader.history_frame([run_id], ("loss", "train"), as_="arrow")
        for run in page.items:
            assert_type(run, Run)
            assert_type(run.status, RunStatus)
            assert_type(run.start_time, datetime)
            assert_type(run.end_time, datetime | None)
            assert_type(run.tags, dict[str, str])
        assert_type(reader.list_experiments(), Page[Experiment])
        assert_type(reader.find_experiment("x"), Experiment | None)
        assert_type(reader.get_config("mine"), dict[str, Any])
        for summary in assert_type(reader.get_summaries("mine"), tuple[SeriesSummary, ...]):
            assert_type(summary.last, StepValue)
            assert_type(summary.max, StepValue | None)
        history = assert_type(reader.get_history("mine", "loss", DatasetType.TRAIN, min_step=1), History)
        assert_type(history.steps, array[int])
        assert_type(history.values, array[float])
        assert_type(reader.sample_history("mine", "loss", "train", max_points=100).represents, int)
        assert_type(reader.list_artifacts("mine"), tuple[Artifact, ...])
        with assert_type(reader.open_artifact("mine", "weights.ckpt"), BinaryIO) as file:
            assert_type(file.read(), bytes)
        assert_type(reader.list_children("mine"), Page[Run])


def of_any_store(store: RunStore, reader: RunReader, points: Iterable[MetricPoint]) -> RunStatus:
    """What a trainer and a tool know are protocols: the memory store, a plugin's and a recorder fit them."""
    try:
        store.log_metrics("mine", points)
    except RunNotFoundError as error:
        assert_type(error.code, str)
        assert_type(error.is_mistake, bool)
    except (RunStoreError, LookupError):
        raise
    return reader.get_run("mine").status


def both_are_given(url: str) -> None:
    with open_store(url) as store:
        of_any_store(store, store, [])


def in_a_loop(session: RunSession) -> None:
    session.log_metrics([MetricPoint(name="loss", value=0.5, step=1)])


def _open(url: str, options: OpenOptions) -> runstore.BackendStore:
    raise NotImplementedError


@hookimpl
def runstore_backends() -> Sequence[Backend]:
    return [Backend(name="mine", schemes=("mine",), open=_open, modules=("driver",), install="mine")]
