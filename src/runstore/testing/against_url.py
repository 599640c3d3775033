"""What ``runstore conformance`` has pytest run: the contract on the server that ``RUNSTORE_CONFORMANCE_URL`` names."""

import os
from collections.abc import Iterator
from typing import Final

import pytest

from runstore.testing import RunStoreConformance
from runstore.testing.scratch import ScratchHarness

URL: Final = "RUNSTORE_CONFORMANCE_URL"
NAME: Final = "RUNSTORE_CONFORMANCE_NAME"


@pytest.fixture(scope="module")
def harness() -> Iterator[ScratchHarness]:
    """A place on that server."""
    with ScratchHarness(os.environ[URL]) as harness:
        yield harness


class TestOfUrl(RunStoreConformance):
    """The backend of that URL, under the name that the report gives it."""

    backend = os.environ.get(NAME, "url")
