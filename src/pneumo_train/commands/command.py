"""What every command is made of."""

import dataclasses
from collections.abc import Callable
from typing import Any

from pneumo_train.options import Parser


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command.

    Attributes:
        name: what is typed.
        help: its line in the list of commands.
        parser: makes its options.
        run: does it with the options' values, and returns the exit status.
    """

    name: str
    help: str
    parser: Callable[[], Parser]
    run: Callable[[Any], int]
