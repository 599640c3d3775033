"""The evaluation of a run's predictions, as it is without a browser."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from runstore import open_reader, open_store
from runstore.predictions import Predictions, media_of, new_predictions
from runstore_ui import Options, make_app
from runstore_ui.evaluation import Pooling, all_cases, area_under_roc, decide, pooled, rank
from support.asgi import ask
from support.judged_stores import fill_with_predictions, films, kinds
from support.page_stores import HOSTILE


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("judged")
    url = f"sqlite:///{folder / 'judged.db'}"
    fill_with_predictions(url, folder)
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url))


def rows(text: str, table: str) -> list[list[str]]:
    """The cells of a table's rows, as texts."""
    body = text.partition(f'id="{table}"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in body.split("</tr>")]
    return [[unescape(re.sub(r"<[^>]*>", "", cell)) for cell in row] for row in cells if row]


def facts(text: str) -> dict[str, str]:
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text, re.DOTALL)
    return {name: re.sub(r"<[^>]*>", "", value).strip() for name, value in found}


def told(predictions: Predictions, **choice: Any) -> str:
    """The area as the page tells it, by way of the room that computes it."""
    area = area_under_roc(rank(all_cases(predictions, **choice)))
    assert area.value is not None
    assert area.interval is not None
    return f"{area.value:.3f} ({area.interval.low:.3f}–{area.interval.high:.3f})"


def test_the_page_of_a_run_with_predictions_leads_to_it(app: Any) -> None:
    assert 'href="evaluation?run=judged"' in ask(app, "/run?id=judged").text
    assert "evaluation?run" not in ask(app, "/run?id=bare").text


def test_the_first_file_is_shown_at_the_threshold_that_was_kept_with_it(app: Any) -> None:
    answer = ask(app, "/evaluation?run=judged")

    decision = decide(rank(all_cases(films())), 0.4375)
    assert answer.status == 200
    assert "600 cases of 300 groups, 2" in answer.text
    assert "positive from a score of 0.4375 on" in answer.text
    assert facts(answer.text)["AUROC"] == told(films())
    (sensitivity, *_) = rows(answer.text, "rates")
    assert sensitivity[0::3] == ["sensitivity", f"{decision.true_positives:g} of {decision.sensitivity.count:g}"]
    assert rows(answer.text, "points")[0][0] == "sensitivity 90 %"
    assert rows(answer.text, "points")[0][4] == "chosen on validation: the highest with it"
    assert rows(answer.text, "points")[1][4] == "chosen on these cases"


def test_another_threshold_stands_in_the_address(app: Any) -> None:
    text = ask(app, "/evaluation?run=judged&threshold=0.7").text

    decision = decide(rank(all_cases(films())), 0.7)
    assert [row[3] for row in rows(text, "rates")] == [
        f"{rate.hits:g} of {rate.count:g}"
        for rate in (decision.sensitivity, decision.specificity, decision.ppv, decision.npv, decision.accuracy)
    ]
    assert 'value="0.7"' in text
    assert 'href="evaluation?run=judged&amp;threshold=0.7" id="here"' in text


def test_a_threshold_with_a_name_is_a_link_to_it(app: Any) -> None:
    text = ask(app, "/evaluation?run=judged&threshold=0.7").text

    (address,) = re.findall(r'<a href="([^"]*)"[^>]*>Youden', text)
    there = ask(app, f"/{unescape(address)}").text

    assert "Youden" in there.partition('class="used"')[2][:200]


def test_a_part_of_the_cases_is_judged_alone(app: Any) -> None:
    text = ask(app, "/evaluation?run=judged&only.split=test&only.site=lyon").text

    assert facts(text)["AUROC"] == told(films(), keep={"split": "test", "site": "lyon"})
    assert {row[0] for row in rows(text, "parts")} == {"age"}
    assert "several splits" not in text
    assert "several splits" in ask(app, "/evaluation?run=judged").text


def test_subgroups_have_their_own_figures_and_links_to_them(app: Any) -> None:
    text = ask(app, "/evaluation?run=judged").text

    parts = {(row[0], row[1]): row for row in rows(text, "parts")}
    assert list(parts)[:2] == [("split", "test"), ("split", "validation")]
    assert parts["split", "test"][4] == told(films(), keep={"split": "test"})
    assert parts["age", "not known"][2].isdigit()
    assert f"only.site={quote(HOSTILE, safe='/:,')}" in unescape(text)


def test_a_case_may_be_a_group(app: Any) -> None:
    text = ask(app, "/evaluation?run=judged&pooling=max").text

    area = area_under_roc(rank(pooled(all_cases(films()), Pooling.MAX)))
    assert "300 cases, " in text
    assert facts(text)["AUROC"].startswith(f"{area.value:.3f}")
    assert rows(text, "parts") == []


def test_each_of_several_classes_may_be_the_positive_one(app: Any) -> None:
    text = ask(app, "/evaluation?run=judged&file=predictions/kinds.csv.gz&class=bacterial").text

    assert facts(text)["AUROC"] == told(kinds(), positive=1)
    assert "accuracy, 3 classes" in facts(text)
    assert "Brier score" not in facts(text)
    assert "By the highest score" in text
    assert next(row[0] for row in rows(text, "points")) == "Youden's J"


def test_each_figure_has_its_numbers_as_a_table(app: Any) -> None:
    text = ask(app, "/evaluation?run=judged").text

    assert re.findall(r"<figcaption>(.*?)</figcaption>", text) == [
        "ROC curve",
        "Precision and recall",
        "Calibration",
        "At the threshold",
    ]
    assert text.count("<svg ") == text.count("<details><summary>numbers</summary>") == 4
    assert "style=" not in text


def test_a_figure_is_downloaded_as_svg_and_its_numbers_as_csv(app: Any) -> None:
    text = ask(app, "/evaluation?run=judged&threshold=0.7").text
    links = [unescape(each) for each in re.findall(r'<a href="([^"]*)" download', text)]
    picture, numbers = ask(app, f"/{links[0]}"), ask(app, f"/{links[1]}")

    assert links[:2] == [
        "evaluation.svg?run=judged&threshold=0.7&figure=1",
        "evaluation.csv?run=judged&threshold=0.7&figure=1",
    ]
    assert picture.text.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.headers["content-disposition"] == 'attachment; filename="roc-curve.svg"'
    assert picture.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert numbers.text.splitlines()[0] == "curve,1 \u2212 specificity,sensitivity,threshold"
    assert ask(app, "/evaluation.svg?run=judged&figure=9").status == 404
    assert ask(app, "/evaluation.exe?run=judged").status == 404


def test_the_worst_mistakes_of_each_kind_are_named(app: Any) -> None:
    text = ask(app, "/evaluation?run=judged&threshold=0.5").text

    predictions = films()
    sides = [
        (score, name, target)
        for score, name, target in zip(predictions.scores[0], predictions.ids, predictions.targets, strict=True)
        if (score >= 0.5) != bool(target)
    ]
    missed = sorted(each for each in sides if each[2])[:10]
    alarms = sorted((each for each in sides if not each[2]), key=lambda each: -each[0])[:10]
    assert [row[:2] for row in rows(text, "mistakes")] == [
        *(["missed", name] for _, name, _ in missed),
        *(["false alarm", name] for _, name, _ in alarms),
    ]
    assert rows(text, "mistakes")[0][2].startswith("child ")


def test_hostile_names_are_text(app: Any) -> None:
    text = ask(app, f"/evaluation?run=judged&only.site={quote(HOSTILE)}").text

    assert HOSTILE not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 400, "the address names no run; give run=ID"),
        ("run=nobody", 404, "nobody"),
        ("run=unjudged", 404, "has kept no predictions"),
        ("run=broken", 400, "broken.csv, line 1: the format is None"),
        ("run=judged&file=other.csv", 404, "no predictions called &#39;other.csv&#39;"),
        ("run=judged&threshold=high", 400, "threshold is &#39;high&#39;; give a number"),
        ("run=judged&threshold=nan", 400, "threshold is &#39;nan&#39;"),
        ("run=judged&class=fracture", 400, "there is no class &#39;fracture&#39;; give one of"),
        ("run=judged&only.sex=f", 400, "there is no column &#39;sex&#39;"),
        ("run=judged&pooling=sum", 400, "pooling is &#39;sum&#39;; give one of"),
    ],
)
def test_what_cannot_be_shown_is_said_with_what_helps(app: Any, query: str, status: int, words: str) -> None:
    answer = ask(app, f"/evaluation?{query}")

    assert answer.status == status
    assert words in answer.text


def test_of_no_case_the_page_says_so_and_shows_nothing(app: Any) -> None:
    answer = ask(app, "/evaluation?run=judged&only.site=elsewhere")

    assert answer.status == 200
    assert "0 cases, 0 pneumonia" in answer.text
    assert facts(answer.text)["AUROC"] == "–"
    assert "<svg" not in answer.text


def test_validation_is_shown_first_and_test_data_last_and_of_steps_the_last(tmp_path: Path) -> None:
    made = {
        each: new_predictions(ids=["a", "b"], classes=["n", "p"], targets=[0, 1], scores=[0.1, 0.9], splits=each)
        for each in ("test", "train", "validation")
    }
    with open_store(f"sqlite:///{tmp_path / 'runs.db'}", durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r")
        for each, predictions in made.items():
            media_of(predictions, f"a-{each}").keep(store, run)
        for step in (1, 10):
            media_of(made["validation"], "b-validation", step=step).keep(store, run)
        text = ask(make_app(store, Options(shown_url="")), "/evaluation?run=r").text

    offered = re.findall(r'<option value="([ab]-[^"]+)"( selected)?', text)
    assert [name.partition(".")[0] for name, _ in offered] == [
        "a-validation",
        "b-validation/000000010",
        "b-validation/000000001",
        "a-train",
        "a-test",
    ]
    assert offered[0][1] == " selected"
