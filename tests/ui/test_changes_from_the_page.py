"""Changes from the page: who may make them, and that they are made."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from runstore import Store, open_store
from runstore_ui import Options, make_app
from support.asgi import Answer, ask
from support.browser import Serve
from support.page_stores import fill


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    fill(url)
    with open_store(url, durable=False) as opened:
        yield opened


@pytest.fixture
def app(store: Store) -> Any:
    return make_app(store, Options(shown_url="", write_token="may"), open_editor=lambda: store)


def cookie(app: Any) -> str:
    return ask(app, "/?token=may").headers["set-cookie"].partition(";")[0]


def post(app: Any, *fields: tuple[str, str], address: str = "/change", **headers: str) -> Answer:
    given = {"cookie": cookie(app), "content-type": "application/x-www-form-urlencoded"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(app, address, method="POST", body=urlencode(fields).encode(), headers=given | named)


def test_who_has_the_token_changes_runs(app: Any, store: Store) -> None:
    both = ("run", "run01"), ("run", "run02")
    for fields in (
        [("do", "tag"), ("tag_text", "paper = yes")],
        [("do", "note"), ("note_text", "look")],
        [("do", "archive")],
    ):
        answer = post(app, *fields, *both, address="/change?experiment=chest%20x-ray&run=run01")
        assert (answer.status, answer.headers["location"]) == (303, "./?experiment=chest%20x-ray")

    found = [store.get_run(each) for each in ("run01", "run02")]
    assert [(run.tags, run.note, run.archived_at is not None) for run in found] == [
        ({"paper": "yes"}, "look", True)
    ] * 2


def test_a_form_of_too_many_fields_is_told_so(app: Any) -> None:
    answer = post(app, ("do", "archive"), *[("run", "run01")] * 20_000)

    assert answer.status == 400
    assert "fewer runs" in answer.text
    assert post(app, ("do", "note"), ("note_text", "x" * 1_000_001)).status == 413


def test_without_the_token_nothing_is_changed_and_no_control_is_there(app: Any, store: Store) -> None:
    answer = post(app, ("do", "archive"), ("run", "run01"), cookie="")

    assert answer.status == 403
    assert "--write" in answer.text
    assert store.get_run("run01").archived_at is None
    assert "Archive" not in ask(app).text
    assert "Archive" in ask(app, headers={"cookie": cookie(app)}).text


@pytest.mark.parametrize(
    "headers", [{"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}, {"origin": "http://evil.example"}]
)
def test_another_page_changes_nothing_even_in_a_browser_that_has_the_token(
    app: Any, store: Store, headers: dict[str, str]
) -> None:
    answer = post(app, ("do", "archive"), ("run", "run01"), **headers)

    assert answer.status == 403
    assert store.get_run("run01").archived_at is None


def test_to_delete_is_asked_about_first_and_can_be_undone(app: Any, store: Store) -> None:
    asked = post(app, ("do", "delete"), ("run", "run01"))
    there = store.get_run("run01")
    done = post(app, ("do", "delete"), ("run", "run01"), ("sure", "yes"))
    deleted = ask(app, "/deleted").text
    back = post(app, ("do", "restore"), ("run", "run01"), ("back", "deleted"))

    assert (asked.status, done.status, back.status) == (200, 303, 303)
    assert "Delete 1 run?" in asked.text
    assert (there.name or "") in deleted
    assert store.get_run("run01").name == there.name


def test_a_change_that_breaks_a_rule_is_told(app: Any) -> None:
    assert post(app, ("do", "tag"), ("run", "run01"), ("tag_text", "")).status == 400
    assert post(app, ("do", "tag"), ("tag_text", "a=b")).status == 400
    assert post(app, ("do", "explode"), ("run", "run01")).status == 400
    assert post(app, ("do", "tag"), ("run", "nobody"), ("tag_text", "a")).status == 404


@pytest.mark.server
def test_runs_are_tagged_in_the_browser(page: Any, serve: Serve, app: Any, store: Store) -> None:
    address = serve(app)
    page.goto(f"{address}/?token=may")
    page.check("#tick-run05")
    page.fill("input[name=tag_text]", "paper=yes")
    page.click("button:has-text('Tag')")
    page.wait_for_selector("#run-run05 .tag")

    assert "token" not in page.url
    assert store.get_run("run05").tags == {"paper": "yes"}
