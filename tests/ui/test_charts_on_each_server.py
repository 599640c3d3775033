"""Charts and files of runs over each database: the same points, the same bytes."""

from pathlib import Path
from typing import Any

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore_ui import Options, make_app
from support.asgi import ask
from support.page_stores import fill

pytestmark = pytest.mark.server

VIEWS = (
    "/chart.json?run=run00&metric=loss",
    "/chart.json?run=run00&run=client1&metric=auroc&dataset=validation&from=3&to=11",
    "/chart.json?run=run00&metric=loss&by=log",
    "/chart.json?group=g&run=run00&run=run01&run=run04&group=h&run=run02&run=client1&metric=auroc&dataset=validation",
    "/chart.svg?run=run00&metric=loss",
    "/chart.svg?run=run00&metric=loss&smooth=0.6&y=log",
    "/chart.json?run=run00&run=epochs&metric=loss&by=epoch&from=2&to=16&smooth=0.9",
)


def fill_with_epochs(url: str) -> None:
    """The runs of the page's tests, and one that tells its epochs."""
    fill(url)
    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="epochs")
        points = [
            MetricPoint(name, value, step, "other")
            for step in range(20)
            for name, value in (("epoch", step // 4), ("loss", 1 / (1 + step)))
        ]
        store.log_metrics(run, points)
        store.finalize(run, "completed")


def drawn(url: str) -> list[Any]:
    with open_reader(url) as reader:
        app = make_app(reader, Options(shown_url=""))
        return [ask(app, view).text for view in VIEWS]


@pytest.mark.parametrize("server", ["postgresql_url", "mariadb_url", "mongodb_url"])
def test_charts_and_files_are_the_same_on_each_server(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue(server)
    here = f"sqlite:///{tmp_path / 'here.db'}"
    for each in (url, here):
        fill_with_epochs(each)
    kept = tmp_path / "kept.bin"
    kept.write_bytes(bytes(range(256)) * 4000)
    with open_store(url, durable=False) as store:
        store.log_artifact("run00", kept, name="a/weights.bin")
    with open_reader(url) as reader:
        app = make_app(reader, Options(shown_url=""))
        sent = ask(app, "/file?id=run00&name=a/weights.bin", headers={"range": "bytes=500000-700000"})
        text = ask(app, "/run?id=run00").text

    assert drawn(url) == drawn(here)
    assert (sent.status, sent.body) == (206, kept.read_bytes()[500_000:700_001])
    assert 'href="artifact?id=run00&amp;name=a/weights.bin"' in text
