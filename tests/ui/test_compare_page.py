"""Runs side by side: what differs first, and the difference to one of them."""

import math
import re
from typing import Any

from runstore.model import DatasetType, SeriesSummary, StepValue
from runstore.values import flatten_config
from runstore_ui.comparing import Compared, compare_settings, metric_lines
from runstore_ui.reading import setting_texts
from support.asgi import ask


def summary(name: str, low: float, high: float) -> SeriesSummary:
    point = StepValue(step=0, value=high)
    return SeriesSummary(
        name=name,
        dataset_type=DatasetType.VALIDATION,
        count=2,
        first=point,
        last=point,
        min=StepValue(step=1, value=low),
        max=point,
        non_finite_count=0,
    )


def test_settings_that_differ_are_shown_and_those_that_do_not_are_counted(app: Any) -> None:
    address = "/compare?run=run00&run=run04"
    text, all_ = ask(app, address).text, ask(app, f"{address}&equal=yes").text

    assert re.findall(r'class="differs"><th scope="row">([^< ]+)', text) == ["optimizer.learning_rate"]
    assert "2 settings the same in all, not shown" in text
    assert "model.name" in all_


def test_the_best_is_marked_and_the_difference_goes_to_the_pinned_baseline(app: Any) -> None:
    first, second = (ask(app, f"/compare?run=run00&run=run11{pin}").text for pin in ("", "&baseline=run11"))

    assert re.findall(r'class="difference (\w+)">([^<]+)', first)[0] == ("better", "+0.0733")
    assert re.findall(r'class="difference (\w+)">([^<]+)', second)[0] == ("worse", "-0.0733")


def test_without_runs_or_with_too_many_it_says_what_to_do(app: Any) -> None:
    many = "&".join(f"run=r{index}" for index in range(101))

    assert "Tick two runs" in ask(app, "/compare").text
    assert (ask(app, "/compare").status, ask(app, f"/compare?{many}").status) == (400, 400)
    assert ask(app, "/compare?run=nobody").status == 404


def test_of_a_loss_less_is_better_and_a_run_without_the_metric_has_an_empty_cell() -> None:
    lines = metric_lines([[summary("loss", 0.5, 0.9)], [summary("loss", 0.25, 0.9)], []], 0)

    assert lines[0].cells == [
        Compared(text="0.5000"),
        Compared(text="0.2500", difference="-0.25", verdict="better", is_best=True),
        Compared(),
    ]


def test_a_setting_that_one_run_lacks_differs() -> None:
    lines = compare_settings([{"a": "1", "b.c": "2"}, {"a": "1"}], shows_equal=True).lines

    assert [(line.key, line.differs, list(line.texts)) for line in lines] == [
        ("b.c", True, ["2", None]),
        ("a", False, ["1", "1"]),
    ]


def test_settings_read_as_they_are_written_and_those_that_only_read_alike_are_equal() -> None:
    one = {"a": 1, "b": 0.0, "c": [1, 2], "d.e": {}, "f": None, "g": {"h": "x"}, "i": True, "j": 2**70, "k": math.nan}
    texts = list(setting_texts({"1": one, "2": {**one, "b": -0.0, "i": 1, "a": "1"}}).values())

    assert texts[0] == {leaf.key: leaf.text for leaf in flatten_config(one)}
    assert {key for key in texts[0] if texts[0][key] != texts[1][key]} == {"b", "i"}


def test_of_very_many_settings_those_with_few_values_come_first_and_the_others_are_found_by_their_names() -> None:
    texts = [{f"key{place}": f"{run}" for place in range(500)} | {"lr": f"{run % 2}", "same": "1"} for run in range(4)]
    found = compare_settings(texts)

    assert (found.lines[0].key, len(found.lines), found.left_out, found.equal) == ("lr", 100, 401, 1)
    assert [line.key for line in compare_settings(texts, wanted="EY499").lines] == ["key499"]
    assert compare_settings(texts, wanted="same", shows_equal=True).lines[0].differs is False


def test_many_runs_stand_below_each_other_and_some_of_them_are_kept_by_a_form(app: Any) -> None:
    many = "&".join(f"run=run{index:02}" for index in range(12))
    text = ask(app, f"/compare?{many}&baseline=run03&by=time").text

    assert re.findall(r'<tr><th scope="row"><input type="checkbox" name="run" value="(run\d+)"', text) == [
        f"run{index:02}" for index in range(12)
    ]
    assert re.findall(r'name="baseline" value="(\w+)" aria-label="[^"]*" checked', text) == ["run03"]
    assert '<input type="hidden" name="by" value="time">' in text
    assert text.count("<b>0.9") == 2  # of the scores, on validation and on training data
    assert ">make baseline<" not in text
