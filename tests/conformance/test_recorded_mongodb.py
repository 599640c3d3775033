"""The contract on the durable recorder around a MongoDB replica set."""

from collections.abc import Iterator

import pytest

from conformance.mongo_harness import MongoHarness
from conformance.recorded import Recorded
from runstore.testing import RunStoreConformance
from support import session
from support.servers import MongoDB

pytestmark = pytest.mark.server


class RecordedMongoHarness(Recorded, MongoHarness):
    """A database of the replica set, behind journals."""


@pytest.fixture(scope="module")
def harness(request: pytest.FixtureRequest) -> Iterator[RecordedMongoHarness]:
    server = session.server_or_skip("mongodb-replica", request)
    assert isinstance(server, MongoDB)
    with RecordedMongoHarness(server) as harness:
        yield harness


class TestRecordedMongoDB(RunStoreConformance):
    backend = "recorded mongodb"
