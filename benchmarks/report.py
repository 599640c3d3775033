"""The page that people read, made of the results alone."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from benchmarks.bars import bars
from benchmarks.figures import Figure, Figures, number

_MET = {True: "yes", False: "**no**", None: "–"}
_LABELS = {
    "runstore": "runstore",
    "mlflow": "MLflow",
    "trackio": "Trackio",
    "sacred": "Sacred",
    "sqlalchemy": "SQLAlchemy",
    "pymysql": "PyMySQL",
    "pymongo": "PyMongo",
    "numpy": "NumPy",
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
    parts = [*_head(figures), "## Bars\n", *_bars(figures), notes.strip() + "\n", "## Figures\n", *_tables(figures)]
    return "\n".join(parts)


def _head(figures: Figures) -> Iterator[str]:
    machines, versions = figures.results("machine"), figures.results("versions")
    yield "# Benchmarks\n"
    yield "<!-- Written by `python -m benchmarks --docs`; the notes stand in benchmarks/notes.md. -->\n"
    if machines:
        last = machines[-1]
        loads = ", ".join(f"{result['load']:.1f}" for result in figures.results("load"))
        yield (
            f"Measured on {last['date']}: {last['processor']}, {last['cores']} cores, {last['memory_gib']} GiB, "
            f"{last['system']}, Python {last['python']}; a virtual machine's disk, every server with fsync on. "
            f"Load of the minute before measuring began: {loads or 'not taken'}.\n"
        )
    if versions:
        found: dict[str, str] = {}
        for result in versions:
            found |= {key: value for key, value in result.items() if key != "row"}
        yield "Versions: " + ", ".join(f"{_LABELS.get(key, key)} {value}" for key, value in found.items()) + ".\n"
    yield (
        "All contestants run in one run of the suite, in turn, round after round, each in a fresh process and its own pinned "
        "environment. Figures are medians of the rounds with the least and the greatest in parentheses; a ratio is the median of "
        "the ratios within each round. The machine has "
        "neighbours: compare within a table, and trust ratios more than speeds. Calls' arguments are made before the clock starts; "
        "every answer is checked after it stopped.\n"
    )


def _bars(figures: Figures) -> Iterator[str]:
    yield from _table(
        ("work", "bar", "measured", "met"),
        [(bar.work, bar.bar, bar.measured, _MET[bar.is_met]) for bar in bars(figures)],
    )


def _tables(figures: Figures) -> Iterator[str]:
    for row in figures.rows():
        title, columns = _layout(row, figures)
        if title is None:
            continue
        yield f"### {title}\n"
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


def _layout(row: str, figures: Figures) -> tuple[str | None, list[Column]]:  # noqa: C901, PLR0911 - a case a row
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
    if kind == "import":
        return "Starting", [("seconds", show(figures.seconds))]
    if kind == "install":
        return "Installed size", [
            ("MB", lambda where, who: f"{figures.results(where, who)[-1]['megabytes']:.0f}"),
            ("distributions", lambda where, who: str(figures.results(where, who)[-1]["distributions"])),
        ]
    return None, []


def _speed(figure: Figure | None, points: int) -> str:
    return "" if figure is None else f"{points / figure.median / 1e3:.2f}"


def _spread(figure: Figure | None) -> str:
    if figure is None:
        return ""
    if len(figure.values) == 1:
        return number(figure.median)
    return f"{number(figure.median)} ({number(figure.least)}–{number(figure.greatest)})"


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
