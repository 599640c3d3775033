"""Ctrl-C that a library has swallowed: the training that it was to end ends at the next batch."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytorch_lightning as pl


class StopWhenInterrupted(pl.Callback):
    """Notes each Ctrl-C, and raises it again where the training goes on all the same.

    Python raises ``KeyboardInterrupt`` wherever the program stands: also within code that a library calls from C and
    whose errors it drops, as where it asks whether an object has an attribute.
    """

    def __init__(self) -> None:
        self._was_pressed = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Notes Ctrl-C as long as the block lasts.

        Only Python's own handler is replaced, and in the main thread, which alone can: a program that has one of its own
        or ignores Ctrl-C goes on doing so, as does one that a shell has started in the background.
        """
        before = signal.getsignal(signal.SIGINT)
        is_ours = before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
        if is_ours:
            signal.signal(signal.SIGINT, self._press)
        try:
            yield
        finally:
            if is_ours and signal.getsignal(signal.SIGINT) == self._press:
                signal.signal(signal.SIGINT, before)

    def on_fit_start(self, *_: Any) -> None:
        """Looks whether Ctrl-C was pressed while films were read."""
        self._raise_if_pressed()

    def on_train_batch_start(self, *_: Any) -> None:
        """Looks before each batch."""
        self._raise_if_pressed()

    def on_validation_batch_start(self, *_: Any) -> None:
        """Looks before each batch of the validation."""
        self._raise_if_pressed()

    def _raise_if_pressed(self) -> None:
        if self._was_pressed:
            raise KeyboardInterrupt

    def _press(self, number: int, frame: FrameType | None) -> None:
        self._was_pressed = True
        signal.default_int_handler(number, frame)
