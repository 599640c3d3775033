"""Files of views in Chromium, opened from a disk: they load nothing, run nothing that is not theirs, and need no script."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runstore import open_reader
from runstore_ui.saving import saved_view
from support.browser import plain_window, window
from support.page_stores import EXPERIMENT, HOSTILE
from support.saved_stores import fill_whole

pytestmark = pytest.mark.server

Opened = Callable[..., Any]

RUNS = {"run": ["whole"], "comparison": ["whole", "other"], "table": []}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of each kind, ``run.html``, ``comparison.html`` and ``table.html``, of hostile runs."""
    folder = tmp_path_factory.mktemp("saved")
    url = f"sqlite:///{folder / 'whole.db'}"
    fill_whole(url, folder)
    with open_reader(url) as reader:
        for name, runs in RUNS.items():
            (folder / f"{name}.html").write_text(saved_view(reader, runs), encoding="utf-8")
    return folder


@pytest.fixture
def look() -> Iterator[Opened]:
    """Opens a file in a window of its own; whatever it asks for but itself is an error of the test."""
    asked: list[str] = []
    with_dialogs: list[str] = []

    def opened(window_: Any, path: Path) -> Any:
        window_.on("request", lambda request: asked.append(request.url))
        window_.on("dialog", lambda dialog: [with_dialogs.append(dialog.message), dialog.dismiss()])  # type: ignore[func-returns-value]
        window_.goto(path.as_uri())
        return window_

    yield opened
    assert [url for url in asked if not url.startswith(("file:", "data:image/"))] == []
    assert len([url for url in asked if url.startswith("file:")]) == 1
    assert with_dialogs == []


@pytest.mark.parametrize("name", RUNS)
def test_a_file_asks_for_nothing_and_holds_one_script_whatever_runs_are_called(
    name: str, browser: Any, look: Opened, saved: Path
) -> None:
    with window(browser) as opened:
        look(opened, saved / f"{name}.html")

        scripts = opened.eval_on_selector_all("script", "all => all.map(it => it.closest('body') === it.parentNode)")
        handlers = opened.eval_on_selector_all(
            "*",
            "all => all.filter(it => [...it.attributes].some(one => /^(on|style$|href$|action$)/.test(one.name))).length",
        )

        assert scripts == [True]
        assert handlers == 0
        assert HOSTILE in opened.inner_text("main")


@pytest.mark.parametrize("name", RUNS)
def test_without_script_all_is_there(name: str, browser: Any, look: Opened, saved: Path) -> None:
    with window(browser, java_script_enabled=False) as without:
        plain = look(without, saved / f"{name}.html").inner_text("main")
    with window(browser) as opened:
        opened.goto((saved / f"{name}.html").as_uri())
        same = opened.inner_text("main")

    assert plain.split() == same.split()
    assert "whole" in plain


def test_the_policy_stops_a_script_that_somebody_brings_into_a_file(browser: Any, saved: Path) -> None:
    text = (saved / "run.html").read_text(encoding="utf-8")
    harmed = text.replace(
        "</main>", "<script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\"></main>"
    )
    (saved / "harmed.html").write_text(harmed, encoding="utf-8")

    with plain_window(browser) as opened:
        opened.goto((saved / "harmed.html").as_uri())
        title = opened.title()

    assert harmed != text
    assert "whole" in title


def test_a_chart_has_its_numbers_behind_a_fold_and_a_picture_is_drawn(browser: Any, look: Opened, saved: Path) -> None:
    with window(browser, java_script_enabled=False) as opened:
        look(opened, saved / "run.html")
        opened.locator("#charts figure", has_text="loss").locator("summary").click()

        cells = opened.locator("#charts figure", has_text="loss").locator("tbody tr:first-child td").all_inner_texts()
        box = opened.locator("#charts figure svg").first.bounding_box()
        picture = opened.locator("img").bounding_box()
        frame = opened.locator(".thumb").bounding_box()

    assert cells == ["validation", "0", "1.001"]
    assert box["width"] > 300
    assert 0 < picture["width"] <= frame["width"]
    assert picture["height"] <= frame["height"]
    assert frame["width"] - picture["width"] < 10


def test_a_click_on_a_head_sorts_the_table(browser: Any, look: Opened, lab_url: str, tmp_path: Path) -> None:
    with open_reader(lab_url) as reader:
        (tmp_path / "table.html").write_text(saved_view(reader, experiment=EXPERIMENT), encoding="utf-8")

    with window(browser) as opened:
        look(opened, tmp_path / "table.html")
        names = "all => all.map(it => it.innerText.trim())"
        opened.click("th:has-text('loss') >> nth=0 >> button")
        down = opened.eval_on_selector_all("tbody tr td:nth-child(6)", names)
        opened.click("th:has-text('loss') >> nth=0 >> button")
        up = opened.eval_on_selector_all("tbody tr td:nth-child(6)", names)
        told = opened.get_attribute("th:has-text('loss') >> nth=0", "aria-sort")

    numbers = [float(each) for each in up if each and "±" not in each]
    assert numbers == sorted(numbers)
    assert [float(each) for each in down if each and "±" not in each] == numbers[::-1]
    assert down[-2:] == up[-2:] == ["", ""]
    assert told == "ascending"


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}])
@pytest.mark.parametrize("name", RUNS)
def test_a_file_fits_a_phone_and_takes_the_readers_light_or_dark(
    name: str, options: dict[str, Any], browser: Any, saved: Path
) -> None:
    with window(browser, **options) as opened:
        opened.goto((saved / f"{name}.html").as_uri())
        ground = opened.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        wide = opened.evaluate("document.documentElement.scrollWidth > innerWidth")
        opened.emulate_media(media="print")
        printed = opened.evaluate("getComputedStyle(document.documentElement).backgroundColor")

    assert ground == ("rgb(22, 24, 27)" if options.get("color_scheme") else "rgb(255, 255, 255)")
    assert printed == "rgb(255, 255, 255)"
    assert not wide
