"""Runs side by side: what differs first, and the difference to one of them."""

import re
from typing import Any

from runstore.model import DatasetType, SeriesSummary, StepValue
from runstore_ui.comparing import Compared, metric_lines, setting_lines
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
    many = "&".join(f"run=r{index}" for index in range(51))

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
    lines = setting_lines([{"a": 1, "b": {"c": 2}}, {"a": 1}])

    assert [(line.key, line.differs, list(line.texts)) for line in lines] == [
        ("a", False, ["1", "1"]),
        ("b.c", True, ["2", None]),
    ]
