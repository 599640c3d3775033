"""Who is answered, and what a browser may do with the answer."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from runstore import RunReader
from runstore_ui import Options, make_app
from support.asgi import ask


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8420", "127.0.0.1:8420", "127.8.9.1", "[::1]:8420", "a.localhost"]
)
def test_names_of_this_machine_are_answered(app: Any, host: str) -> None:
    assert ask(app, headers={"host": host}).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.5:8420", ""]
)
def test_other_names_are_refused_and_told_which_option_allows_them(app: Any, host: str) -> None:
    answer = ask(app, headers={"host": host})

    assert answer.status == 403
    assert "--allow-host" in answer.text


def test_a_hosts_name_that_is_markup_is_shown_as_text(app: Any) -> None:
    assert "<script>" not in ask(app, headers={"host": "<script>alert(1)</script>"}).text


def test_a_name_that_is_allowed_is_answered(lab: RunReader) -> None:
    app = make_app(lab, Options(shown_url="", hosts=("Lab.example",)))

    assert ask(app, headers={"host": "lab.example:443"}).status == 200


def test_nothing_is_allowed_that_the_page_does_not_bring(app: Any) -> None:
    answer = ask(app)

    policy = answer.headers["content-security-policy"]
    nonces = set(re.findall(r'nonce="([^"]+)"', answer.text))
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert nonces == set(re.findall(r"'nonce-([^']+)'", policy))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ask(app).headers["content-security-policy"] != policy, "a nonce is used once"


def test_no_script_stands_in_a_page_and_no_style_in_an_element(app: Any) -> None:
    text = ask(app).text

    assert re.findall(r"<script[^>]*>[^<]+", text) == []
    assert re.findall(r"\s(?:style|on\w+)=", text) == []


def test_every_address_in_a_page_is_relative(app: Any) -> None:
    text = ask(app).text

    addresses = [urlsplit(each) for each in re.findall(r'(?:href|src|action)="([^"]*)"', text)]
    assert addresses
    assert [each for each in addresses if each.netloc or each.path.startswith("/") or ".." in each.path] == []
    assert {each.scheme for each in addresses} == {"", "data"}


def test_with_a_token_only_who_shows_it_is_answered(lab: RunReader) -> None:
    app = make_app(lab, Options(shown_url="", token="secret"))

    without = ask(app)
    wrong = ask(app, "/?token=other")
    entered = ask(app, "/?experiment=ct+seg&token=secret")
    after = ask(app, headers={"cookie": entered.headers["set-cookie"].partition(";")[0]})

    assert (without.status, wrong.status, entered.status, after.status) == (403, 403, 303, 200)
    assert entered.headers["location"] == "./?experiment=ct+seg"
    assert {"httponly", "samesite=lax"} <= {each.strip().lower() for each in entered.headers["set-cookie"].split(";")}


@pytest.mark.parametrize("path", ["/https:evil.example", "//evil.example", "/a/../evil.example", "/%0d%0aX:1"])
def test_a_token_in_an_address_leads_to_this_page_alone(app: Any, path: str) -> None:
    location = ask(app, f"{path}?token=any").headers["location"]

    assert location.startswith("./")
    assert urlsplit(location).netloc == ""


def test_an_asset_is_kept_by_the_browser_and_only_what_lies_there_is_one(app: Any) -> None:
    address = re.findall(r'href="(assets/page.css[^"]*)"', ask(app).text)[0]

    assert "immutable" in ask(app, f"/{address}").headers["cache-control"]
    assert ask(app, "/assets/..%2fsite.py").status == 404
    assert ask(app, "/assets/manifest.toml").status == 404
