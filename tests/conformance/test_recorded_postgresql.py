"""The contract on the durable recorder around PostgreSQL."""

from collections.abc import Iterator

import pytest

from conformance.recorded import Recorded
from conformance.sql_harness import ServerHarness
from runstore.testing import RunStoreConformance
from support import session

pytestmark = pytest.mark.server


class RecordedServerHarness(Recorded, ServerHarness):
    """A database of the server, behind journals."""


@pytest.fixture(scope="module")
def harness(request: pytest.FixtureRequest) -> Iterator[RecordedServerHarness]:
    with RecordedServerHarness(session.server_or_skip("postgresql", request)) as harness:
        yield harness


class TestRecordedPostgreSQL(RunStoreConformance):
    backend = "recorded postgresql"
