"""The contract on a MongoDB replica set."""

from collections.abc import Iterator

import pytest

from conformance.mongo_harness import MongoHarness
from runstore.testing import RunStoreConformance
from support import session
from support.servers import MongoDB

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def harness(request: pytest.FixtureRequest) -> Iterator[MongoHarness]:
    server = session.server_or_skip("mongodb-replica", request)
    assert isinstance(server, MongoDB)
    with MongoHarness(server) as harness:
        yield harness


class TestMongoDBReplicaSet(RunStoreConformance):
    backend = "mongodb replica set"
