"""Medians, spreads and ratios of the results."""

import statistics
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Result = Mapping[str, Any]


class Figure(NamedTuple):
    """What a contestant reached in one row, by round."""

    values: dict[int, float]

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
    """The results of one run by row and contestant."""

    def __init__(self, results: Iterable[Result]) -> None:
        self._results: dict[tuple[str, str], list[Result]] = {}
        self.errors: dict[tuple[str, str], str] = {}
        for result in results:
            key = (result["row"], result.get("contestant", ""))
            if "error" in result:
                self.errors[key] = result["error"]
            else:
                self._results.setdefault(key, []).append(result)

    def rows(self) -> list[str]:
        """The names of the rows, in order of appearance."""
        return list(dict.fromkeys(row for row, _ in [*self._results, *self.errors]))

    def contestants(self, row: str) -> list[str]:
        """Who has a result or an error in a row."""
        return list(dict.fromkeys(who for where, who in [*self._results, *self.errors] if where == row))

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

    def is_right(self, row: str, contestant: str) -> bool:
        """Whether every round's answer was checked and right."""
        return all(result.get("is_right", True) for result in self.results(row, contestant))

    def _figure(self, row: str, contestant: str, value: Any) -> Figure | None:
        found = {result["round"]: value(result) for result in self.results(row, contestant)}
        return Figure(found) if found else None


def number(value: float) -> str:
    """Three digits that count, thousands apart."""
    if value >= 1000:
        digits = max(0, len(str(int(value))) - 3)
        return f"{round(value, -digits):,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
