"""Tags and the note of a run, edited where they stand."""

from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from runstore import Store, open_store
from runstore_ui import Options, make_app
from support.asgi import Answer, ask
from support.browser import Serve, plain_window
from support.held import Held
from support.page_stores import HOSTILE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'runs.db'}", durable=False) as opened:
        run = opened.ensure_run(opened.get_or_create_experiment("e"), run_id="r", tags={"paper": "yes", "owner": "me"})
        opened.set_note(run, "first\nsecond")
        opened.finalize(run, "completed")
        yield opened


@pytest.fixture
def app(store: Store) -> Any:
    return make_app(store, Options(shown_url="", write_token="may"), open_editor=lambda: store)


def post(app: Any, do: str, text: str, *seen: str) -> Answer:
    fields = [
        ("run", "r"),
        ("back", "run"),
        ("in_place", "yes"),
        ("do", do),
        ("text", text),
        *(("seen", each) for each in seen),
    ]
    cookie = ask(app, "/?token=may").headers["set-cookie"].partition(";")[0]
    given = {"cookie": cookie, "content-type": "application/x-www-form-urlencoded"}
    return ask(app, "/change?by=time", method="POST", body=urlencode(fields).encode(), headers=given)


def test_tags_and_the_note_are_changed_in_place_and_the_view_stays(app: Any, store: Store) -> None:
    answers = [
        post(app, "tag", "seed = 7", "paper=yes", "owner=me"),
        post(app, "tag", "paper=no", "paper=yes", "owner=me"),
        post(app, "untag", "owner", "owner=me"),
        post(app, "note", "first\r\nthird", "first\r\nsecond"),
    ]

    assert {(each.status, each.headers["location"]) for each in answers} == {(303, "run?id=r&by=time")}
    run = store.get_run("r")
    assert (run.tags, run.note) == ({"paper": "no", "seed": "7"}, "first\nthird")
    assert post(app, "note", "", "first\nthird").status == 303
    assert store.get_run("r").note is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("note", "mine", "of yesterday"), "it is now “first\nsecond”"),
        (("tag", "paper=mine", "paper=perhaps"), "it is now “yes”"),
        (("tag", "paper=mine", "owner=me"), "it is now “yes”"),
        (("tag", "seed=8", "seed=7"), "it is gone now"),
        (("untag", "paper", "paper=perhaps"), "it is now “yes”"),
    ],
)
def test_what_somebody_else_has_changed_meanwhile_is_told_and_neither_text_is_lost(
    app: Any, store: Store, change: tuple[str, str, str], said: str
) -> None:
    do, text, seen = change
    answer = post(app, do, text, seen)

    assert answer.status == 409
    assert said in unescape(answer.text)
    assert do == "untag" or text in unescape(answer.text).partition("edit")[2]
    assert (store.get_run("r").tags, store.get_run("r").note) == ({"paper": "yes", "owner": "me"}, "first\nsecond")


def test_what_two_people_write_alike_is_no_conflict(app: Any) -> None:
    assert post(app, "note", "first\r\nsecond", "").status == 303
    assert post(app, "tag", "paper=yes").status == 303
    assert post(app, "untag", "gone", "gone=1").status == 303


def test_a_tag_that_breaks_a_rule_is_told_with_what_was_written(app: Any) -> None:
    answer = post(app, "tag", f"{'k' * 300}={HOSTILE}")

    assert answer.status == 400
    assert HOSTILE in unescape(answer.text)
    assert HOSTILE not in answer.text


def test_who_may_only_look_sees_no_controls(app: Any) -> None:
    text = ask(app, "/run?id=r").text

    assert "“first\nsecond”" in text
    assert "data-in-place" not in text


@pytest.mark.server
def test_tags_and_the_note_are_edited_in_place_in_the_browser(
    browser: Any, serve: Serve, app: Any, store: Store
) -> None:
    with plain_window(browser) as page:
        complaints: list[str] = []
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        address = serve(app)
        page.goto(f"{address}/?token=may")
        page.goto(f"{address}/run?id=r&by=time")
        page.evaluate("window.same = true")
        page.click("#add-tag summary")
        page.fill("#add-tag input[name=text]", "seed=7")
        page.keyboard.press("Enter")
        page.wait_for_selector(".tag:has-text('seed: 7')")
        page.click("[aria-label='remove tag owner']")
        page.wait_for_selector(".tag:has-text('owner')", state="detached")
        assert store.get_run("r").tags == {"paper": "yes", "seed": "7"}

        page.click("#edit-note summary")
        page.fill("#edit-note textarea", "mine")
        store.set_note("r", "theirs")
        page.evaluate("window.runstore.refresh()")
        assert page.input_value("#edit-note textarea") == "mine", "nothing is changed under the hand"
        page.click("#edit-note button")
        page.wait_for_selector(".refused:has-text('theirs')")
        assert (page.input_value("#edit-note textarea"), store.get_run("r").note) == ("mine", "theirs")
        page.click("#edit-note button")
        page.wait_for_selector(".note:has-text('mine')")

        assert page.evaluate("window.same"), "the page was not loaded anew"
        assert store.get_run("r").note == "mine"
        assert page.locator(".edit[open]").count() == 0
        assert len(complaints) == 1, complaints
        assert "409" in complaints[0], "Chromium tells of each answer that refuses something"


@pytest.mark.server
def test_what_is_sent_twice_while_the_first_is_under_way_is_changed_once_and_is_not_told_to_have_failed(
    page: Any, serve: Serve, app: Any, store: Store
) -> None:
    held = Held(app)
    address = serve(held)
    page.goto(f"{address}/?token=may")
    page.goto(f"{address}/run?id=r")
    page.click("#edit-note summary")
    page.fill("#edit-note textarea", "mine")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)

    held.hold()
    page.click("#edit-note button")
    held.wait_for_a_request()
    page.click("#edit-note button")
    page.evaluate("new Promise((then) => setTimeout(then, 100))")
    told = page.locator(".refused").count()
    held.let_go()
    page.wait_for_selector(".note:has-text('mine')")

    assert told == 0
    assert page.locator(".refused").count() == 0
    assert len(asked) == 1
    assert store.get_run("r").note == "mine"


@pytest.mark.server
def test_tags_and_the_note_are_edited_without_script(browser: Any, serve: Serve, app: Any, store: Store) -> None:
    with plain_window(browser, java_script_enabled=False) as page:
        address = serve(app)
        page.goto(f"{address}/?token=may")
        page.goto(f"{address}/run?id=r")
        page.click("#edit-note summary")
        page.fill("#edit-note textarea", "mine\nof two lines")
        store.set_note("r", "theirs")
        page.click("#edit-note button")
        assert "theirs" in page.inner_text("[role=alert]")
        page.click("#edit-note button")
        page.wait_for_url("**/run?id=r")
        assert store.get_run("r").note == "mine\nof two lines"
