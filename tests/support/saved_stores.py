"""A store with runs that have everything a file shows, with times of their own: over each database the same bytes come of it."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runstore import MetricPoint, open_store
from runstore.model import RunFailure
from runstore.predictions import media_of as predictions_of
from runstore.rounds import media_of as round_as_media
from support.federated_stores import round_of
from support.judged_stores import films
from support.page_stores import HOSTILE

BEGUN = datetime(2026, 11, 29, 8, tzinfo=UTC)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
MARKUP = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"
TRACEBACK = f'Traceback (most recent call last):\n  File "{HOSTILE}", line 1\nMemoryError: {HOSTILE}'


def fill_whole(url: str, folder: Path) -> None:
    """Run ``whole`` has all there is, with hostile names where there may be any; ``other`` is one to compare it with."""
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment(HOSTILE, description=f"about {HOSTILE}")
        for run_id, rate in (("whole", 0.001), ("other", 0.01)):
            store.ensure_run(
                experiment,
                run_id=run_id,
                name=f"{run_id} {HOSTILE}",
                start_time=BEGUN,
                tags={"owner": HOSTILE, "paper": ""},
                provenance={"git": {"commit": "0123456789abcdef", "dirty": False}, "host": {"name": HOSTILE}},
            )
            store.log_config(run_id, {"lr": rate, "model": {"name": HOSTILE, "depth": 18}, "seed": 1})
            store.log_metrics(run_id, _points(rate))
            store.set_note(run_id, HOSTILE)
        for name, content in (
            ("a/picture.png", PNG),
            ("a/drawing.svg", MARKUP),
            ("a/page.html", MARKUP),
            (f"{HOSTILE.replace('/', '')}.txt", b"words"),
        ):
            (folder / "file").write_bytes(content)
            store.log_artifact("whole", folder / "file", name=name)
        predictions_of(films(), "predictions/films").keep(store, "whole")
        for number in range(1, 6):
            round_as_media(round_of(number)).keep(store, "whole")
        store.ensure_run(experiment, run_id="child", name=HOSTILE, parent_run_id="whole", start_time=BEGUN)
        store.finalize("child", "completed", end_time=BEGUN + timedelta(minutes=5))
        store.finalize("other", "completed", end_time=BEGUN + timedelta(minutes=30))
        error = RunFailure(type="MemoryError", message=HOSTILE, traceback=TRACEBACK)
        store.finalize("whole", "failed", end_time=BEGUN + timedelta(minutes=20), error=error)


def _points(rate: float) -> list[MetricPoint]:
    points = []
    for step in range(20):
        at = BEGUN + timedelta(seconds=10 * step)
        for kind in ("train", "validation"):
            loss = math.nan if step == 7 else 1 / (1 + step) + rate
            points.append(MetricPoint("loss", loss, step=step, dataset_type=kind, logged_at=at))
            points.append(MetricPoint(HOSTILE, 1 - 1 / (2 + step), step=step, dataset_type=kind, logged_at=at))
    return points
