"""What the page makes of results that were measured at different times."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.bars import bars
from benchmarks.figures import Figures

from benchmarks import report

Result = dict[str, Any]


def machine(date: str, time: str = "10:00:00") -> Result:
    about = {"processor": "some", "cores": 2, "memory_gib": 24, "system": "Linux", "python": "3.11.7"}
    return {"row": "machine", **about, "date": date, "time": time}


def search(contestant: str, p50_ms: float, *, number: int = 0, runs: int = 10_000) -> Result:
    figures = {"n": 15, "seconds": 1.0, "p50_ms": p50_ms, "peak_rss_mb": 50.0}
    return {"row": f"search-{runs}", "contestant": contestant, "round": number, **figures}


def training(contestant: str, clock_s: float, *, number: int = 0) -> Result:
    seconds = {"clock_s": clock_s, "work_s": clock_s / 2, "seconds": clock_s + 1, "n": 1_000}
    return {"row": "training", "contestant": contestant, "round": number, **seconds}


def met(results: list[Result], work: str) -> list[tuple[str, bool | None]]:
    return [(bar.measured, bar.is_met) for bar in bars(Figures(results)) if bar.work == work]


def test_the_newest_measurement_of_a_contestant_in_a_row_wins_in_whatever_order_the_files_come() -> None:
    new = [machine("2026-02-01", "11:00:00"), search("runstore/sqlite", 5.0)]
    old = [machine("2026-02-01"), search("runstore/sqlite", 9.0), search("runstore/sqlite", 9.0, number=1)]

    figures = Figures([*new, *old])

    found = figures.p50_ms("search-10000", "runstore/sqlite")
    assert found is not None
    assert list(found.values.values()) == [5.0]


def test_a_ratio_is_made_within_one_measurement_only() -> None:
    old = [machine("2026-01-01"), search("runstore/sqlite", 8.0), search("raw upsert/sqlite", 4.0)]
    new = [machine("2026-02-01"), search("runstore/sqlite", 2.0)]

    assert met(old, "the best 50 of 10,000 runs, SQLite")[1] == ("2 × (8 against 4 ms)", True)
    assert met([*old, *new], "the best 50 of 10,000 runs, SQLite") == [("2 ms", True), ("not measured", None)]


def test_what_failed_once_and_was_measured_later_is_no_failure_and_the_other_way_round() -> None:
    failure = {"row": "search-10000", "contestant": "runstore/sqlite", "round": 0, "error": "it broke"}
    failed = [machine("2026-01-01"), failure]
    measured = [machine("2026-02-01"), search("runstore/sqlite", 5.0)]

    assert Figures([*failed, *measured]).errors == {}
    assert "failed: it broke" in report.render([*measured, machine("2026-03-01"), failure], notes="")


def test_each_table_tells_the_days_on_which_it_was_measured() -> None:
    results = [
        machine("2026-01-01"),
        *(search("runstore/sqlite", 8.0), search("raw upsert/sqlite", 4.0), training("no logger/none", 4.0)),
        *(machine("2026-02-01"), search("runstore/sqlite", 2.0)),
    ]

    page = report.render(results, notes="")

    _, of_search, of_training = page.split("\n### ")
    assert "Measured on 2026-01-01 and 2026-02-01." in of_search
    assert "Measured on 2026-01-01." in of_training


def test_growth_stands_in_one_table() -> None:
    results = [machine("2026-01-01"), *(search("runstore/sqlite", runs / 1e4, runs=runs) for runs in (10_000, 1_000))]

    page = report.render(results, notes="")

    assert "| system / database | 1,000 | 10,000 |" in page
    assert "| runstore/sqlite | 0.1 | 1 |" in page


def test_a_logger_costs_what_its_training_takes_longer_than_one_without_in_the_same_round() -> None:
    results = [
        machine("2026-01-01"),
        *(training("no logger/none", clock, number=number) for number, clock in enumerate((4.0, 6.0))),
        *(training("CSVLogger/files", clock, number=number) for number, clock in enumerate((5.0, 6.5))),
    ]

    page = report.render(results, notes="")

    assert "| CSVLogger/files | 5,750 (5,000–6,500) | 750 (500–1,000) | 375 (250–500) | 750 (500–1,000) |" in page
    assert "| no logger/none | 5,000 (4,000–6,000) |  |  |  |" in page


def test_the_page_is_held_to_its_bars_beside_mlflows_of_the_same_round() -> None:
    def table(contestant: str, seconds: float, first_paint_ms: float) -> Result:
        seen = {"n": 1, "seconds": seconds, "first_paint_ms": first_paint_ms}
        return {"row": "page-table-10000", "contestant": contestant, "round": 0, **seen}

    results = [machine("2026-01-01"), table("runstore/sqlite", 0.2, 150.0), table("MLflow/sqlite", 3.0, 900.0)]

    assert met(results, "the page: first paint of the table, 10,000 runs") == [("150 ms", True)]
    assert met(results, "the page: first paint") == [("6 ×", False)]
    assert met(results, "the page: a row is seen") == [("15 ×", True)]
    page = report.render(results, notes="")
    assert "### The page: the table, 10,000 runs" in page
    assert "| runstore/sqlite | 150 | 200 |" in page
