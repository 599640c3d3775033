"""How values are spread, as counts between edges: small enough to stand in the artifact's metadata, too."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from runstore.errors import InvalidValueError
from runstore.media.arrays import is_array, numpy_of
from runstore.media.files import Media, new_media, wrong_kind
from runstore.values.checks import check_number

_MOST_BINS: Final = 1024
"""So many fit into an artifact's metadata, from which a chart over steps is drawn without opening a file."""


def histogram(  # noqa: PLR0913 - values, or what was counted already; keyword-only
    name: str,
    values: Any = None,
    *,
    bins: int = 64,
    counts: Iterable[float] | None = None,
    edges: Iterable[float] | None = None,
    step: int | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Media:
    """A histogram that is to be kept, as JSON with ``counts`` and ``edges``; the metadata holds both as well.

    Args:
        name: its name.
        values: an array, a tensor or a list of numbers, of any shape. Those that are not finite are counted apart.
        bins: into how many equal parts the range of the values is cut, 1 to 1024.
        counts: what was counted already, instead of values: one number for each part.
        edges: where the parts begin and end, ascending: one number more than ``counts``.
        step: the step, for one of a series.
        metadata: more to keep with it.

    Raises:
        InvalidValueError: these are no numbers, or not as many as they must be, or another argument is not allowed.
    """
    if (values is None) == (counts is None) or (counts is None) != (edges is None):
        raise InvalidValueError("give either values, or counts and edges")
    if isinstance(bins, bool) or not isinstance(bins, int) or not 1 <= bins <= _MOST_BINS:
        raise InvalidValueError(f"bins is {bins!r}; give a whole number from 1 to {_MOST_BINS}")
    if counts is not None and edges is not None:
        counted = _given(counts, edges)
    elif not (is_array(values) or isinstance(values, (list, tuple))):
        raise wrong_kind("values", values, "an array, a tensor or a list of numbers")
    else:
        counted = None

    def write(path: Path) -> dict[str, Any]:
        told = counted or _counted(values, bins)
        path.write_bytes(msgspec.json.encode(told))
        return told

    return new_media("histogram", name, step=step, suffixes=(".json",), write=write, metadata=metadata)


def _given(counts: Iterable[float], edges: Iterable[float]) -> dict[str, Any]:
    given = [_numbers(counts, "counts"), _numbers(edges, "edges")]
    if len(given[1]) != len(given[0]) + 1 or not 1 <= len(given[0]) <= _MOST_BINS:
        raise InvalidValueError(
            f"there are {len(given[0])} counts and {len(given[1])} edges; give 1 to {_MOST_BINS} counts and one edge more"
        )
    if any(low >= high for low, high in zip(given[1], given[1][1:], strict=False)):
        raise InvalidValueError("edges do not ascend; give each greater than the one before")
    return {"counts": [int(count) if count == int(count) else count for count in given[0]], "edges": given[1]}


def _numbers(values: Iterable[float], field: str) -> list[float]:
    if is_array(values):
        values = numpy_of(values).ravel().tolist()
    if not isinstance(values, (list, tuple)):
        raise wrong_kind(field, values, "a list of numbers")
    numbers = [check_number(value, f"{field}[{index}]") for index, value in enumerate(values)]
    for index, number in enumerate(numbers):
        if not math.isfinite(number):
            raise InvalidValueError(f"{field}[{index}] is {number}; give finite numbers")
    return numbers


def _counted(values: Any, bins: int) -> dict[str, Any]:
    """The histogram of values; of none that is finite, one without parts.

    Raises:
        InvalidValueError: numpy is not installed, or these are no real numbers.
    """
    array = numpy_of(values).ravel()
    if array.dtype.kind not in "fiub":
        raise InvalidValueError(f"values are of type {array.dtype}; give real numbers")
    import numpy as np  # noqa: PLC0415 - is loaded by now

    array = array.astype(np.float64)
    finite = array[np.isfinite(array)]
    told: dict[str, Any] = {"counts": [], "edges": []}
    if finite.size:
        found, borders = np.histogram(finite, bins=bins)
        told = {
            "counts": found.tolist(),
            "edges": borders.tolist(),
            "mean": float(finite.mean()),
            "std": float(finite.std()),
        }
    if finite.size < array.size:
        told["non_finite"] = int(array.size - finite.size)
    return told
