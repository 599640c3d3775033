"""A store with something of everything that a store can hold, as programs fill it."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from moving.arrivals import a_run
from runstore import MetricPoint
from runstore.backend import PlacedRun, Store
from runstore.model import RunStatus

START = datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
SHOWN = {"parent", "child", "grandchild", "resumed", "going-on", "lost", "bare"}
"""The ids of the runs that are copied."""

VALUES = [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]


def fill(store: Store, folder: Path) -> None:
    """Writes it all, through the verbs and the changes."""
    first = store.get_or_create_experiment("Größe/肺 ☃", description="Zeile\nzwei")
    store.get_or_create_experiment("without runs", description="nothing yet")
    other = store.get_or_create_experiment("other")
    store.ensure_run(
        first,
        run_id="parent",
        name="the parent",
        tags={"owner": "me", "größe": "ü" * 300, "a.b $c": ""},
        provenance={"git": {"is_dirty": True}, "odd": [math.nan, -math.inf, 1, 1.0, True, None]},
        client_id="site/1",
        source_path="/data/a b",
        training_mode="federated",
        start_time=START,
    )
    store.log_config("parent", {"a.b": {"$x": [1, 1.0, True, None, {"": math.inf}]}, "lr": 1e-3, "deep": _deep(50)})
    store.log_metrics("parent", [MetricPoint("loss", value, step) for step, value in enumerate(VALUES)])
    store.log_metrics("parent", [MetricPoint("$odd. /na%me", 1.0, 2**63 - 1, "test", START)])
    store.log_metrics("parent", [MetricPoint("loss", 0.25, 3)])  # over what was there
    for step in range(3):
        _file(store, folder, "parent", f"overlay/step-{step:09d}.png", b"\x89PNG" + bytes([step]))
    _file(store, folder, "parent", "empty.bin", b"")
    store.log_artifact(
        "parent", "s3://bucket/key?v=1", name="elsewhere", copy=False, metadata={"score": math.nan, "role": "best"}
    )
    store.finalize("parent", "completed", end_time=START + timedelta(hours=1, microseconds=3))
    store.log_metrics("parent", [MetricPoint("loss", 0.125, 99)])  # after the end

    store.ensure_run(first, run_id="child", parent_run_id="parent", start_time=START - timedelta(days=1))
    store.set_note("child", "a note\n\twith ☃")
    store.log_metrics("child", [MetricPoint(f"metric {each}", float(each), 0, "validation") for each in range(40)])
    store.finalize("child", "interrupted")
    store.archive_run("child")
    store.ensure_run(other, run_id="grandchild", parent_run_id="child", start_time=START - timedelta(days=2))
    store.finalize("grandchild", "failed", error=ValueError("no ☃"))

    store.ensure_run(other, run_id="resumed")
    store.log_metrics("resumed", [MetricPoint("dice", step / 2000, step, "validation") for step in range(2000)])
    store.finalize("resumed", "failed")
    for _ in range(2):
        store.ensure_run(run_id="resumed", resume=True)
        store.finalize("resumed", "completed")

    store.ensure_run(other, run_id="going-on")
    store.log_metrics("going-on", [MetricPoint("loss", 1.0, 0, "train")])
    store.heartbeat("going-on", lease_s=86_400.0)
    silent = {"status": RunStatus.IN_PROGRESS, "end_time": None, "experiment_id": other, "lease_s": 60.0}
    store.source().place_run(PlacedRun.checked(a_run("lost", **silent)))
    store.ensure_run(other, run_id="bare")
    store.ensure_run(other, run_id="deleted")
    store.delete_run("deleted")


def _deep(levels: int) -> object:
    return {"k": _deep(levels - 1)} if levels else "bottom"


def _file(store: Store, folder: Path, run_id: str, name: str, content: bytes) -> None:
    path = folder / "file"
    path.write_bytes(content)
    store.log_artifact(run_id, path, name=name, artifact_type="image", metadata={"step": 1})
    path.unlink()
