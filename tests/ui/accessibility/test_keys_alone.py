"""The page without a mouse: each thing that can be used is reached by tab, seen when it is reached, and left again."""

from typing import Any

import pytest

from support.browser import Serve

pytestmark = pytest.mark.server

MOST = 200
"""So many times tab is pressed at most until something is reached."""


def tab_to(window: Any, selector: str) -> None:
    """Presses tab until something is reached; all that is passed must show that it has the focus."""
    for _ in range(MOST):
        window.keyboard.press("Tab")
        here, outline = window.evaluate(
            "(wanted) => { const here = document.activeElement; return [here.matches(wanted), getComputedStyle(here).outlineStyle]; }",
            selector,
        )
        assert outline != "none" or window.evaluate("document.activeElement === document.body"), window.evaluate(
            "document.activeElement.outerHTML"
        )
        if here:
            return
    pytest.fail(f"tab does not reach {selector}")


def test_from_the_table_to_a_download_by_keys_alone(page: Any, serve: Serve, whole_app: Any) -> None:
    address = serve(whole_app)
    page.goto(f"{address}/?experiment=chest%20x-ray&column=name&column=metric.validation.auroc.max&order=name")
    page.keyboard.press("/")
    page.keyboard.type("name = 'resnet34 lr 0.0003' or name = 'resnet34 lr 0.001'")
    page.keyboard.press("Enter")
    page.wait_for_url("**filter=*")
    for key in ("j", "Space", "j", "Space", "c"):
        page.keyboard.press(key)
    page.wait_for_url("**/compare?*")

    tab_to(page, ".plot")
    page.wait_for_selector("figure.chart .drawn:not(:empty)")
    page.keyboard.press("End")
    page.wait_for_selector("figure.chart .reading:has-text('step 19: ')")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("figure.chart .reading:has-text('step 18: ')")

    tab_to(page, "th a[href='run?id=run01']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/run?id=run01*")
    tab_to(page, "#artifacts a[href$='a.csv']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/artifact?**")
    tab_to(page, "a[download]")
    with page.expect_download() as download:
        page.keyboard.press("Enter")

    assert download.value.suggested_filename == "a.csv"


def test_tab_leaves_the_filter_though_it_offers_something(page: Any, serve: Serve, app: Any) -> None:
    page.goto(f"{serve(app)}/")
    page.focus("#filter")
    page.wait_for_selector("#offers li")
    page.keyboard.press("Tab")

    assert page.input_value("#filter") == ""
    assert page.evaluate("document.activeElement.textContent") == "Filter"


def test_the_first_tab_leads_to_the_content(page: Any, serve: Serve, app: Any) -> None:
    page.goto(f"{serve(app)}/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "filter"
