"""Metric points of what a program logs: names are split, and what is no number is left out and told once."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from runstore.errors import InvalidValueError
from runstore.model import MetricPoint
from runstore.training.naming import MetricNames
from runstore.training.scalars import number_of
from runstore.values.checks import shown

_log = logging.getLogger("runstore.training.points")

_DEEPEST: Final = 10


class PointMaker:
    """Makes points of mappings.

    Attributes:
        names: what the series are called.
    """

    def __init__(self, names: MetricNames) -> None:
        self.names = names
        self._told: set[object] = set()

    def warn_once(self, what: object, text: str, *arguments: object) -> None:
        """Warns of a thing, unless that was done before."""
        if what not in self._told:
            self._told.add(what)
            _log.warning(text, *arguments)

    def points(self, metrics: Mapping[str, Any], step: Any, *, depth: int = 0) -> list[MetricPoint]:
        """The points of the numbers in a mapping; in one that lies in it, they are named with a slash between.

        Raises:
            InvalidValueError: it is no mapping.
        """
        if type(metrics) is not dict and not isinstance(metrics, Mapping):
            raise InvalidValueError(
                f"metrics is {shown(metrics)} of type {type(metrics).__name__}; give a mapping, such as {{'loss': 0.5}}"
            )
        points: list[MetricPoint] = []
        for key, value in metrics.items():
            try:
                number = value if type(value) is float else number_of(value)
            except Exception:  # noqa: BLE001 - a stranger's __float__ may raise anything
                if isinstance(value, Mapping) and len(value) and depth < _DEEPEST:
                    inner = {f"{key}/{name}": each for name, each in value.items()}
                    points += self.points(inner, step, depth=depth + 1)
                    continue
                self.warn_once(
                    key, "metric %s is not stored: %s of %s is not one number",
                    shown(key), shown(value), type(value).__name__,
                )  # fmt: skip
                continue
            name, dataset_type = self.names[key if isinstance(key, str) else str(key)]
            points.append(MetricPoint(name=name, value=number, step=step, dataset_type=dataset_type))
        return points
