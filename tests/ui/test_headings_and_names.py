"""What a screen reader needs of each page: one heading, names for all that can be used, heads for all columns."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from runstore import open_reader
from runstore_ui import Options, make_app
from support.asgi import ask
from support.whole_store import fill_with_everything

PAGES = (
    "/",
    "/?experiment=chest%20x-ray&unfolded=fedavg",
    "/?filter=status%20%3D%20%27done%27",
    "/columns?experiment=chest%20x-ray",
    "/compare?run=run01&run=run02",
    "/deleted",
    "/spread?experiment=chest%20x-ray",
    "/run?id=run01",
    "/run?id=failed",
    "/run?id=nobody",
    "/evaluation?run=judged",
    "/evaluation?run=other",
    "/rounds?run=federation",
    "/rounds?run=other",
)


class Page(HTMLParser):
    """What of a page has no name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings = 0
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.in_label = 0
        self.fields: list[tuple[bool, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.headings += tag == "h1"
        self.in_label += tag == "label"
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "label" and found.get("for"):
            self.labelled.add(str(found["for"]))
        if tag in {"input", "select", "textarea"} and found.get("type") not in {"hidden", "submit"}:
            self.fields.append((self.in_label > 0 or bool(found.get("aria-label")), found))

    def handle_endtag(self, tag: str) -> None:
        self.in_label -= tag == "label"

    @property
    def nameless(self) -> list[dict[str, str | None]]:
        return [found for named, found in self.fields if not named and found.get("id") not in self.labelled]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page, with the right to change, over a store that has everything."""
    folder = tmp_path_factory.mktemp("whole")
    url = f"sqlite:///{folder / 'whole.db'}"
    fill_with_everything(url, folder)
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url))


@pytest.mark.parametrize("address", PAGES)
def test_each_page_has_one_heading_and_names_for_all_that_can_be_used(whole: Any, address: str) -> None:
    text = ask(whole, address).text

    page = Page(text)
    assert page.headings == 1
    assert page.nameless == []
    assert [each for each in set(page.ids) if page.ids.count(each) > 1] == []
    assert re.findall(r"<th[^>]*>\s*</th>", text) == []
