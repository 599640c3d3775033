"""The table over each database: the same runs, in the same order, with the same values."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from runstore import open_reader
from runstore_ui import Options, make_app
from support.asgi import ask
from support.page_stores import fill

pytestmark = pytest.mark.server

VIEWS = (
    "/?experiment=chest%20x-ray&order=name",
    "/?experiment=chest%20x-ray&order=metric.validation.auroc.max%20desc&unfolded=fedavg",
    f"/?order=name&filter={quote('config.batch_size = 32 and metric.train.loss.min < 0.2')}",
    "/columns?experiment=chest%20x-ray&search=lo",
    "/runs.csv?order=name&column=name&column=metric.validation.auroc.max&column=config.optimizer.learning_rate",
)


def shown(url: str) -> list[Any]:
    """What views show, without times and addresses."""
    with open_reader(url) as reader:
        app = make_app(reader, Options(shown_url=""))
        answers = [ask(app, view) for view in VIEWS]
    assert [answer.status for answer in answers] == [200] * len(VIEWS)
    return [
        re.findall(
            r'id="run-[^"]+"|(?:data-head="[^"]*" )?class="[^"]*number[^"]*"[^>]*>[^\n]*|name="column" value="[^"]+"',
            answer.text,
        )
        if answer.text.startswith("<!doctype")
        else answer.text
        for answer in answers
    ]


@pytest.mark.parametrize("server", ["postgresql_url", "mariadb_url", "mongodb_url", "mongodb_replica_url"])
def test_the_table_is_the_same_on_each_server(server: str, lab_url: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(server)
    fill(url)

    found, expected = shown(url), shown(lab_url)

    # A duration is a matter of the machine; it has a hint in seconds.
    assert [_timeless(each) for each in found] == [_timeless(each) for each in expected]


def _timeless(view: Any) -> Any:
    return (
        view
        if isinstance(view, str)
        else [each for each in view if ' s">' not in each and 'data-head="took"' not in each]
    )
