"""What we want to reach, each a ratio within one run or a size, and whether it was reached."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks.environments import OURS_SQL
from benchmarks.figures import Figure, Figures, number
from benchmarks.plan import BACKENDS, RAW

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB", "mongodb": "MongoDB"}
_RAW = dict(zip(BACKENDS, RAW, strict=True))


class Bar(NamedTuple):
    """One bar; ``is_met`` is ``None`` when it was not measured."""

    work: str
    bar: str
    measured: str
    is_met: bool | None


def bars(figures: Figures) -> Iterator[Bar]:
    """All bars, in the order of the report."""
    yield from _ingest(figures)
    yield from _single(figures)
    yield from _recorded(figures)
    yield from _disk(figures)
    yield from _concurrent(figures)
    yield from _search(figures)
    yield from _list(figures)
    yield from _history(figures)
    yield from _weight(figures)
    yield from _page(figures)


def _ratio(work: str, ours: Figure | None, other: Figure | None, least: float, text: str) -> Bar:
    ratio = ours.times(other) if ours and other else None
    return (
        Bar(work, text, "not measured", None)
        if ratio is None
        else Bar(work, text, f"{number(ratio)} ×", ratio >= least)
    )


def _most(work: str, ours: Figure | None, most: float, unit: str) -> Bar:
    bar = f"≤ {number(most)} {unit}"
    return (
        Bar(work, bar, "not measured", None)
        if ours is None
        else Bar(work, bar, f"{number(ours.median)} {unit}", ours.median <= most)
    )


def _ingest(figures: Figures) -> Iterator[Bar]:
    for backend, other, least, text in (
        ("sqlite", "raw upsert/sqlite", 0.6, "≥ 0.6 × the raw upsert"),
        ("sqlite", "MLflow/sqlite", 40, "≥ 40 × MLflow"),
        ("sqlite", "Trackio bulk/sqlite", 1, "≥ 1 × Trackio's bulk path"),
        ("postgresql", "raw COPY/postgresql", 0.5, "≥ 0.5 × raw binary COPY"),
        ("postgresql", "MLflow/postgresql", 20, "≥ 20 × MLflow"),
        ("mariadb", "raw upsert/mariadb", 0.6, "≥ 0.6 × the raw multi-row upsert"),
        ("mongodb", "Sacred/mongodb", 1.2, "≥ 1.2 × Sacred"),
        ("mongodb", "mlflow-mongodb/mongodb", 8, "≥ 8 × mlflow-mongodb"),
    ):
        ours = figures.rate("ingest", f"runstore/{backend}")
        yield _ratio(f"batches of 1,000 points, {NAMES[backend]}", ours, figures.rate("ingest", other), least, text)


def _single(figures: Figures) -> Iterator[Bar]:
    for backend in BACKENDS:
        ours, raw = figures.p50_ms("single", f"runstore/{backend}"), figures.p50_ms("single", _RAW[backend])
        yield _at_most_times(f"one point a call, {NAMES[backend]}", ours, raw, 1.5, "the raw statement and commit")


def _at_most_times(work: str, ours: Figure | None, raw: Figure | None, most: float, what: str) -> Bar:
    bar = f"≤ {most} × {what}"
    ratio = ours.times(raw) if ours and raw else None
    if ours is None or raw is None or ratio is None:
        return Bar(work, bar, "not measured", None)
    return Bar(work, bar, f"{number(ratio)} × ({number(ours.median)} against {number(raw.median)} ms)", ratio <= most)


def _recorded(figures: Figures) -> Iterator[Bar]:
    for backend in BACKENDS:
        recorded, bare = (figures.rate("ingest", f"{who}/{backend}") for who in ("runstore recorded", "runstore"))
        work = f"through the recorder, to the last row stored, {NAMES[backend]}"
        yield _ratio(work, recorded, bare, 0.7, "≥ 0.7 × the bare store")


def _disk(figures: Figures) -> Iterator[Bar]:
    for backend, most in (("postgresql", 120), ("sqlite", 40), ("mongodb", 40)):
        yield _most(f"disk for a point, {NAMES[backend]}", figures.disk("disk", f"runstore/{backend}"), most, "bytes")


def _concurrent(figures: Figures) -> Iterator[Bar]:
    for backend, least in (("sqlite", 0.5), ("postgresql", 0.9), ("mongodb", 0.9)):
        eight, one = (figures.rate(f"concurrent-{n}", f"runstore/{backend}") for n in (8, 1))
        work = f"8 processes in sum, {NAMES[backend]}"
        yield _ratio(work, eight, one, least, f"no error, ≥ {least} × one process")


def _search(figures: Figures) -> Iterator[Bar]:
    for backend in BACKENDS:
        ours = figures.p50_ms("search-10000", f"runstore/{backend}")
        work = f"the best 50 of 10,000 runs, {NAMES[backend]}"
        yield _most(work, ours, 15, "ms")
        yield _at_most_times(work, ours, figures.p50_ms("search-10000", _RAW[backend]), 4, "the raw query")


def _list(figures: Figures) -> Iterator[Bar]:
    peers = {"sqlite": "MLflow/sqlite", "postgresql": "MLflow/postgresql", "mongodb": "mlflow-mongodb/mongodb"}
    for backend in BACKENDS:
        ours = figures.p50_ms("list", f"runstore/{backend}")
        work = f"1,000 runs with 50 summaries and 50 config keys, {NAMES[backend]}"
        yield _most(work, ours, 250, "ms")
        if backend in peers:
            other = figures.p50_ms("list", peers[backend])
            faster = other.times(ours) if ours and other else None
            measured = "not measured" if faster is None else f"{number(faster)} ×"
            name = peers[backend].split("/", maxsplit=1)[0]
            yield Bar(work, f"≥ 20 × {name}", measured, None if faster is None else faster >= 20)


def _history(figures: Figures) -> Iterator[Bar]:
    for backend, least in (("sqlite", 1e6), ("postgresql", 1e6), ("mongodb", 3e6)):
        ours = figures.p50_ms("history-1000000", f"runstore/{backend}")
        rate = None if ours is None else 1e6 / ours.median * 1e3
        measured = "not measured" if rate is None else f"{rate / 1e6:.2f} M points/s"
        is_met = None if rate is None else rate >= least
        yield Bar(
            f"1,000,000 points of a series into columns, {NAMES[backend]}",
            f"≥ {least / 1e6:.0f} M points/s",
            measured,
            is_met,
        )
    for backend in ("sqlite", "postgresql"):
        work = f"the same sampled to 2,000 points, {NAMES[backend]}"
        yield _most(work, figures.p50_ms("sample-1000000", f"runstore/{backend}"), 150, "ms")


def _weight(figures: Figures) -> Iterator[Bar]:
    start = figures.seconds("import", "python -c pass")
    for name, most in (("import runstore", 60), ("runstore --help", 150)):
        found = figures.seconds("import", name)
        if start is None or found is None:
            yield Bar(f"`{name}`", f"≤ {most} ms over `python -c pass`", "not measured", None)
        else:
            over = 1e3 * (found.median - start.median)
            yield Bar(f"`{name}`", f"≤ {most} ms over `python -c pass`", f"{over:.0f} ms", over <= most)
    for what, most in (("megabytes", 40), ("distributions", 20)):
        installed = figures.results("install", OURS_SQL)
        value = installed[-1][what] if installed else None
        measured = "not measured" if value is None else f"{value:.0f} {what}"
        yield Bar(
            '`pip install "runstore[sql]"`', f"≤ {most} {what}", measured, None if value is None else value <= most
        )


def _page(figures: Figures) -> Iterator[Bar]:
    ours, mlflow = "runstore/sqlite", "MLflow/sqlite"
    paint, other = (figures.ms("page-table-10000", who, "first_paint_ms") for who in (ours, mlflow))
    row, other_row = (figures.ms("page-table-10000", who) for who in (ours, mlflow))
    yield _most("the page: first paint of the table, 10,000 runs", paint, 1_000, "ms")
    yield _most("the page: a row of the table is seen, 10,000 runs", row, 1_000, "ms")
    for work, mine, theirs in (("first paint", paint, other), ("a row is seen", row, other_row)):
        ratio = theirs.times(mine) if mine and theirs else None
        measured = "not measured" if ratio is None else f"{number(ratio)} ×"
        yield Bar(f"the page: {work}", "≥ 10 × MLflow", measured, None if ratio is None else ratio >= 10)
    for work, row_id, most in (
        ("a filter is answered, 10,000 runs", "page-filter-10000", 400),
        ("a filter is answered, 100,000 runs", "page-filter-100000", 1_000),
        ("20 runs × 300,000 points are drawn", "page-curves", 1_000),
        ("columns are offered, of 12,000 keys", "page-columns", 200),
        ("`runstore ui` answers its first request", "page-start-10000", 1_500),
    ):
        yield _most(f"the page: {work}", figures.ms(row_id, ours), most, "ms")
    memory = figures.megabytes("page-memory-10000", ours)
    yield _most("the page: its server's memory through all of that", memory, 200, "MB")


Check = Callable[[Figures], Iterator[Bar]]
