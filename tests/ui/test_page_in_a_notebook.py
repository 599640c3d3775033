"""``runstore.ui()``: the page in the cell of a notebook."""

import re
import urllib.error
import urllib.request
from contextlib import closing
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

import runstore
from support.browser import Serve, plain_window


def test_a_cell_shows_the_page_until_it_is_closed(lab_url: str) -> None:
    shown = runstore.ui(lab_url, height=300)
    with urllib.request.urlopen(shown.address) as answer:
        text = answer.read().decode()
    shown.close()
    shown.close()

    assert "resnet18 lr 0.001" in text
    assert f'<iframe src="{shown.address}"' in shown._repr_html_()
    assert repr(shown) == f"ShownPage('{shown.address}')"
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(shown.address)


def test_an_open_reader_stays_open(lab: runstore.RunReader) -> None:
    shown = runstore.ui(lab)
    with urllib.request.urlopen(f"{shown.address}?experiment=ct%20seg") as answer:
        count = len(re.findall(r'<tr id="run-', answer.read().decode()))
    shown.close()

    assert count == 1
    assert lab.count_runs() > 10


def test_a_store_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(runstore.RunStoreError):
        runstore.ui("sqlite:////nowhere/none.db")


@pytest.mark.server
def test_a_page_of_this_machine_shows_it_in_a_frame(browser: Any, serve: Serve, lab_url: str) -> None:
    shown = runstore.ui(lab_url)
    notebook = Starlette(routes=[Route("/", lambda _: HTMLResponse(f"<p>a cell</p>{shown._repr_html_()}"))])
    with closing(shown), plain_window(browser) as window:
        window.goto(serve(notebook))

        frame = window.frame_locator("iframe")
        frame.locator("tr[data-run]").first.wait_for()
        assert frame.locator("#filter").count() == 1
