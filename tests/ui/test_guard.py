"""Who is answered, and what a browser may do with the answer."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from runstore import RunReader
from runstore_ui import Options, make_app
from support.asgi import ask


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8420", "localhost.", "127.0.0.1:8420", "127.8.9.1", "[::1]:8420", "a.localhost"],
)
def test_names_of_this_machine_are_answered(app: Any, host: str) -> None:
    assert ask(app, headers={"host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[::1]evil.example",
        "localhost:80@evil.example",
        "localhost, evil.example",
        "evil.example:localhost",
        "2130706433",
        "0.0.0.0",
        "10.0.0.5:8420",
        "",
    ],
)
def test_other_names_are_refused_and_told_which_option_allows_them(app: Any, host: str) -> None:
    answer = ask(app, headers={"host": host})

    assert answer.status == 403
    assert "--allow-host" in answer.text


def test_a_hosts_name_that_is_markup_is_shown_as_text(app: Any) -> None:
    assert "<script>" not in ask(app, headers={"host": "<script>alert(1)</script>"}).text


def test_a_name_that_does_harm_in_a_terminal_stands_in_no_command(app: Any) -> None:
    assert "--allow-host NAME<" in ask(app, headers={"host": "$(reboot)"}).text
    assert "--allow-host lab.example<" in ask(app, headers={"host": "lab.example:80"}).text


def test_addresses_in_numbers_are_answered_where_a_token_is_asked_for(lab: RunReader) -> None:
    app = make_app(lab, Options(shown_url="", token="secret"))

    assert ask(app, "/?token=secret", headers={"host": "10.0.0.5:8420"}).status == 303
    assert ask(app, "/?token=secret", headers={"host": "[fd00::5]:8420"}).status == 303
    assert ask(app, "/?token=secret", headers={"host": "evil.example"}).status == 403


@pytest.mark.parametrize(
    ("fetched", "status"),
    [
        ({"site": "cross-site", "mode": "no-cors", "dest": "image"}, 403),
        ({"site": "same-site", "mode": "cors", "dest": "empty"}, 403),
        ({"site": "cross-site", "mode": "navigate", "dest": "object"}, 403),
        ({"site": "cross-site", "mode": "navigate", "dest": "document"}, 200),
        ({"site": "same-site", "mode": "navigate", "dest": "iframe"}, 200),
        ({"site": "same-origin", "mode": "cors", "dest": "empty"}, 200),
        ({"site": "none", "mode": "navigate", "dest": "document"}, 200),
    ],
)
def test_other_sites_may_lead_here_and_load_nothing(app: Any, fetched: dict[str, str], status: int) -> None:
    headers = {f"sec-fetch-{name}": value for name, value in fetched.items()}

    assert ask(app, "/complete?text=a", headers=headers).status == status


def test_a_name_that_is_allowed_is_answered(lab: RunReader) -> None:
    app = make_app(lab, Options(shown_url="", hosts=("Lab.example:443",)))

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
    _, *flags = (each.strip().lower() for each in entered.headers["set-cookie"].split(";"))
    assert sorted(flags) == ["httponly", "samesite=lax"], "a cookie of this session, for addresses below this one alone"


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
