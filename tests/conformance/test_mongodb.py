"""The contract on a standalone MongoDB, which has no transactions."""

from collections.abc import Iterator

import pytest

from conformance.mongo_harness import MongoHarness
from runstore.testing import RunStoreConformance
from support import session
from support.servers import MongoDB

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def harness(request: pytest.FixtureRequest) -> Iterator[MongoHarness]:
    server = session.server_or_skip("mongodb", request)
    assert isinstance(server, MongoDB)
    with MongoHarness(server) as harness:
        yield harness


class TestMongoDB(RunStoreConformance):
    backend = "mongodb standalone"
