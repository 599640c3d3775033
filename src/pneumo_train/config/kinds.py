"""What a value of the configuration may be: numbers with their bounds, and checks of one key against another."""

from typing import Annotated, Any

from msgspec import Meta

from pneumo_train.config.wanted import GREATEST
from pneumo_train.errors import ConfigError

_MOST = 100_000_000
"""Above this a count is a slip: no machine trains so."""

Count = Annotated[int, Meta(ge=1, le=_MOST)]
CountOrZero = Annotated[int, Meta(ge=0, le=_MOST)]
NotNegative = Annotated[float, Meta(ge=0, le=GREATEST)]
Between0And1 = Annotated[float, Meta(gt=0, lt=1)]


def check(key: str, value: Any, holds: bool, rule: str) -> None:  # noqa: FBT001 - the condition is the argument
    """Raises the error of a value that breaks a rule.

    Raises:
        ConfigError: names key, value and rule.
    """
    if not holds:
        raise ConfigError(f"{key} = {value!r}: {rule}")
