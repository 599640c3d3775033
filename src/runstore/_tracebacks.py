"""Errors without the lines of our own code: the message says it all, and a screen of our calls would hide it."""

from typing import TypeVar

_Error = TypeVar("_Error", bound=BaseException)


def without_frames(error: _Error) -> _Error:
    """The same error, so that Python prints it, and every error it came from, by its message alone."""
    cause: BaseException | None = error
    while cause is not None and cause.__traceback__ is not None:
        cause.__traceback__ = None
        cause = cause.__cause__ or cause.__context__
    return error
