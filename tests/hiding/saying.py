"""What a process says: its log, its warnings, and its errors as they are printed."""

import io
import logging
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def everything_said() -> Iterator[io.StringIO]:
    """What is logged, by anybody and at every level, and what is warned of."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield said
        for each in warned:
            said.write(f"{each.message}\n")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def all_of(error: BaseException) -> str:
    """Everything that can be printed of an error and of all errors behind it, suppressed or not."""
    told = "".join(traceback.format_exception(error))
    behind: list[BaseException | None] = [error]
    seen: set[int] = set()
    while behind:
        each = behind.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        told += f"\n{each}\n{each!r}\n{each.args}"
        behind += [each.__cause__, each.__context__]
    return told
