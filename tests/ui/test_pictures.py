"""The pictures of the page in the documentation: made here, from generated runs, and so never older than what they show.

``RUNSTORE_TEST_PICTURES=renew`` puts those of today into ``docs/pictures``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runstore import open_reader
from runstore_ui import Options, make_app
from support.browser import Serve
from support.picture_store import fill_for_pictures, fill_with_seeds
from support.pictures import take

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    url = f"sqlite:///{tmp_path_factory.mktemp('pictures') / 'runs.db'}"
    fill_for_pictures(url)
    fill_with_seeds(url)
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url="postgresql://lab.example/runs"))


def test_the_picture_of_the_table(page: Any, serve: Serve, app: Any, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 1200, "height": 640})
    page.goto(
        f"{serve(app)}/?experiment=chest%20x-ray&order=metric.validation.auroc.max%20desc&unfolded=fedavg&run=run07&run=run05"
    )
    page.wait_for_selector("#compare.first")

    assert page.inner_text("#compare") == "Compare 2"
    assert page.get_attribute("tbody tr:first-child", "data-run") == "run07"
    take(page, "page-table.png", tmp_path)


def test_the_picture_of_a_run(page: Any, serve: Serve, app: Any, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 1200, "height": 640})
    page.goto(f"{serve(app)}/run?id=run05")
    for title in ("auroc", "loss"):
        page.wait_for_selector(f"figure[data-title={title}] .legend button")
    page.focus("figure[data-title=auroc] .plot")
    for _ in range(12):
        page.keyboard.press("ArrowRight")

    assert page.inner_text("figure[data-title=auroc] .reading").startswith("step 11: validation 0.9")
    take(page, "page-run.png", tmp_path)


def test_the_picture_of_a_comparison_of_seeds(page: Any, serve: Serve, app: Any, tmp_path: Path) -> None:
    runs = "&".join(f"run={model}-{seed}" for model in ("densenet121", "resnet18") for seed in range(1, 6))
    page.set_viewport_size({"width": 1200, "height": 800})
    page.goto(f"{serve(app)}/compare?{runs}&over=seed&single=yes")
    for title in ("auroc", "loss"):
        page.wait_for_selector(f'figure[data-title="{title}, validation"] .legend button')
    page.focus('figure[data-title="auroc, validation"] .plot')
    for _ in range(16):
        page.keyboard.press("ArrowRight")

    assert "(n 4)" in page.inner_text('figure[data-title="auroc, validation"] .reading')
    take(page, "page-seeds.png", tmp_path)
