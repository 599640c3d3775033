"""The contract on MariaDB."""

from collections.abc import Iterator

import pytest

from conformance.sql_harness import ServerHarness
from runstore.testing import RunStoreConformance
from support import session

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def harness(request: pytest.FixtureRequest) -> Iterator[ServerHarness]:
    server = session.server_or_skip("mariadb", request)
    with ServerHarness(server) as harness:
        yield harness


class TestMariaDB(RunStoreConformance):
    backend = "mariadb"
