"""The page and Jupyter: behind jupyter-server-proxy, at the path that a hub gives, and in the cell of a notebook."""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runstore import Store, open_store
from runstore_ui import Options, make_app
from support.browser import Serve, plain_window
from support.distributions import built
from support.processes import end, free_ports, spawn, wait_until_ready
from support.tools import tool
from support.whole_store import VIEWS, fill_with_everything

pytestmark = [pytest.mark.server, pytest.mark.packaging]

TOKEN = "letmein"
BASE = "/user/me/"
"""Where a hub puts the server of a user."""


@dataclass(frozen=True, kw_only=True)
class Jupyter:
    """A running server, and the folder that it shows."""

    address: str
    folder: Path


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """JupyterLab with jupyter-server-proxy, and a kernel that has this checkout's wheel."""
    wheel = f"runstore[sql,ui] @ {built('runstore').wheel.as_uri()}"
    python = tool("jupyter", "jupyterlab==4.6.6", "jupyter-server-proxy==4.6.0", "ipykernel==7.4.0", wheel)
    folder = tmp_path_factory.mktemp("jupyter")
    (port,), home = free_ports(1), folder / "home"
    options = {"port": port, "port_retries": 0, "base_url": BASE, "root_dir": folder, "allow_root": True}
    words = [str(python), "-m", "jupyterlab", "--no-browser", f"--IdentityProvider.token={TOKEN}"]
    words += [f"--ServerApp.{name}={value}" for name, value in options.items()]
    places = {"HOME": str(home), "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "IPYTHONDIR": str(home / "ipython")}
    home.mkdir()
    pid = spawn(words, log=folder / "log", env=places)
    try:
        running = home / "runtime"
        wait_until_ready(lambda: any(running.glob("jpserver-*.json")), pids=[pid], log=folder / "log")
        yield Jupyter(address=f"http://localhost:{port}{BASE}", folder=folder)
    finally:
        end([pid], signal.SIGTERM)


@pytest.fixture
def changeable(tmp_path: Path) -> Iterator[tuple[Any, Store]]:
    """The page over a store that has everything, with the right to change it; and the store."""
    url = f"sqlite:///{tmp_path / 'whole.db'}"
    fill_with_everything(url, tmp_path)
    with open_store(url, durable=False) as store:
        yield make_app(store, Options(shown_url=url, write_token="may"), open_editor=lambda: store), store


def test_behind_jupyter_server_proxy_each_view_works_is_refreshed_and_changes_are_made(
    browser: Any, serve: Serve, jupyter: Jupyter, changeable: tuple[Any, Store]
) -> None:
    app, store = changeable
    below = f"{jupyter.address}proxy/{serve(app).rpartition(':')[2]}/"
    with plain_window(browser) as window:
        missed: list[str] = []
        window.on("response", lambda answer: missed.append(answer.url) if answer.status >= 400 else None)
        window.goto(f"{jupyter.address}api?token={TOKEN}")
        window.goto(f"{below}?token=may")
        for name in ("table", "columns", "run", "comparison", "rows", "evaluation", "rounds", "spread", "deleted runs"):
            window.goto(below + VIEWS[name])
            for chart in window.locator("figure.chart").all()[:1]:
                chart.locator(".drawn:has-text(' points')").wait_for()
        window.goto(below)
        window.check("#tick-run05")
        store.set_tags("run06", {"new": "since then"})
        window.evaluate("window.runstore.refresh()")
        window.wait_for_selector("#run-run06 .tag:has-text('since then')")
        window.fill("input[name=tag_text]", "below=yes")
        window.click("button:has-text('Tag')")
        window.wait_for_selector("#run-run05 .tag:has-text('below: yes')")
        with window.expect_download() as download:
            window.evaluate("document.querySelector('a[href^=\"runs.csv\"]').click()")
        cookies = {each["path"] for each in window.context.cookies() if each["name"].startswith("runstore")}

    assert missed == []
    assert store.get_run("run05").tags == {"below": "yes"}
    assert download.value.suggested_filename.endswith(".csv")
    assert cookies == {f"{BASE}{below.removeprefix(jupyter.address).rstrip('/')}"}


def test_a_cell_of_jupyterlab_shows_the_page(browser: Any, jupyter: Jupyter, lab_url: str) -> None:
    source = f"import runstore\nrunstore.ui({lab_url!r})"
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": "one",
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": [cell]}
    (jupyter.folder / "runs.ipynb").write_text(json.dumps(book))

    with plain_window(browser) as window:
        window.goto(f"{jupyter.address}lab/tree/runs.ipynb?token={TOKEN}")
        window.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
        window.keyboard.press("Shift+Enter")
        frame = window.frame_locator("iframe[title=runstore]")
        frame.locator("tr[data-run]").first.wait_for()
        frame.locator("#run-run03 .name a").click()
        frame.locator("figure.chart .drawn:has-text('points')").first.wait_for()
        title = frame.locator("h1").inner_text()

    assert "resnet" in title or "effnet" in title
