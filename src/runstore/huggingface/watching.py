"""How a training ended: a ``Trainer`` tells its callbacks of a good end only, so its ``train`` is listened to.

A callback is never given the trainer. While the trainer calls it, the trainer stands in the stack.
"""

import functools
import inspect
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import transformers


def listen(callback: Any, training: Callable[[], AbstractContextManager[object]]) -> bool:
    """Puts each call of ``train`` of the trainer that is calling a callback now into a block; whether it was found.

    Args:
        callback: the callback that is being called.
        training: gives the block.
    """
    trainer = _caller(callback)
    if trainer is None:
        return False
    train, known = type(trainer).train, weakref.ref(trainer)  # a reference would keep the model until a collection

    @functools.wraps(train)
    def listened(*args: Any, **kwargs: Any) -> Any:
        with training():
            return train(known(), *args, **kwargs)

    trainer.train = listened
    return True


def _caller(callback: Any) -> Any:
    """The trainer whose callback is being called; ``None`` where something else calls it."""
    frame = inspect.currentframe()
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, transformers.Trainer):
            handler = getattr(owner, "callback_handler", None)
            if any(each is callback for each in getattr(handler, "callbacks", ())):
                return owner
        frame = frame.f_back
    return None
