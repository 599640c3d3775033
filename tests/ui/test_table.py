"""The table of runs, as it is without a browser."""

import re
from typing import Any

from support.asgi import ask
from support.page_stores import HOSTILE


def rows(text: str) -> list[str]:
    return re.findall(r'<tr id="run-([^"]+)"', text)


def test_the_newest_runs_stand_first_and_children_are_folded(app: Any) -> None:
    found = rows(ask(app).text)

    assert found[:3] == ["other", "running", "failed"]
    assert "fedavg" in found
    assert "client0" not in found


def test_an_unfolded_run_has_its_children_below_it(app: Any) -> None:
    found = rows(ask(app, "/?unfolded=fedavg").text)

    at = found.index("fedavg")
    assert found[at + 1 : at + 4] == ["client0", "client1", "client2"]


def test_a_filter_an_order_and_an_experiment_stand_in_the_address(app: Any) -> None:
    text = ask(
        app,
        "/?experiment=chest%20x-ray&filter=metric.validation.auroc.max%20%3E%200.94"
        "&order=metric.validation.auroc.max%20desc&column=name&column=metric.validation.auroc.max&column=config.batch_size",
    ).text

    assert rows(text) == ["client2", "run11", "client1", "run10"]
    assert re.findall(r"<small>([^<]+)</small>", text) == ["validation, best", "setting"]


def test_a_filter_that_cannot_be_read_is_shown_with_a_caret_below_the_place(app: Any) -> None:
    answer = ask(app, "/?filter=status%20%3D%20%27done%27")

    assert answer.status == 400
    assert 'value="status = &#39;done&#39;"' in answer.text
    assert '<span class="unseen-text">status = </span>^' in answer.text
    assert "completed" in answer.text
    assert "at position" not in answer.text


def test_hostile_names_are_text(app: Any) -> None:
    text = ask(app, "/?experiment=ct%20seg").text

    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
    assert "{{7*7}}" in text


def test_an_experiment_that_is_not_there_is_said_so(app: Any) -> None:
    answer = ask(app, "/?experiment=nobody")

    assert answer.status == 404
    assert "nobody" in answer.text
