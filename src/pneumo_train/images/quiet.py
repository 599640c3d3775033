"""Decoders warn of damaged tags and broken rules that do not change a film; nobody needs to see that ten thousand times."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Leaves the warnings of decoders out while the block lasts, in all threads: not to be entered in several at once."""
    with warnings.catch_warnings():
        # What is wrong with a film is an error; what is refused for its size is named right after the warning.
        warnings.filterwarnings("ignore", module=r"(PIL|pydicom)\.")
        yield
