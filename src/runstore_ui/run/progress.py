"""How far a run has come: its epoch, of how many, and about how long the others will take. What is not known is not said."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from runstore.model import Run, SeriesSummary, to_microseconds
from runstore.protocol import RunReader
from runstore.values import flatten_config
from runstore_ui.epochs import KINDS, NAME, Epochs

_PLANNED: Final = ("max_epochs", "num_train_epochs", "num_epochs", "n_epochs", "epochs")
_PARENTS: Final = ("", "trainer", "training", "train", "fit")
"""Where a setting of these names means the whole training; ``warmup.epochs`` does not."""
_MOST_POINTS: Final = 1000
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def progress_of(
    reader: RunReader,
    run: Run,
    config: Mapping[str, Any],
    summaries: Sequence[SeriesSummary],
    now: datetime,
) -> str:
    """How far a run that goes on has come: ``epoch 7 of 20, about 11 min left``; empty where nothing tells.

    The epoch is the run's own metric ``epoch``, and of how many is what the settings say. The time left is told from the epochs
    that took place last.
    """
    series = {str(each.dataset_type): each for each in summaries if each.name == NAME}
    found = next((series[kind] for kind in KINDS if kind in series), None)
    if found is None or not math.isfinite(found.last.value) or found.last.value < 0:
        return ""
    done = _done(found, is_done="num_train_epochs" in config)
    if done is None:
        return ""
    planned = planned_epochs(config)
    if planned is None:
        return f"epoch {math.floor(done) + 1}"
    text = f"epoch {min(math.floor(done) + 1, planned)} of {planned}" if done <= planned else ""
    history = reader.sample_history(run.id, NAME, found.dataset_type, max_points=_MOST_POINTS)
    epochs = Epochs.of(zip(history.steps, history.values, history.logged_at_us, strict=True))
    each_s = epochs.seconds_each()
    if not text or each_s is None or done >= planned:
        return text
    since_s = (to_microseconds(now) - epochs.knots[-1].at_us) / 1e6
    # Of the epoch that is under way at most its usual length is over: one that takes longer is not over all the same.
    left_s = (planned - done) * each_s - min(max(since_s, 0.0), each_s)
    return f"{text}, about {_rounded(left_s)} left"


def planned_epochs(config: Mapping[str, Any]) -> int | None:
    """How many epochs the settings say; ``None`` where they say none, several numbers, or a number of steps beside."""
    found = set()
    for leaf in flatten_config(config):
        parent, _, name = leaf.key.replace("\\.", ".").replace("/", ".").rpartition(".")
        if parent not in _PARENTS or leaf.kind not in {"int", "float"} or leaf.number is None:
            continue
        if name == "max_steps" and leaf.number > 0:
            return None  # whichever is reached first ends the training
        if name in _PLANNED and leaf.number > 0:
            found.add(leaf.number)
    if len(found) != 1:
        return None
    (number,) = found
    return int(number) if number.is_integer() else None


def _done(series: SeriesSummary, *, is_done: bool) -> float | None:
    """How many epochs are over; ``None`` where it may be one more or less.

    Lightning counts from 0, and Hugging Face (``is_done``) tells how many are over. Where the first that was told is 1, it is
    the number of the one under way.
    """
    first, last = series.first.value, series.last.value
    if first < 1 or is_done:
        return last
    return last - 1 if first == 1 and last.is_integer() else None


def _rounded(seconds: float) -> str:
    for unit, size in (("d", _DAY_S), ("h", _HOUR_S), ("min", _MINUTE_S)):
        if seconds >= 1.5 * size:
            return f"{round(seconds / size)} {unit}"
    return "1 min"
