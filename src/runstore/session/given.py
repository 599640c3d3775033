"""What a program gives a run, in the terms of a store."""

import sys
from collections.abc import Mapping
from typing import Any

from runstore.errors import InvalidValueError
from runstore.model import RunFailure, RunStatus
from runstore.training.session import ending_of
from runstore.values.checks import shown


def tag_texts(tags: object) -> dict[Any, Any]:
    """Tags with their numbers and truth values as texts; what else is no text is left to the check.

    Raises:
        InvalidValueError: this is no mapping.
    """
    if not isinstance(tags, Mapping):
        raise InvalidValueError(
            f"tags is {shown(tags)} of type {type(tags).__name__}; give a mapping, such as {{'owner': 'me'}}"
        )
    return {key: str(value) if isinstance(value, (bool, int, float)) else value for key, value in tags.items()}


def check_config(config: object) -> None:
    """Refuses what has no named settings.

    Raises:
        InvalidValueError: this is a text, a number or a list.
    """
    if isinstance(config, (str, bytes, int, float, complex, list, tuple, set, frozenset)):
        raise InvalidValueError(
            f"config is {shown(config)} of type {type(config).__name__}; give settings by name: a mapping such as "
            "{'lr': 0.001}, a namespace, a dataclass or a model"
        )


def status_of(error: BaseException | None) -> RunStatus:
    """How a run ends whose block was left by this: as for any training, and a cancelled task was told to stop, too."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and isinstance(error, asyncio.CancelledError):
        return RunStatus.INTERRUPTED
    return ending_of(error)


def reason_of(error: object) -> BaseException | RunFailure | None:
    """Why a run ends, of an exception or of a text.

    Raises:
        InvalidValueError: it is neither.
    """
    if isinstance(error, str):
        return RunFailure(type="Error", message=error, traceback="")
    if error is None or isinstance(error, (BaseException, RunFailure)):
        return error
    raise InvalidValueError(
        f"error is {shown(error)} of type {type(error).__name__}; give an exception, or a text such as 'the loss is nan'"
    )
