"""What is measured. Each function gets a contestant ready and returns what runs on "go".

That gives figures: ``n`` (how many things), perhaps ``p50_ms``, and ``check``, which runs after the clock was stopped
and says whether everything is really there. The arguments of the calls are made before, in the contestant's own types.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks import data
from benchmarks.contestants.base import Contestant

Measured = Callable[[], dict[str, Any]]
Options = dict[str, Any]


def ingest(contestant: Contestant, options: Options) -> Measured:
    """Writes points in batches, to the last row stored."""
    contestant.is_timed = options.get("is_timed", False)
    run = contestant.new_run("ingest", data.metric_names(options["series"]))
    calls = [
        contestant.batch(run, points)
        for points in data.batches(options["points"], size=options["size"], series=options["series"])
    ]

    def measured() -> dict[str, Any]:
        for call in calls:
            contestant.log(run, call)
        contestant.flush()
        return {"n": options["points"], "check": lambda: {"stored": contestant.count(run)}}

    return measured


def single(contestant: Contestant, options: Options) -> Measured:
    """Writes one point a call, each call timed."""
    run = contestant.new_run("single", data.metric_names(1))
    warm = options["warm"]
    calls = [contestant.batch(run, points) for points in data.batches(options["points"] + warm, size=1, series=1)]
    for call in calls[:warm]:
        contestant.log(run, call)

    def measured() -> dict[str, Any]:
        times = []
        for call in calls[warm:]:
            began = time.perf_counter()
            contestant.log(run, call)
            times.append(time.perf_counter() - began)
        contestant.flush()
        return {
            "n": options["points"],
            "p50_ms": 1e3 * statistics.median(times),
            "check": lambda: {"stored": contestant.count(run) - warm},
        }

    return measured


def prepare_search(contestant: Contestant, options: Options) -> Measured:
    """Fills a store with runs to search."""
    runs = data.search_runs(options["runs"])

    def measured() -> dict[str, Any]:
        contestant.add_copied_runs(runs, originals=data.originals_of(len(runs)))
        return {"n": len(runs)}

    return measured


def prepare_list(contestant: Contestant, options: Options) -> Measured:
    """Fills a store with runs of many keys."""
    runs = list(data.wide_runs(options["runs"], keys=options["keys"]))

    def measured() -> dict[str, Any]:
        contestant.add_runs(runs)
        return {"n": len(runs)}

    return measured


def prepare_history(contestant: Contestant, options: Options) -> Measured:
    """Fills a store with one long series."""
    contestant.is_timed = True
    run = contestant.new_run("history", data.metric_names(1))

    def measured() -> dict[str, Any]:
        for points in data.batches(options["points"], size=options["size"], series=1):
            contestant.log(run, contestant.batch(run, points))
        contestant.flush()
        return {"n": options["points"]}

    return measured


def search(contestant: Contestant, options: Options) -> Measured:
    """Lists the best runs of one architecture."""
    limit = options["limit"]
    found: list[list[str]] = []

    def query() -> None:
        found.append(contestant.search(data.SEARCHED_ARCHITECTURE, data.ORDERED_METRIC, limit))

    def check() -> dict[str, Any]:
        right = data.best_runs(options["runs"], limit)
        return {"is_right": all(names == right for names in found)}

    return _repeated(query, options, check)


def list_runs(contestant: Contestant, options: Options) -> Measured:
    """Lists all runs with their configs and metric summaries."""
    found: list[int] = []

    def query() -> None:
        found.append(contestant.list_runs(options["runs"]))

    expected = 2 * options["runs"] * options["keys"]
    return _repeated(query, options, lambda: {"is_right": set(found) == {expected}})


def history(contestant: Contestant, options: Options) -> Measured:
    """Reads the whole of one series into columns."""
    found: list[tuple[int, int]] = []
    last = options["points"] - 1

    def query() -> None:
        found.append(contestant.history(data.metric_names(1)[0]))

    return _repeated(query, options, lambda: {"is_right": set(found) == {(last + 1, last)}})


def sample(contestant: Contestant, options: Options) -> Measured:
    """Reads a sample of one series that keeps its first and last point and its extremes."""
    found: list[tuple[int, int, float, float]] = []

    def query() -> None:
        found.append(contestant.sample(data.metric_names(1)[0], options["max_points"]))

    def check() -> dict[str, Any]:
        values = [p.value for batch in data.batches(options["points"], size=10_000, series=1) for p in batch]
        right = (options["points"] - 1, min(values), max(values))
        sizes = {size for size, *_ in found}
        is_right = all(tuple(rest) == right for _, *rest in found) and max(sizes) <= options["max_points"]
        return {"is_right": is_right, "sampled": max(sizes)}

    return _repeated(query, options, check)


def training(contestant: Contestant, options: Options) -> Measured:
    """Trains a tiny model that logs in each step."""
    contestant.train(options["warm"])

    def measured() -> dict[str, Any]:
        steps = options["steps"]
        seconds = contestant.train(steps)
        return {"n": steps, **seconds, "check": lambda: {"is_right": contestant.is_stored(steps)}}

    return measured


def _repeated(query: Callable[[], None], options: Options, check: Callable[[], dict[str, Any]]) -> Measured:
    for _ in range(options["warm"]):
        query()

    def measured() -> dict[str, Any]:
        times = []
        for _ in range(options["repeats"]):
            began = time.perf_counter()
            query()
            times.append(time.perf_counter() - began)
        return {"n": options["repeats"], "p50_ms": 1e3 * statistics.median(times), "check": check}

    return measured
