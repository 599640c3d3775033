"""The rounds of a federation, as they are without a browser and in one."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from runstore import open_reader
from runstore.memory.store import MemoryStore
from runstore.rounds import ClientRound, Round, media_of
from runstore_ui import Options, make_app
from runstore_ui.rounds import KeptRounds, rounds_sheet
from support.asgi import ask
from support.browser import Serve, window
from support.federated_stores import CLIENTS, fill_with_rounds, round_of
from support.page_stores import HOSTILE


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    url = f"sqlite:///{tmp_path_factory.mktemp('federation') / 'federation.db'}"
    fill_with_rounds(url)
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url))


def rows(text: str, table: str) -> list[list[str]]:
    body = text.partition(f'id="{table}"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in body.split("</tr>")]
    return [[unescape(re.sub(r"<[^>]*>", "", cell)) for cell in row] for row in cells if row]


def test_who_took_part_and_who_dropped_out_and_why_is_told(federation: Any) -> None:
    text = ask(federation, "/rounds?run=fedavg").text

    assert "24 rounds, 4 clients, 25 drop-outs" in text
    assert rows(text, "clients") == [
        ["st-anna", "24 of 24", "", "100", "1m00s", "completed"],
        ["charité", "24 of 24", "", "200", "1m30s", "completed"],
        ["lyon", "20 of 24", "4 late", "300", "2m00s", "completed"],
        [HOSTILE, "3 of 24", "20 away, 1 failed", "400", "2m30s", "away"],
    ]
    drops = rows(text, "drops")
    assert drops[0] == ["24", HOSTILE, "away", ""]
    assert ["20", "lyon", "late", "no answer within 600 s"] in drops
    assert drops[-1] == ["4", HOSTILE, "failed", f"CUDA out of memory on {HOSTILE}"]
    assert 'href="run?id=client0"' in text
    assert HOSTILE not in text


def test_the_page_of_a_run_with_rounds_leads_to_them(federation: Any) -> None:
    assert 'href="rounds?run=fedavg"' in ask(federation, "/run?id=fedavg").text


def test_twenty_rounds_stand_side_by_side_and_links_lead_to_the_others(federation: Any) -> None:
    newest = ask(federation, "/rounds?run=fedavg").text
    (earlier,) = re.findall(r'<a rel="prev" href="([^"]*)"', newest)
    before = ask(federation, f"/{unescape(earlier)}").text

    assert "rounds 5 to 24" in newest
    assert "rounds 1 to 4" in before
    assert 'rel="next"' in before
    assert 'rel="prev"' not in before


def test_cells_are_shaded_by_the_metric_of_the_address(federation: Any) -> None:
    text = ask(federation, "/rounds?run=fedavg&metric=loss&until=4").text

    loss = {each.client: each.metrics.get("loss") for each in round_of(1).clients}
    assert f"<title>st-anna, round 1: {loss['st-anna']:.6g}</title>" in text
    assert f"<title>{HOSTILE}, round 4: failed</title>" in unescape(text)
    assert "<figcaption>loss by round</figcaption>" in text


def test_a_figure_is_downloaded_as_svg_and_its_numbers_as_csv(federation: Any) -> None:
    picture = ask(federation, "/rounds.svg?run=fedavg&until=4")
    numbers = ask(federation, "/rounds.csv?run=fedavg&until=4")

    assert picture.headers["content-disposition"] == 'attachment; filename="rounds-clients.svg"'
    assert picture.text.count("<rect") == 16
    assert numbers.text.splitlines()[0] == "client,round 1,round 2,round 3,round 4"
    assert ask(federation, "/rounds.svg?run=lone").status == 404


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 400, "the address names no run"),
        ("run=nobody", 404, "nobody"),
        ("run=lone", 404, "has kept no rounds"),
        ("run=fedavg&until=-1", 400, "until is &#39;-1&#39;; give the number of a round"),
        ("run=fedavg&until=0", 200, "24 rounds"),
        ("run=fedavg&metric=other", 200, "auroc by round"),
    ],
)
def test_what_cannot_be_shown_is_said_with_what_helps(federation: Any, query: str, status: int, words: str) -> None:
    answer = ask(federation, f"/rounds?{query}")

    assert answer.status == status
    assert words in answer.text


def test_a_round_is_read_once_and_one_that_is_kept_again_is_read_again() -> None:
    kept = KeptRounds()
    with MemoryStore() as store:
        run_id = store.ensure_run(store.get_or_create_experiment("e"))
        media_of(round_of(1)).keep(store, run_id)
        (first,) = kept.of(store, run_id)
        media_of(round_of(2)).keep(store, run_id)
        again = kept.of(store, run_id)
        media_of(Round(number=1, clients=())).keep(store, run_id)
        changed = kept.of(store, run_id)

    assert again[0] is first
    assert [each.number for each in again] == [1, 2]
    assert changed[0].clients == ()


def test_of_very_many_rounds_the_last_are_kept() -> None:
    kept = KeptRounds(most_clients=10)
    with MemoryStore() as store:
        run_id = store.ensure_run(store.get_or_create_experiment("e"))
        for number in range(1, 6):
            media_of(round_of(number)).keep(store, run_id)
        first, second = kept.of(store, run_id), kept.of(store, run_id)

    assert first == second
    assert first[0] is not second[0]


def test_clients_that_told_no_metric_are_shown_by_what_became_of_them() -> None:
    clients = (ClientRound(client="a", status="completed"), ClientRound(client="b", status="refused"))

    sheet = rounds_sheet([Round(number=3, clients=clients)], metric=None, until=None)

    assert (sheet.metric, sheet.metrics, len(sheet.figures)) == (None, (), 1)
    assert sheet.figures[0].rows == (("a", "1"), ("b", "refused"))


def test_of_many_clients_some_are_drawn_and_it_is_told() -> None:
    clients = tuple(ClientRound(client=f"c{place:03}", status="away") for place in range(300))

    sheet = rounds_sheet([Round(number=1, clients=clients)], metric=None, until=None)

    assert len(sheet.figures[0].rows) == 60
    assert sheet.remarks == (
        "60 of 300 clients are drawn, 300 are in the table.",
        "200 of 300 drop-outs are listed.",
    )


@pytest.mark.server
def test_in_a_browser_the_figure_is_beside_its_numbers_and_nothing_is_asked_elsewhere(
    browser: Any, federation: Any, serve: Serve
) -> None:
    address = serve(federation)
    with window(browser) as page:
        page.goto(f"{address}/rounds?run=fedavg")
        page.click("#figure-1 summary")

        cells = page.eval_on_selector_all("#figure-1 tbody tr:nth-child(4) td", "all => all.map(it => it.innerText)")
        assert cells == [HOSTILE, *["away"] * 20]
        assert page.eval_on_selector_all("#figure-1 svg rect", "all => all.length") == 80
        page.click("a[rel=prev]")
        assert "until=4" in page.url
        assert page.inner_text("#clients tbody tr:first-child th") == CLIENTS[0]
