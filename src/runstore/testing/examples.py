"""Random runs, each as the plain facts that it is made from."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple

from runstore.backend import Store
from runstore.testing.bench import point

START: Final = datetime(2026, 7, 1, tzinfo=UTC)
EARLIEST_AND_LATEST: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
MISSING: Final = object()
"""What a run has not. ``None`` is a config's null, which is something else."""

KEYS: Final = {
    "lr": "config.lr",
    "depth": "config.depth",
    "a.b": 'config."a.b"',
    "$set": 'config."$set"',
    "opt.name": "config.opt.name",
}
SERIES: Final = {("auroc", "validation"): "metric.validation.auroc", ("odd/na me", "train"): 'metric.train."odd/na me"'}
TEXTS: Final = (
    "Adam",
    "adam",
    "A%",
    "a_b",
    "",
    "18",
    "true",
    "null",
    "ä",
    "a\u0308",
    "x'y",
    "\\",
    "a ",
    "a",
    "a\n",
    "*[a]?",
    "\ue000",
    "\ufffd",
    "\ufffe",
    "\uffff",
    "\U00010000",
    "h" * 63,
    "h" * 64,
    "h" * 65,
)
"""Texts that servers mix up: by case, form, blanks at the end, patterns of their own, or the order of code points."""
LONG_TEXTS: Final = tuple("n" * count + end for count in (255, 1023, 2700, 33_000) for end in ("a", "b"))
"""Texts whose difference lies behind what some server compares, sorts or indexes by."""
NUMBERS: Final = (
    *(0, -0.0, 1, 1.0, 18, 0.1, 1e-3, -5, 5e-324, -5e-324, 1e300, 1.7976931348623157e308),
    *(2**53, 2**53 + 1, 2**63, -(2**63) - 1, 10**30, 10**400, math.nan, math.inf, -math.inf),
)
EXPERIMENTS: Final = ("examples_% a", "examples_% a", "examples_% B")
"""Names of experiments; those of all examples are in the same ones."""
ARTIFACTS: Final = ("last.ckpt", "best.ckpt", "BEST.ckpt", "plots/roc%.png", "plots/roc_.png", "ä", "a\u0308", "x'y")
"""Names of artifacts."""


class Facts(NamedTuple):
    """What one run is made from; ``id`` and ``parent`` are stand-ins, for which :func:`with_ids` puts what a store knows."""

    id: str
    experiment: str
    parent: str | None
    name: str | None
    mode: str
    path: str | None
    client: str | None
    start: datetime
    lasted_us: int
    attempt: int
    tags: dict[str, str]
    config: dict[str, Any]
    points: dict[tuple[str, str], list[tuple[int, float]]]
    status: str
    artifacts: frozenset[str]
    note: str | None
    is_archived: bool
    is_deleted: bool


STATUSES: Final = ("in_progress", "in_progress", "completed", "failed", "interrupted")


def some_runs(chance: Random, *, statuses: Sequence[str] = STATUSES) -> list[Facts]:
    """Up to eight runs whose values meet, in kind and in number."""
    texts = chance.sample(TEXTS, 5) + chance.sample(LONG_TEXTS, 2)
    numbers = chance.sample(NUMBERS, 5)
    runs: list[Facts] = []
    for index in range(chance.choice((1, 5, 8, 8))):
        parent = chance.choice([None, None, *(run.id for run in runs)])
        runs.append(_some_run(chance, texts, numbers, statuses)._replace(id=f"⟨{index}⟩", parent=parent))
    return runs


def with_ids(text: str, prefix: str) -> str:
    """A filter, or an id, in which ids that begin so stand for the stand-ins."""
    return text.replace("⟨", prefix).replace("⟩", "")


def without_strangers(runs: Sequence[Facts]) -> list[Facts]:
    """The runs, of which none has a parent that is not among them: what is left when some were taken away."""
    known = {run.id for run in runs}
    return [run if run.parent in known else run._replace(parent=None) for run in runs]


def _some_run(chance: Random, texts: Sequence[str], numbers: Sequence[float], statuses: Sequence[str]) -> Facts:
    def value() -> Any:
        kinds: tuple[Sequence[Any], ...] = (texts, numbers, (True, False), (None,), ([1], {}))
        return chance.choice(chance.choices(kinds, weights=(4, 4, 2, 1, 1))[0])

    def maybe(choices: Sequence[Any]) -> Any:
        return chance.choice(choices) if choices and chance.random() < 0.7 else None

    short = [text for text in texts if 0 < len(text) < 256 and text.isprintable()]
    return Facts(
        id="",
        experiment=chance.choice(EXPERIMENTS),
        parent=None,
        name=maybe(short),
        mode=chance.choice(("centralized", "federated")),
        path=maybe(texts),
        client=maybe(short),
        start=chance.choice((START, START, START + timedelta(microseconds=1), *EARLIEST_AND_LATEST)),
        lasted_us=chance.choice((0, 0, 1, 60_000_000)),
        attempt=chance.choice((1, 1, 1, 2)),
        tags={key: chance.choice(texts) for key in ("owner", "$a.b") if chance.random() < 0.6},
        config={key: value() for key in KEYS if chance.random() < 0.6},
        points={
            series: [(step, float(chance.choice(_floats(numbers)))) for step in range(chance.choice((0, 0, 1, 2, 4)))]
            for series in SERIES
        },
        status=chance.choice(statuses),
        artifacts=frozenset(chance.sample(ARTIFACTS, chance.choice((0, 0, 1, 3)))),
        note=maybe([text for text in texts if text]),
        is_archived=chance.random() < 0.25,
        is_deleted=chance.random() < 0.1,
    )


def _floats(numbers: Sequence[float]) -> list[float]:
    return [number for number in numbers if isinstance(number, float) or abs(number) < 2**64] or [0.5]


def write(store: Store, runs: Sequence[Facts], prefix: str) -> None:
    """Makes the runs in a store, under ids and with a tag ``example`` that begin so.

    Parents come before their children, and what is archived or deleted is so at last.
    """
    named = [
        run._replace(id=with_ids(run.id, prefix), parent=run.parent and with_ids(run.parent, prefix)) for run in runs
    ]
    for run in named:
        store.ensure_run(
            store.get_or_create_experiment(run.experiment),
            run_id=run.id,
            name=run.name,
            parent_run_id=run.parent,
            training_mode=run.mode,
            source_path=run.path,
            client_id=run.client,
            tags={**run.tags, "example": prefix, "gone": "1"},
            start_time=run.start,
        )
        _log(store, run)
    for run in named:
        store.remove_tags(run.id, ["gone"])
        if run.note is not None:
            store.set_note(run.id, run.note)
        if run.is_archived:
            store.archive_run(run.id)
        if run.is_deleted:
            store.delete_run(run.id)


def _log(store: Store, run: Facts) -> None:
    config = {key: value for key, value in run.config.items() if key != "opt.name"}
    if "opt.name" in run.config:
        config["opt"] = {"name": run.config["opt.name"]}
    store.log_config(run.id, config)
    logged = [point(name, step, value, kind) for (name, kind), points in run.points.items() for step, value in points]
    if logged:
        store.log_metrics(run.id, logged)
    for name in sorted(run.artifacts):
        store.log_artifact(run.id, f"/nowhere/{name}", name=name, copy=False)
    for _ in range(run.attempt - 1):
        store.finalize(run.id, "failed", end_time=run.start)
        store.ensure_run(run_id=run.id, resume=True)
    if run.status == "lost":
        store.heartbeat(run.id, lease_s=1e-6)
    elif run.status != "in_progress":
        store.finalize(run.id, run.status, end_time=end_of(run))


def end_of(run: Facts) -> Any:
    """When it ended; what has not ended has no such time."""
    if run.status in {"in_progress", "lost"}:
        return MISSING
    try:
        return run.start + timedelta(microseconds=run.lasted_us)
    except OverflowError:
        return run.start


def duration_of(run: Facts) -> Any:
    """How many seconds it took; what has not ended has no such time."""
    end = end_of(run)
    return MISSING if end is MISSING else (end - run.start) / timedelta(seconds=1)
