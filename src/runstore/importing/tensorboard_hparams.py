"""Hyperparameters, as TensorBoard's plugin of that name keeps them in event files."""

import math
from struct import pack, unpack
from typing import Any, Final

from runstore.importing.wandb_records import fields_of
from runstore.model import RunStatus

_BEGUN, _ENDED = 3, 4
_SETTING, _GROUP = 1, 4
_NUMBER, _TEXT, _TRUTH, _MAPPING, _LIST = 2, 3, 4, 5, 6
_STATUSES: Final = {1: RunStatus.COMPLETED, 2: RunStatus.FAILED, 3: RunStatus.IN_PROGRESS}
_MOST_WHOLE: Final = 2**53
_MOST_DEPTH: Final = 32


class Hparams:
    """Gathers what the events of one run say.

    Attributes:
        config: the hyperparameters by their names. TensorBoard has one kind of number: one without a fraction is whole here.
        group: what its runs are grouped by.
        status: how it ended, if that was said.
    """

    def __init__(self) -> None:
        """Nothing is known."""
        self.config: dict[str, Any] = {}
        self.group = ""
        self.status: RunStatus | None = None

    def take(self, message: bytes) -> None:
        """One message of the plugin."""
        for field, value in fields_of(message):
            if not isinstance(value, bytes):
                continue
            if field == _BEGUN:
                self._begin(value)
            elif field == _ENDED:
                said = [each for one, each in fields_of(value) if one == 1 and isinstance(each, int)]
                self.status = _STATUSES.get(said[-1] if said else 0, self.status)

    def _begin(self, data: bytes) -> None:
        for field, value in fields_of(data):
            if field == _SETTING and isinstance(value, bytes):
                name, setting = _entry(value, 0)
                self.config[name] = setting
            elif field == _GROUP and isinstance(value, bytes):
                self.group = value.decode("utf-8", "backslashreplace")


def _entry(data: bytes, depth: int) -> tuple[str, Any]:
    name, setting = "", None
    for field, value in fields_of(data):
        if field == 1 and isinstance(value, bytes):
            name = value.decode("utf-8", "backslashreplace")
        elif isinstance(value, bytes):
            setting = _value(value, depth)
    return name, setting


def _value(data: bytes, depth: int) -> Any:
    if depth > _MOST_DEPTH:
        raise ValueError("a hyperparameter is nested too deeply")
    found: Any = None
    for field, value in fields_of(data):
        if field == _NUMBER and isinstance(value, int):
            (found,) = unpack("<d", pack("<Q", value))
            if math.isfinite(found) and found.is_integer() and abs(found) <= _MOST_WHOLE:
                found = int(found)
        elif field == _TEXT and isinstance(value, bytes):
            found = value.decode("utf-8", "backslashreplace")
        elif field == _TRUTH:
            found = bool(value)
        elif field == _MAPPING and isinstance(value, bytes):
            found = dict(_entry(each, depth + 1) for _, each in fields_of(value) if isinstance(each, bytes))
        elif field == _LIST and isinstance(value, bytes):
            found = [_value(each, depth + 1) for _, each in fields_of(value) if isinstance(each, bytes)]
    return found
