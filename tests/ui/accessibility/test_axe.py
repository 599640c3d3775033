"""What axe-core finds in each view: on light and dark ground, on a screen and on a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from runstore import open_reader, open_store
from runstore_ui import Options, make_app
from support.asgi import ask
from support.browser import Serve, plain_window
from support.whole_store import VIEWS

pytestmark = pytest.mark.server

PHONE = {"width": 360, "height": 800}
SCREEN = {"width": 1200, "height": 800}
COLOURS = ("color-contrast", "link-in-text-block")
LOOKS: Final[tuple[tuple[str, dict[str, int], Literal["light", "dark"], dict[str, Any]], ...]] = (
    # Each rule once; which colours there are is no matter of the width, and all else is no matter of the ground.
    ("on a screen", SCREEN, "light", {}),
    ("on dark ground", SCREEN, "dark", {"runOnly": {"type": "rule", "values": COLOURS}}),
    ("on a phone", PHONE, "light", {"rules": {name: {"enabled": False} for name in COLOURS}}),
)


# Rows are alike: the first ones of each table are looked at, for axe-core takes its time over each cell.
UNFOLD = """() => {
  for (const each of document.querySelectorAll("details")) each.open = true;
  for (const each of document.querySelectorAll("tbody tr:nth-child(n+9)")) each.remove();
}"""


def found(window: Any) -> list[str]:
    """What axe-core finds in what a window shows, with everything unfolded."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - it reads half a megabyte, and few tests need it

    axe, told = Axe(), []
    window.evaluate(UNFOLD)
    for name, size, ground, rules in LOOKS:
        window.set_viewport_size(size)
        window.emulate_media(color_scheme=ground)
        results = axe.run(window, options={"resultTypes": ["violations"], **rules})
        if results.violations_count:
            told.append(f"{name}: {results.generate_report()}")
    window.set_viewport_size(SCREEN)
    window.emulate_media(color_scheme="light")
    return told


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_in_a_view(looking: Any, whole: str, view: str) -> None:
    looking.goto(whole + VIEWS[view])
    for chart in looking.locator("figure.chart").all():
        chart.scroll_into_view_if_needed()
        chart.locator(".drawn:not(:empty)").wait_for()

    assert found(looking) == []


def test_axe_finds_nothing_where_one_is_asked_before_a_run_is_deleted(looking: Any, whole: str) -> None:
    looking.goto(whole)
    looking.check("#tick-run05")
    looking.click("button:has-text('Delete')")
    looking.wait_for_selector("h1:has-text('Delete 1 run?')")

    assert found(looking) == []


def test_axe_finds_nothing_in_what_the_filter_offers(looking: Any, whole: str) -> None:
    looking.goto(whole)
    looking.focus("#filter")
    looking.keyboard.type("status = 'fa")
    looking.wait_for_selector("#offers li")
    looking.keyboard.press("ArrowDown")

    assert found(looking) == []


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Any]:
    """A page that asks for a token, over a store without runs."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    open_store(url, durable=False).close()
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url, token="look"))


def test_axe_finds_nothing_before_the_first_run_and_on_the_pages_of_who_is_refused(
    browser: Any, serve: Serve, guarded: Any
) -> None:
    address = serve(guarded)
    with plain_window(browser) as window:
        window.goto(f"{address}/")
        said = {"no token": found(window)}
        window.goto(f"{address}/?token=look")
        said["first run"] = found(window)
    cookie = {"cookie": ask(guarded, "/?token=look").headers["set-cookie"].partition(";")[0]}
    for name, refused in (
        ("name of a stranger", ask(guarded, headers={"host": "evil.example"})),
        ("change", ask(guarded, "/change", method="POST", headers=cookie)),
    ):
        assert refused.status == 403
        with plain_window(browser) as window:
            window.set_content(refused.text)
            said[name] = found(window)

    assert [each for each in said.values() if each] == []


@pytest.mark.parametrize(
    "address",
    [
        "run.html?id=run01",
        "run.html?id=judged",
        "run.html?id=federation",
        "compare.html?run=run01&run=run02",
        "runs.html",
    ],
)
def test_axe_finds_nothing_in_a_view_that_is_kept_as_a_file(
    browser: Any, whole_app: Any, tmp_path: Path, address: str
) -> None:
    kept = tmp_path / "view.html"
    kept.write_bytes(ask(whole_app, f"/{address}").body)
    with plain_window(browser) as window:
        window.goto(kept.as_uri())
        told = found(window)
        window.set_viewport_size(PHONE)
        width = window.evaluate("document.documentElement.scrollWidth")

    assert told == []
    assert width == PHONE["width"]
