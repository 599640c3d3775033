"""Which metric leads a training: its name, what is logged to choose from, and whether less of it is better."""

import difflib
from collections.abc import Iterable
from typing import Final, Literal

from pneumo_train.errors import ConfigError

LOGGED: Final = (
    *(
        f"{part}_{name}"
        for part in ("val", "train")
        for name in ("auroc", "f1", "accuracy", "precision", "recall", "loss")
    ),
    "learning_rate",
)
"""What the classifier logs in each epoch; callbacks may log more."""

VALIDATED: Final = tuple(name for name in LOGGED if name.startswith("val_"))
"""What is known of weights alone, by films that are looked at."""

_LESS_IS_BETTER: Final = ("loss", "error", "brier", "ece", "nll", "mae", "mse")
"""How the name of such a metric ends."""

Better = Literal["min", "max"]


def better_of(monitor: str, mode: Literal["auto", "min", "max"]) -> Better:
    """Whether a metric is better when less or when more; ``auto`` tells it by the last word of its name."""
    if mode != "auto":
        return mode
    last = monitor.lower().replace("/", "_").replace(".", "_").replace("-", "_").rpartition("_")[2]
    return "min" if last.endswith("loss") or last in _LESS_IS_BETTER else "max"


def require_logged(monitor: str, logged: Iterable[str] = LOGGED, *, after_an_epoch: bool = False) -> None:
    """Refuses a metric that nothing logs.

    Args:
        monitor: the metric.
        logged: what there is.
        after_an_epoch: whether an epoch is over, in which callbacks could have logged it.

    Raises:
        ConfigError: names what is logged.
    """
    there = list(logged)
    if monitor in there:
        return
    close = difflib.get_close_matches(monitor, there, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}? " if close else ""
    found = (
        "nothing has logged it by the end of the first epoch. A callback that measures less often logs it in the first epoch, too; "
        "until it logs again, the last value counts"
        if after_an_epoch
        else "no metric of this name is logged"
    )
    raise ConfigError(f"training.monitor = {monitor!r}: {found}; {hint}There are: {', '.join(there)}")
