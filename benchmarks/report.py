"""The page that people read, made of the results alone."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from benchmarks.bars import bars
from benchmarks.figures import Figure, Figures, number
from benchmarks.plan import NO_LOGGER

_MET = {True: "yes", False: "**no**", None: "–"}
_KINDS = (
    *("ingest", "single", "concurrent", "disk"),
    *("search", "list", "history", "sample", "training", "import", "install", "page"),
)
_PAGE = {
    "start": "its server answers for the first time",
    "table": "the table",
    "filter": "a filter is answered",
    "columns": "columns are offered, of 12,000 keys",
    "names": "one of 12,000 keys is found by a part of its name",
    "curves": "20 runs of 300,000 points, drawn over each other",
    "memory": "its server's memory",
}
_LABELS = {
    "runstore": "runstore",
    "mlflow": "MLflow",
    "trackio": "Trackio",
    "sacred": "Sacred",
    "sqlalchemy": "SQLAlchemy",
    "pymysql": "PyMySQL",
    "pymongo": "PyMongo",
    "numpy": "NumPy",
    "pytorch-lightning": "Lightning",
    "torch": "PyTorch",
    "tensorboard": "TensorBoard",
}


def line(result: dict[str, Any]) -> str:
    """One result for the terminal."""
    if "error" in result:
        return f"{result['row']:24} {result['contestant']:28} FAILED: {result['error'].splitlines()[-1]}"
    if "seconds" not in result:
        return f"{result['row']:24} " + " ".join(f"{key}={value}" for key, value in result.items() if key != "row")
    p50 = f"{number(result['p50_ms']):>10} ms p50" if "p50_ms" in result else ""
    disk = f"{number(result['disk_bytes'] / result['n'])} bytes each" if "disk_bytes" in result else ""
    wrong = "" if result.get("is_right", True) else "WRONG"
    rate = f"{number(result['n'] / result['seconds']):>10}/s"
    return (
        f"{result['row']:24} {result['contestant']:28} {result['seconds']:8.2f} s {rate} {p50} {disk} {wrong}".rstrip()
    )


def render(results: Iterable[dict[str, Any]], *, notes: str) -> str:
    """The whole page in Markdown."""
    results = list(results)
    figures = Figures(results)
    parts = [*_head(figures), "## Bars\n", *_bars(figures), notes.strip() + "\n", "## Growth\n", *_growth(figures)]
    parts += ["## Figures\n", *_tables(figures)]
    return "\n".join(parts)


def _head(figures: Figures) -> Iterator[str]:
    machines, versions = figures.results("machine"), figures.results("versions")
    yield "# Benchmarks\n"
    yield "<!-- Written by `python -m benchmarks --docs`; the notes stand in benchmarks/notes.md. -->\n"
    if machines:
        last = machines[-1]
        dates = " and ".join(dict.fromkeys(result["date"] for result in machines))
        loads = ", ".join(f"{result['load']:.1f}" for result in figures.results("load"))
        yield (
            f"Measured on {dates}: {last['processor']}, {last['cores']} cores, {last['memory_gib']} GiB, "
            f"{last['system']}, Python {last['python']}; a virtual machine's disk, every server with fsync on. "
            f"Load of the minute before measuring began: {loads or 'not taken'}.\n"
        )
    if versions:
        found: dict[str, str] = {}
        for result in versions:
            found |= {key: value for key, value in result.items() if key not in {"row", "run"}}
        yield "Versions: " + ", ".join(f"{_LABELS.get(key, key)} {value}" for key, value in found.items()) + ".\n"
    yield (
        "The contestants of a table run in one run of the suite, in turn, round after round, each in a fresh process and its own pinned "
        "environment. Each table tells the day; where contestants were measured on several, no ratio is made across them. Figures are medians of the rounds with the least and the greatest in parentheses; a ratio is the median of "
        "the ratios within each round. The machine has "
        "neighbours: compare within a table, and trust ratios more than speeds. Calls' arguments are made before the clock starts; "
        "every answer is checked after it stopped.\n"
    )


def _bars(figures: Figures) -> Iterator[str]:
    yield from _table(
        ("work", "bar", "measured", "met"),
        [(bar.work, bar.bar, bar.measured, _MET[bar.is_met]) for bar in bars(figures)],
    )


def _growth(figures: Figures) -> Iterator[str]:
    for kind, title in (
        ("search", "The best 50 of so many runs, p50 in ms"),
        ("history", "A series of so many points read whole, p50 in ms"),
        ("sample", "A series of so many points sampled to 2,000, p50 in ms"),
    ):
        rows = [row for row in _sorted(figures.rows()) if row.startswith(f"{kind}-") and not row.endswith(":prepare")]
        contestants = dict.fromkeys(each for row in rows for each in figures.contestants(row))
        body = [
            (each, *(_spread(figures.p50_ms(row, each)) for row in rows))
            for each in sorted(contestants, key=_order)
            if sum(figures.p50_ms(row, each) is not None for row in rows) > 1
        ]
        if body:
            yield f"### {title}\n"
            yield from _table(("system / database", *(f"{int(row.partition('-')[2]):,}" for row in rows)), body)


def _sorted(rows: Iterable[str]) -> list[str]:
    def place(row: str) -> tuple[int, int]:
        kind, _, size = row.partition("-")
        return (_KINDS.index(kind), int(size) if size.isdigit() else 0) if kind in _KINDS else (len(_KINDS), 0)

    return sorted(rows, key=place)


def _tables(figures: Figures) -> Iterator[str]:
    for row in _sorted(figures.rows()):
        title, columns = _layout(row, figures)
        if title is None:
            continue
        yield f"### {title}\n"
        yield f"Measured on {' and '.join(figures.dates(row))}.\n"
        body = []
        for contestant in sorted(figures.contestants(row), key=_order):
            if (row, contestant) in figures.errors:
                reason = figures.errors[row, contestant].splitlines()[-1][:100].replace("|", "/")
                body.append((contestant, f"failed: {reason}", *[""] * (len(columns) - 1)))
                continue
            cells = [text(row, contestant) for _, text in columns]
            wrong = "" if figures.is_right(row, contestant) else " (**wrong answer**)"
            body.append((contestant + wrong, *cells))
        yield from _table(("system / database", *(name for name, _ in columns)), body)


Column = tuple[str, Callable[[str, str], str]]


def _layout(row: str, figures: Figures) -> tuple[str | None, list[Column]]:  # noqa: C901, PLR0911, PLR0912 - a case a row
    def show(measure: Callable[[str, str], Figure | None]) -> Callable[[str, str], str]:
        return lambda where, who: _spread(measure(where, who))

    rate: Column = ("points/s", show(figures.rate))
    cpu: Column = ("client CPU µs/point", show(figures.cpu_us))
    p50: Column = ("p50, ms", show(figures.p50_ms))
    peak: Column = ("client peak memory, MB", show(figures.peak_mb))
    kind, _, size = row.partition("-")
    if row.endswith(":prepare"):
        return None, []
    if kind == "ingest":
        return "Batches of 1,000 points of 10 metrics, one run", [rate, cpu, peak]
    if kind == "single":
        return "One point a call", [p50, ("calls/s", show(figures.rate)), ("client CPU µs/call", show(figures.cpu_us))]
    if kind == "concurrent":
        return f"{size} process{'es' if size != '1' else ''}, batches of 50 points, each its own run", [rate]
    if kind == "disk":
        return "Disk: points of 20 series in batches of 10,000", [("bytes/point", show(figures.disk)), rate]
    if kind == "search":
        return f"The best 50 of {int(size):,} runs by one metric, filtered by one config key", [p50, peak]
    if kind == "list":
        return "All runs with 50 metric summaries and 50 config keys each", [p50, peak]
    if kind in {"history", "sample"}:
        text = f"One series of {int(size):,} points"
        points = int(size)
        speed: Column = ("M points/s", lambda where, who: _speed(figures.p50_ms(where, who), points))
        if kind == "history":
            return f"{text}, read whole into columns", [p50, speed, peak]
        return f"{text}, sampled to 2,000", [p50, peak]
    if kind == "training":

        def added(field: str) -> Callable[[str, str], str]:
            return show(lambda where, who: None if who == NO_LOGGER else figures.added_us(where, who, NO_LOGGER, field))

        return "Training with Lightning's loggers: three scalars a step", [
            ("a step by the clock, µs", show(figures.step_us)),
            ("added to it by the logger, µs", added("clock_s")),
            ("added of the training thread's processor time, µs", added("work_s")),
            ("added to the whole fit, its end included, µs a step", added("seconds")),
        ]
    if kind == "import":
        return "Starting", [("seconds", show(figures.seconds))]
    if kind == "install":
        return "Installed size", [
            ("MB", lambda where, who: f"{figures.results(where, who)[-1]['megabytes']:.0f}"),
            ("distributions", lambda where, who: str(figures.results(where, who)[-1]["distributions"])),
        ]
    if kind == "page":
        return _page_layout(size, figures)
    return None, []


def _page_layout(row: str, figures: Figures) -> tuple[str, list[Column]]:
    what, _, runs = row.partition("-")
    size = f", {int(runs):,} runs" if runs else ""

    def seen(where: str, who: str) -> str:
        return _spread(figures.ms(where, who))

    def painted(where: str, who: str) -> str:
        return _spread(figures.ms(where, who, "first_paint_ms"))

    def memory(where: str, who: str) -> str:
        return _spread(figures.megabytes(where, who))

    columns: dict[str, list[Column]] = {
        "table": [("first contentful paint, ms", painted), ("a row is seen, ms", seen)],
        "memory": [("at most, MB", memory)],
    }
    return f"The page: {_PAGE[what]}{size}", columns.get(what, [("ms", seen)])


def _speed(figure: Figure | None, points: int) -> str:
    return "" if figure is None else f"{points / figure.median / 1e3:.2f}"


def _spread(figure: Figure | None) -> str:
    if figure is None:
        return ""
    if len(figure.values) == 1:
        return number(figure.median)
    between = "–" if figure.least >= 0 else " to "
    return f"{number(figure.median)} ({number(figure.least)}{between}{number(figure.greatest)})"


def _order(contestant: str) -> tuple[str, str]:
    system, _, backend = contestant.partition("/")
    return backend, system


def _table(head: Iterable[str], body: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(head)
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for cells in body:
        yield "| " + " | ".join(cells) + " |"
    yield ""
