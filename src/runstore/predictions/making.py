"""Predictions from what a program has: lists, arrays and tensors, each checked once."""

import json
import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from runstore.errors import InvalidValueError
from runstore.media.arrays import is_array
from runstore.media.files import wrong_kind
from runstore.predictions.layout import FORMAT, MAX_CLASSES, MAX_COLUMNS, MAX_LINE, MAX_ROWS, SINGLE, Header
from runstore.predictions.values import Calibration, Levels, Predictions, Threshold
from runstore.values.checks import check_name, check_text, shown


def new_predictions(  # noqa: PLR0913 - the columns of a file, keyword-only
    *,
    ids: Iterable[str],
    classes: Iterable[str],
    targets: Any,
    scores: Any,
    is_probability: bool = True,
    groups: Iterable[str | None] | None = None,
    weights: Any = None,
    splits: str | Iterable[str | None] | None = None,
    sites: str | Iterable[str | None] | None = None,
    subgroups: Mapping[str, Iterable[str | None]] | None = None,
    thresholds: Iterable[Threshold] = (),
    calibration: Calibration | None = None,
    about: Mapping[str, Any] | None = None,
) -> Predictions:
    """Predictions that are to be kept.

    Args:
        ids: what the samples are called, each once: 1 to 255 printable characters.
        classes: the names of the classes, 2 to 100. Of two the second is the positive one.
        targets: what is true of each sample: the name of its class, or the index of it.
        scores: for two classes a number for each sample: of the positive class. Else a row of numbers for each sample,
            one for each class. Lists, arrays and tensors will do.
        is_probability: whether the scores are probabilities, from 0 to 1.
        groups: which samples belong together, as the patient's number does; ``None`` for a sample that stands alone.
        weights: how much each sample counts: numbers from 0 on. All count the same without them.
        splits: the part of the data that each sample belongs to, or one for all, as ``"test"``.
        sites: where each sample comes from, or one for all.
        subgroups: by name, further columns to divide by; ``None`` where it is not known.
        thresholds: from which score on a sample counts as positive, for two classes; the one to be used comes first.
        calibration: how the scores were made into probabilities.
        about: whatever else is to be kept: values that JSON has.

    Raises:
        InvalidValueError: one of them is not allowed; the message names it and its index.
    """
    names = check_classes(classes)
    called = _ids(ids)
    rows = len(called)
    made = Predictions(
        classes=names,
        ids=called,
        targets=_targets(targets, names, rows),
        scores=_scores(scores, names, rows, is_probability=bool(is_probability)),
        is_probability=bool(is_probability),
        groups=_levels(groups, "groups", rows),
        weights=None if weights is None else _numbers(weights, "weights", rows, low=0.0),
        splits=_levels(splits, "splits", rows),
        sites=_levels(sites, "sites", rows),
        subgroups={_subgroup(name): levels for name, levels in _subgroups(subgroups, rows)},
        thresholds=check_thresholds(thresholds, names),
        calibration=check_calibration(calibration),
        about=_about(about),
    )
    check_sizes(made)
    return made


def check_thresholds(thresholds: Iterable[Threshold], classes: tuple[str, ...]) -> tuple[Threshold, ...]:
    """The thresholds, each of another name and with a finite value."""
    found = tuple(thresholds)
    if found and len(classes) != 2:  # noqa: PLR2004 - a pair
        raise InvalidValueError(f"thresholds are given for {len(classes)} classes; they are kept for two classes only")
    for index, threshold in enumerate(found):
        field = f"thresholds[{index}]"
        if not isinstance(threshold, Threshold):
            raise wrong_kind(field, threshold, "a Threshold")
        check_name(threshold.name, f"{field}.name")
        check_text(threshold.chosen_on, f"{field}.chosen_on", max_length=255)
        check_text(threshold.rule, f"{field}.rule", max_length=1000)
        _finite(threshold.value, f"{field}.value")
    if len({threshold.name for threshold in found}) < len(found):
        raise InvalidValueError("thresholds have a name twice; give each another name")
    return found


def check_calibration(calibration: Calibration | None) -> Calibration | None:
    """The calibration, with finite parameters."""
    if calibration is None:
        return None
    if not isinstance(calibration, Calibration):
        raise wrong_kind("calibration", calibration, "a Calibration")
    check_name(calibration.method, "calibration.method")
    check_text(calibration.fitted_on, "calibration.fitted_on", max_length=255)
    for name, value in calibration.parameters.items():
        check_name(name, "the name of a parameter")
        _finite(value, f"calibration.parameters[{name!r}]")
    return calibration


def check_sizes(made: Predictions) -> None:
    """What no column tells alone: how many there are, and that something counts."""
    if len(made.scores) + len(SINGLE) + len(made.subgroups) > MAX_COLUMNS:
        raise InvalidValueError(f"there are {len(made.subgroups)} subgroups; {MAX_COLUMNS} columns are kept in all")
    if made.weights is not None and not 0 < math.fsum(made.weights) < math.inf:
        raise InvalidValueError("weights are 0 together, or too large to be added; let at least one be above 0")
    header = Header(
        format=FORMAT,
        version=1,
        classes=list(made.classes),
        thresholds=[msgspec.to_builtins(threshold) for threshold in made.thresholds],
        calibration=msgspec.to_builtins(made.calibration),
        about=made.about,
    )
    size = len(msgspec.json.encode(header))
    if size > MAX_LINE // 2:
        raise InvalidValueError(
            f"classes, thresholds, calibration and about take {size} bytes; at most {MAX_LINE // 2} are kept"
        )


def check_classes(classes: Iterable[str]) -> tuple[str, ...]:
    """The names of 2 to 100 classes, each once."""
    if isinstance(classes, str):
        raise wrong_kind("classes", classes, "a list of names")
    names = tuple(check_name(name, f"classes[{index}]") for index, name in enumerate(classes))
    if not 2 <= len(names) <= MAX_CLASSES or len(set(names)) < len(names):  # noqa: PLR2004 - a pair
        raise InvalidValueError(f"classes is {shown(list(names))}; give 2 to {MAX_CLASSES} names, each once")
    return names


def _ids(ids: Iterable[str]) -> tuple[str, ...]:
    if isinstance(ids, str):
        raise wrong_kind("ids", ids, "a list of names")
    found = tuple(check_name(name, f"ids[{index}]") for index, name in enumerate(ids))
    if not 1 <= len(found) <= MAX_ROWS:
        raise InvalidValueError(f"there are {len(found)} ids; give 1 to {MAX_ROWS} samples")
    if len(set(found)) < len(found):
        index = first_repeated(found)
        raise InvalidValueError(
            f"ids[{index}] is {shown(found[index])}, which an earlier sample is called; give each its own"
        )
    return found


def first_repeated(values: Sequence[str]) -> int:
    """The index of the first that was there before."""
    seen: set[str] = set()
    return next(index for index, value in enumerate(values) if value in seen or seen.add(value))  # type: ignore[func-returns-value]


def _targets(targets: Any, classes: tuple[str, ...], rows: int) -> "array[int]":
    index = {name: place for place, name in enumerate(classes)}
    found = array("i")
    for row, target in enumerate(_listed(targets, "targets", rows)):
        code = index.get(target, -1) if isinstance(target, str) else target
        if isinstance(code, bool) or not isinstance(code, int) or not 0 <= code < len(classes):
            raise InvalidValueError(
                f"targets[{row}] is {shown(target)}; give a class or its index, of {shown(list(classes))}"
            )
        found.append(code)
    return found


def _scores(scores: Any, classes: tuple[str, ...], rows: int, *, is_probability: bool) -> tuple["array[float]", ...]:
    high = 1.0 if is_probability else math.inf
    low = 0.0 if is_probability else -math.inf
    if len(classes) == 2:  # noqa: PLR2004 - a pair
        return (_numbers(scores, "scores", rows, low=low, high=high),)
    listed = _listed(scores, "scores", rows)
    for row, values in enumerate(listed):
        if not isinstance(values, (list, tuple)) or len(values) != len(classes):
            raise InvalidValueError(
                f"scores[{row}] is {shown(values)}; give {len(classes)} numbers, one for each class"
            )
    return tuple(
        _numbers(list(column), f"scores of {name!r}", rows, low=low, high=high)
        for name, column in zip(classes, zip(*listed, strict=True), strict=True)
    )


def _numbers(values: Any, field: str, rows: int, *, low: float = -math.inf, high: float = math.inf) -> "array[float]":
    found = array("d")
    for row, value in enumerate(_listed(values, field, rows)):
        number = _finite(value, f"{field}[{row}]")
        if not low <= number <= high:
            allowed = f"a number from {low:g} to {high:g}" if high < math.inf else f"a number from {low:g} on"
            raise InvalidValueError(f"{field}[{row}] is {number!r}; give {allowed}")
        found.append(number)
    return found


def _finite(value: object, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong_kind(field, value, "a number")
    number = float(value)
    if not math.isfinite(number):
        raise InvalidValueError(f"{field} is {number}; give a finite number")
    return number


def _levels(values: str | Iterable[str | None] | None, field: str, rows: int) -> Levels | None:
    if values is None:
        return None
    if isinstance(values, str):
        return Levels(names=(check_name(values, field),), codes=array("i", bytes(4 * rows)))
    listed = _listed(values, field, rows)
    for row, value in enumerate(listed):
        if value is not None:
            check_name(value, f"{field}[{row}]")
    return Levels.of(listed)


def _subgroups(given: Mapping[str, Any] | None, rows: int) -> Iterable[tuple[str, Levels]]:
    if given is not None and not isinstance(given, Mapping):
        raise wrong_kind("subgroups", given, "a mapping of names to lists")
    for name, values in (given or {}).items():
        levels = None if isinstance(values, str) else _levels(values, f"subgroups[{name!r}]", rows)
        if levels is None:
            raise wrong_kind(f"subgroups[{name!r}]", values, "a list of texts")
        yield name, levels


def _subgroup(name: object) -> str:
    """The name of a column to divide by; ``split`` and ``site`` have arguments of their own."""
    text = check_name(name, "the name of a subgroup")
    if text in SINGLE:
        raise InvalidValueError(f"subgroups has {text!r}, which is a column of its own; give another name")
    return text


def _about(about: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is kept beside the rows, as JSON gives it back: what JSON would change is refused, not changed."""
    try:
        # The standard library's encoder refuses NaN, which msgspec's writes as null.
        kept: dict[str, Any] = json.loads(
            json.dumps(dict(about or {}), allow_nan=False, ensure_ascii=False).encode()  # refuses lone surrogates
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValueError(
            f"about is {shown(about)}, which cannot be kept as JSON ({error}); give a mapping of what JSON has"
        ) from None
    return kept


def _listed(values: Any, field: str, rows: int) -> list[Any]:
    """What was given as a list of Python's own values, of the right length."""
    if is_array(values):
        values = (values.detach().cpu() if hasattr(values, "detach") else values).tolist()
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise wrong_kind(field, values, "a list")
    listed = [value.item() if is_array(value) and not value.shape else value for value in values]
    if len(listed) != rows:
        raise InvalidValueError(f"there are {len(listed)} {field} for {rows} ids; give one for each")
    return listed
