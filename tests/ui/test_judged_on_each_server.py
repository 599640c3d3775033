"""Evaluations and rounds over each database: the same page as over SQLite."""

import re
from pathlib import Path
from typing import Any

import pytest

from runstore import open_reader
from runstore_ui import Options, make_app
from support.asgi import ask
from support.federated_stores import fill_with_rounds
from support.judged_stores import fill_with_predictions

pytestmark = pytest.mark.server

VIEWS = (
    "/evaluation?run=judged&threshold=0.6&only.split=test",
    "/evaluation?run=judged&file=predictions/kinds.csv.gz",
    "/evaluation?run=broken",
    "/rounds?run=fedavg&metric=loss",
)


def shown(url: str, folder: Path) -> list[Any]:
    """What the views answer, without what is another in each answer."""
    fill_with_predictions(url, folder)
    fill_with_rounds(url, rounds=6)
    with open_reader(url) as reader:
        app = make_app(reader, Options(shown_url=""))
        answers = [ask(app, view) for view in VIEWS]
    return [(each.status, re.sub(r'nonce="[^"]*"', "", each.text)) for each in answers]


@pytest.mark.parametrize("server", ["postgresql_url", "mariadb_url", "mongodb_url", "mongodb_replica_url"])
def test_what_is_judged_is_the_same_on_each_server(
    server: str, tmp_path: Path, sqlite_url: str, request: pytest.FixtureRequest
) -> None:
    found = shown(request.getfixturevalue(server), tmp_path)

    assert [status for status, _ in found] == [200, 200, 400, 200]
    assert found == shown(sqlite_url, tmp_path)
