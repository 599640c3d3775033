"""A store as the first landed release wrote it: what is in it, and how it reads back. Uses only what that release had."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runstore import MetricPoint

FOLDER = Path(__file__).parent.parent / "runstore_sql" / "landed"
"""The dumps, and ``told.json``: what :func:`told` gave when the release that wrote them read them."""

_START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
_RUNS = ("parent", "child", "resumed", "unfinished", "bare")
_FIELDS = (
    *(
        "id",
        "experiment_id",
        "name",
        "training_mode",
        "parent_run_id",
        "client_id",
        "attempt",
        "start_time",
        "end_time",
    ),
    *("source_path", "tags", "provenance", "failure"),
)


def fill(store: Any, folder: Path) -> None:
    """Writes a row of every table, and values that databases like to change."""
    first = store.get_or_create_experiment("first", description="Größe\nzwei")
    second = store.get_or_create_experiment("second")
    tags = {"owner": "me", "größe": "ü" * 100, "empty": ""}
    store.ensure_run(
        first, run_id="parent", name="the parent", tags=tags, provenance={"git": {"dirty": True}}, start_time=_START
    )
    store.ensure_run(
        first, run_id="child", parent_run_id="parent", client_id="c1", training_mode="federated", start_time=_START
    )
    store.ensure_run(second, run_id="resumed", source_path="/films/ä", start_time=_START)
    store.ensure_run(second, run_id="unfinished", start_time=_START)
    store.ensure_run(second, run_id="bare", start_time=_START)
    store.log_config("parent", {"lr": 1e-3, "nan": math.nan, "big": 2**70, "model": {"depth": 18, "a.b": [1, None]}})
    store.log_config("parent", {"lr": 2e-3, "on": True, "text": "x" * 200})
    store.log_config("child", {"lr": -0.0})
    strange = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1]
    _log(store, "parent", "strange", enumerate(strange))
    _log(store, "parent", "only nan", [(3, math.nan)])
    _log(store, "parent", "long", ((step, math.sin(step)) for step in range(1200)))
    _log(store, "parent", "long", [(7, 42.0), (1199, -42.0)])
    _log(store, "child", "sparse", ((step * 10**15, step / 3) for step in range(1, 5)), "validation")
    _log(store, "unfinished", "loss", [(1, 0.5)])
    (folder / "weights.bin").write_bytes(b"weights")
    (folder / "films").mkdir()
    (folder / "films" / "a.txt").write_text("a")
    store.log_artifact("parent", folder / "weights.bin", metadata={"epoch": 3, "score": math.inf})
    store.log_artifact("child", folder / "films", artifact_type="folder")
    store.log_artifact("child", "s3://bucket/key", name="far", copy=False)
    store.finalize("parent", "completed", end_time=_START + timedelta(seconds=90))
    store.finalize("child", "failed", end_time=_START + timedelta(seconds=80), error=ValueError("no good"))
    store.finalize("resumed", "interrupted", end_time=_START + timedelta(seconds=70))
    store.ensure_run(second, run_id="resumed", resume=True)
    store.finalize("resumed", "completed", end_time=_START + timedelta(seconds=75))


def _log(store: Any, run_id: str, name: str, points: Any, dataset_type: str = "train") -> None:
    store.log_metrics(
        run_id,
        [
            MetricPoint(name=name, value=value, step=step, dataset_type=dataset_type, logged_at=_START)
            for step, value in points
        ],
    )


def told(reader: Any) -> dict[str, Any]:
    """All that a reader gives, in what JSON can hold; without what the machine or the moment put into it."""
    experiments = reader.list_experiments().items
    seen: dict[str, Any] = json.loads(
        json.dumps(
            {
                "experiments": [[each.id, each.name, each.description] for each in experiments],
                "runs": {run_id: _run(reader, run_id) for run_id in _RUNS},
                "found": [run.id for run in reader.search_runs(order_by=["id"]).items],
                "children": [run.id for run in reader.list_children("parent").items],
                "by metric": [run.id for run in reader.search_runs("metric.train.long.max > 41").items],
            },
            default=str,
        )
    )
    return seen


def _run(reader: Any, run_id: str) -> dict[str, Any]:
    run = reader.get_run(run_id)
    failure = run.failure and [run.failure.type, run.failure.message]
    return {
        "run": {name: getattr(run, name) for name in _FIELDS if name != "failure"},
        "failure": failure,
        "is_final": run.status.is_final and str(run.status),
        "config": repr(sorted(reader.get_config(run_id).items())),
        "summaries": [repr(summary) for summary in reader.get_summaries(run_id)],
        "histories": [_history(reader, run_id, each.name, each.dataset_type) for each in reader.get_summaries(run_id)],
        "artifacts": [
            [each.name, each.artifact_type, each.sha256, each.size, each.is_stored, repr(each.metadata)]
            for each in reader.list_artifacts(run_id)
        ],
    }


def _history(reader: Any, run_id: str, name: str, dataset_type: str) -> list[Any]:
    history = reader.get_history(run_id, name, dataset_type)
    return [list(history.steps), [value.hex() for value in history.values], sorted(set(history.logged_at_us))]
