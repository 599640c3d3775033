"""Errors without the lines of our own code: the message says it all, and a screen of our calls would hide it."""

from typing import TypeVar

_Error = TypeVar("_Error", bound=BaseException)


def without_frames(error: _Error) -> _Error:
    """The same error, so that Python prints it by its message alone, and what the system said that led to it, too.

    The lines of a driver or of a plugin stay: they show where it failed. So do those of an error that the caller was
    handling, which is the error's context and no cause of it.
    """
    error.__traceback__ = None
    cause = error.__cause__
    while isinstance(cause, OSError):
        cause.__traceback__ = None
        cause = cause.__cause__
    return error
