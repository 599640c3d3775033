"""What they say who need the page, where it is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from runstore.errors import MissingDriverError

_LIBRARIES: Final = frozenset({"jinja2", "starlette", "uvicorn"})


@contextmanager
def importing_the_page() -> Iterator[None]:
    """A block that imports ``runstore_ui``.

    Raises:
        MissingDriverError: a library of the page is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _LIBRARIES:
            raise
        raise MissingDriverError(
            f'the page needs {error.name}, which is not installed; run: pip install "runstore[ui]"'
        ) from None
