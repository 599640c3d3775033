"""Medians, spreads and ratios of the results."""

import statistics
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Result = Mapping[str, Any]


Round = tuple[int, int]
"""The number of a measurement, a run of the suite, and of a round within it."""


class Figure(NamedTuple):
    """What a contestant reached in one row, by round."""

    values: dict[Round, float]

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.values.values())

    @property
    def least(self) -> float:
        """The least of the rounds."""
        return min(self.values.values())

    @property
    def greatest(self) -> float:
        """The greatest of the rounds."""
        return max(self.values.values())

    def times(self, other: "Figure") -> float | None:
        """The median of the ratios within each round: what slows a whole round slows both."""
        ratios = [value / other.values[number] for number, value in self.values.items() if number in other.values]
        return statistics.median(ratios) if ratios else None


class Figures:
    """The newest results by row and contestant, of one or several runs of the suite.

    Each run begins with its row ``machine``, which has its date. What was measured again replaces what an older run
    said of that contestant in that row, errors included; ratios are made within one run alone.
    """

    def __init__(self, results: Iterable[Result]) -> None:
        self._results: dict[tuple[str, str], list[Result]] = {}
        self._dates: dict[tuple[str, str], str] = {}
        self.errors: dict[tuple[str, str], str] = {}
        for number, run in enumerate(_by_date(results)):
            fresh = set()
            for result in run:
                key = (result["row"], result.get("contestant", ""))
                if key[1] and key not in fresh:  # of the machine and the versions, every run's count
                    fresh.add(key)
                    self._results[key] = []
                    self._dates[key] = _moment(run)[0]
                    self.errors.pop(key, None)
                if "error" in result:
                    self.errors[key] = result["error"]
                else:
                    self._results.setdefault(key, []).append({**result, "run": number})

    def rows(self) -> list[str]:
        """The names of the rows, in order of appearance."""
        return list(dict.fromkeys(row for row, _ in self._results))

    def contestants(self, row: str) -> list[str]:
        """Who has a result or an error in a row."""
        return [who for where, who in self._results if where == row]

    def dates(self, row: str) -> list[str]:
        """The days on which a row's contestants were measured."""
        return sorted({day for (where, _), day in self._dates.items() if where == row})

    def results(self, row: str, contestant: str = "") -> list[Result]:
        """The results of all rounds; empty when there are none."""
        return self._results.get((row, contestant), [])

    def rate(self, row: str, contestant: str) -> Figure | None:
        """Things a second."""
        return self._figure(row, contestant, lambda result: result["n"] / result["seconds"])

    def p50_ms(self, row: str, contestant: str) -> Figure | None:
        """The median call of each round, in milliseconds."""
        return self._figure(row, contestant, lambda result: result["p50_ms"])

    def seconds(self, row: str, contestant: str) -> Figure | None:
        """The whole of each round, in seconds."""
        return self._figure(row, contestant, lambda result: result["seconds"])

    def cpu_us(self, row: str, contestant: str) -> Figure | None:
        """The client's processor time for one thing, in microseconds."""
        return self._figure(row, contestant, lambda result: 1e6 * result["cpu_s"] / result["n"])

    def disk(self, row: str, contestant: str) -> Figure | None:
        """Bytes a point."""
        return self._figure(row, contestant, lambda result: result["disk_bytes"] / result["n"])

    def peak_mb(self, row: str, contestant: str) -> Figure | None:
        """The client's greatest memory, in MB."""
        return self._figure(row, contestant, lambda result: result["peak_rss_mb"])

    def step_us(self, row: str, contestant: str) -> Figure | None:
        """A step of training by the clock, in microseconds."""
        return self._figure(row, contestant, lambda result: 1e6 * result["clock_s"] / result["n"])

    def added_us(self, row: str, contestant: str, zero: str, field: str) -> Figure | None:
        """What a thing takes longer than with another contestant of the same round, in microseconds."""
        ours, other = (
            figure.values if figure else {}
            for figure in (
                self._figure(row, each, lambda result: 1e6 * result[field] / result["n"]) for each in (contestant, zero)
            )
        )
        added = {each: ours[each] - other[each] for each in ours.keys() & other.keys()}
        return Figure(added) if added else None

    def ms(self, row: str, contestant: str, field: str = "seconds") -> Figure | None:
        """The whole of each round, or a field of it that is in milliseconds already."""
        return self._figure(row, contestant, lambda each: each["seconds"] * 1e3 if field == "seconds" else each[field])

    def megabytes(self, row: str, contestant: str) -> Figure | None:
        """A server's greatest memory, in MB."""
        return self._figure(row, contestant, lambda result: result["peak_mb"])

    def is_right(self, row: str, contestant: str) -> bool:
        """Whether every round's answer was checked and right."""
        return all(result.get("is_right", True) for result in self.results(row, contestant))

    def _figure(self, row: str, contestant: str, value: Any) -> Figure | None:
        found = {(result["run"], result["round"]): value(result) for result in self.results(row, contestant)}
        return Figure(found) if found else None


def _by_date(results: Iterable[Result]) -> list[list[Result]]:
    """The runs of the suite, the oldest first."""
    runs: list[list[Result]] = []
    for result in results:
        if result["row"] == "machine" or not runs:
            runs.append([])
        runs[-1].append(result)
    return sorted(runs, key=_moment)


def _moment(run: list[Result]) -> tuple[str, str]:
    return run[0].get("date", ""), run[0].get("time", "")


def number(value: float) -> str:
    """Three digits that count, thousands apart."""
    if abs(value) >= 1000:
        digits = max(0, len(str(abs(int(value)))) - 3)
        return f"{round(value, -digits):,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
