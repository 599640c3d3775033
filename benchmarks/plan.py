"""What is measured with whom, and how large."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from benchmarks.environments import LIGHTNING, OURS

BACKENDS = ("sqlite", "postgresql", "mariadb", "mongodb")


class Contestant(NamedTuple):
    """A system on a backend; ``place`` names its class in ``contestants``, ``environment`` its packages."""

    system: str
    backend: str
    place: str
    environment: str

    @property
    def id(self) -> str:
        return f"{self.system}/{self.backend}"


def _contestants() -> dict[str, Contestant]:
    found = [
        *(Contestant("runstore", backend, "ours:Bare", OURS) for backend in BACKENDS),
        *(Contestant("runstore recorded", backend, "ours:Recorded", OURS) for backend in BACKENDS),
        Contestant("raw upsert", "sqlite", "raw_sql:Sqlite", OURS),
        Contestant("raw upsert", "postgresql", "raw_sql:PostgresqlUpsert", OURS),
        Contestant("raw COPY", "postgresql", "raw_sql:PostgresqlCopy", OURS),
        Contestant("raw upsert", "mariadb", "raw_sql:Mariadb", OURS),
        Contestant("raw documents", "mongodb", "raw_mongodb:Documents", OURS),
        Contestant("raw packed", "mongodb", "raw_mongodb:Packed", OURS),
        Contestant("MLflow", "sqlite", "peer_mlflow:Mlflow", "mlflow"),
        Contestant("MLflow", "postgresql", "peer_mlflow:Mlflow", "mlflow"),
        Contestant("mlflow-mongodb", "mongodb", "peer_mlflow:Mlflow", "mlflow-mongodb"),
        Contestant("Sacred", "mongodb", "peer_sacred:Sacred", "sacred"),
        Contestant("Trackio", "sqlite", "peer_trackio:Trackio", "trackio"),
        Contestant("Trackio bulk", "sqlite", "peer_trackio:TrackioBulk", "trackio"),
        *(
            Contestant(system, backend, f"lightning_loggers:{name}", LIGHTNING)
            for system, backend, name in (
                ("no logger", "none", "NoLogger"),
                ("RunStoreLogger", "postgresql", "RunStore"),
                ("RunStoreLogger", "sqlite", "RunStore"),
                ("RunStoreLogger durable=False", "sqlite", "RunStoreBare"),
                ("MLFlowLogger", "sqlite", "Mlflow"),
                ("CSVLogger", "files", "Csv"),
                ("TensorBoardLogger", "files", "TensorBoard"),
                ("WandbLogger offline", "files", "Wandb"),
            )
        ),
    ]
    return {contestant.id: contestant for contestant in found}


CONTESTANTS = _contestants()
LOGGERS = tuple(each.id for each in CONTESTANTS.values() if each.environment == LIGHTNING)
NO_LOGGER: Final = "no logger/none"
"""What the others' cost is counted from."""

OURS_BARE = tuple(f"runstore/{backend}" for backend in BACKENDS)
OURS_RECORDED = tuple(f"runstore recorded/{backend}" for backend in BACKENDS)
RAW = ("raw upsert/sqlite", "raw upsert/postgresql", "raw upsert/mariadb", "raw documents/mongodb")
PEERS = ("MLflow/sqlite", "MLflow/postgresql", "mlflow-mongodb/mongodb")
WRITERS = (
    *OURS_BARE,
    *OURS_RECORDED,
    *RAW,
    "raw COPY/postgresql",
    "raw packed/mongodb",
    *PEERS,
    "Sacred/mongodb",
    "Trackio/sqlite",
    "Trackio bulk/sqlite",
)


class Row(NamedTuple):
    """One workload at one size.

    Attributes:
        id: the name under which its results stand.
        workload: a function of ``workloads``.
        contestants: who takes part.
        options: the sizes.
        prepare: the function of ``workloads`` that fills the store first, for reads.
        workers: how many processes work at once.
        measures_disk: whether the size of the store is taken at the end.
        rounds: how often each contestant is measured; the suite's default where ``None``.
    """

    id: str
    workload: str
    contestants: tuple[str, ...]
    options: dict[str, Any]
    prepare: str | None = None
    workers: int = 1
    measures_disk: bool = False
    rounds: int | None = None

    def store_key(self, contestant: str) -> tuple[Any, ...]:
        """What a prepared store is known by: rows of the same content share it."""
        content = sorted((key, value) for key, value in self.options.items() if key in {"runs", "keys", "points"})
        return (contestant, self.prepare, *content)


class Sizes(NamedTuple):
    """How large a profile is. Several values of one kind show growth."""

    rounds: int
    ingest_points: int
    single_points: int
    disk_points: int
    concurrent_points: int
    search_runs: tuple[int, ...]
    peer_search_runs: int
    list_runs: int
    history_points: tuple[int, ...]
    peer_history_points: int
    training_steps: int
    imports: int
    page_runs: int = 0
    page_many_runs: int = 0
    page_curve_points: int = 0
    page_keys: int = 0


_STANDARD = Sizes(
    rounds=5,
    ingest_points=100_000,
    single_points=500,
    disk_points=1_000_000,
    concurrent_points=16_000,
    search_runs=(1_000, 10_000, 100_000),
    peer_search_runs=1_000,
    list_runs=1_000,
    history_points=(100_000, 1_000_000),
    peer_history_points=100_000,
    training_steps=1_000,
    imports=15,
    page_runs=10_000,
    page_many_runs=100_000,
    page_curve_points=300_000,
    page_keys=12_000,
)
PROFILES = {
    # For the tests of the suite itself: says nothing of speed.
    "smoke": Sizes(1, 2_000, 20, 2_000, 1_600, (30,), 0, 5, (2_000,), 0, 0, 1),
    "quick": Sizes(2, 20_000, 200, 100_000, 8_000, (1_000,), 0, 100, (100_000,), 0, 0, 5),
    "standard": _STANDARD,
    "large": _STANDARD._replace(history_points=(100_000, 1_000_000, 10_000_000)),
}


def resized(sizes: Sizes, changes: Iterable[str]) -> Sizes:
    """The sizes with some of them changed, each given as ``ingest_points=5000`` or ``search_runs=1000,10000``."""
    for change in changes:
        name, _, text = change.partition("=")
        if name not in Sizes._fields:
            raise SystemExit(f"there is no size {name!r}; known: {', '.join(Sizes._fields)}")
        values = tuple(int(value) for value in text.split(","))
        is_many = isinstance(getattr(sizes, name), tuple)
        change_of: dict[str, Any] = {name: values if is_many else values[0]}
        sizes = sizes._replace(**change_of)
    return sizes


def rows(sizes: Sizes) -> list[Row]:
    """The rows of a profile. A peer's size of 0 leaves it out."""
    return [*_writing(sizes), *_reading(sizes), *_training(sizes)]


def _writing(sizes: Sizes) -> Iterable[Row]:
    writers = WRITERS if sizes.peer_search_runs else tuple(each for each in WRITERS if _is_light(each))
    yield Row("ingest", "ingest", writers, {"points": sizes.ingest_points, "size": 1_000, "series": 10})
    singles = tuple(
        each for each in writers if not each.startswith(("raw packed", "raw COPY", "runstore rec", "Trackio"))
    )
    singles = tuple(each for each in singles if not each.startswith("Sacred"))
    yield Row("single", "single", singles, {"points": sizes.single_points, "warm": 20})
    for workers in (1, 8):
        yield Row(
            f"concurrent-{workers}",
            "ingest",
            (*OURS_BARE, *RAW),
            {"points": sizes.concurrent_points // 8, "size": 50, "series": 10},
            workers=workers,
        )
    disk = (*OURS_BARE, *RAW)
    yield Row(
        "disk",
        "ingest",
        disk,
        {"points": sizes.disk_points, "size": 10_000, "series": 20, "is_timed": True},
        measures_disk=True,
        rounds=1,
    )


def _is_light(contestant: str) -> bool:
    return CONTESTANTS[contestant].environment == OURS


_MANY_RUNS: Final = 10_000
_MANY_POINTS: Final = 1_000_000
"""Rows beyond show growth, not bars: each repeats its query, and one round will do."""


def _reading(sizes: Sizes) -> Iterable[Row]:
    repeats = {"warm": 2, "repeats": 15}
    for runs in sizes.search_runs:
        peers = PEERS if runs == sizes.peer_search_runs else ()
        options = {"runs": runs, "limit": 50, **repeats}
        rounds = None if runs <= _MANY_RUNS else 1
        row = Row(f"search-{runs}", "search", (*OURS_BARE, *RAW, *peers), options, prepare="prepare_search")
        yield row._replace(rounds=rounds)
    peers = PEERS if sizes.peer_search_runs else ()
    options = {"runs": sizes.list_runs, "keys": 50, "warm": 1, "repeats": 3}
    yield Row("list", "list_runs", (*OURS_BARE, *RAW), options, prepare="prepare_list")
    yield Row("list", "list_runs", peers, {**options, "warm": 0, "repeats": 2}, prepare="prepare_list", rounds=2)
    for points in sizes.history_points:
        readers = (*OURS_BARE, *RAW, "raw packed/mongodb")
        if points == sizes.peer_history_points:
            readers = (*readers, *PEERS, "Trackio/sqlite")
        rounds = None if points <= _MANY_POINTS else 1
        options = {"points": points, "size": 1_000, "warm": 1, "repeats": 3}
        row = Row(f"history-{points}", "history", readers, options, prepare="prepare_history")
        yield row._replace(rounds=rounds)
        options = {"points": points, "max_points": 2_000, "size": 1_000, "warm": 1, "repeats": 5}
        row = Row(f"sample-{points}", "sample", OURS_BARE, options, prepare="prepare_history")
        yield row._replace(rounds=rounds)


def _training(sizes: Sizes) -> Iterable[Row]:
    if sizes.training_steps:
        yield Row("training", "training", LOGGERS, {"steps": sizes.training_steps, "warm": 50})
