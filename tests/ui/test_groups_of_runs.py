"""Runs in groups: which belong together, and what the comparison says of them."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from runstore import open_reader
from runstore.model import DatasetType, SeriesSummary, StepValue
from runstore_ui import Options, make_app
from runstore_ui.grouping import GroupCell, group_metric_lines, group_runs, group_setting_lines
from runstore_ui.reading import setting_texts
from runstore_ui.state import RunGroup
from support.asgi import ask
from support.browser import Serve
from support.picture_store import fill_with_seeds

RUNS = [f"{model}-{seed}" for model in ("resnet18", "densenet121") for seed in range(1, 6)] + ["no-seed"]
ALL = "compare?" + "&".join(f"run={each}" for each in RUNS)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two models with five seeds each, of which one run ended early, and one run without a seed."""
    url = f"sqlite:///{tmp_path_factory.mktemp('seeds') / 'runs.db'}"
    fill_with_seeds(url)
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=""))


def labels(configs: dict[str, dict[str, Any]], by: tuple[str, ...] = (), over: tuple[str, ...] = ()) -> dict[str, str]:
    return {each.label: " ".join(each.runs) for each in group_runs(setting_texts(configs), by, over).groups}


def test_runs_that_differ_by_the_seed_alone_are_one_group_whatever_the_seed_is_called() -> None:
    configs = {
        f"{lr}{seed}": {"lr": lr, "data": {"random_seed": seed}, "seed_everything": seed, "layers": 3}
        for lr in (0.1, 0.01)
        for seed in (1, 2)
    }

    assert labels(configs, over=("seed",)) == {"lr 0.01": "0.011 0.012", "lr 0.1": "0.11 0.12"}


def test_a_run_without_the_setting_has_no_value_and_is_in_no_other_group() -> None:
    configs = {"a": {"lr": 1, "seed": 1}, "b": {"lr": 1, "seed": 2}, "c": {"lr": 1}, "d": {"seed": 3}}

    assert labels(configs, over=("seed",)) == {"lr 1": "a b", "lr 1, seed no value": "c", "lr no value": "d"}
    assert labels(configs, by=("config.lr",)) == {"lr 1": "a b c", "lr no value": "d"}
    assert labels(configs, by=("config.seed",)) == {"seed 1": "a", "seed 2": "b", "seed 3": "d", "seed no value": "c"}


def test_groups_by_several_settings_stand_by_their_numbers_and_names_that_end_alike_are_whole() -> None:
    configs = {
        str(place): {"a": {"size": size}, "b": {"size": other}}
        for place, (size, other) in enumerate([(10, 2), (9, 2), (9, 1)])
    }

    assert labels(configs, by=("config.a.size", "config.b.size")) == {
        "a.size 9, b.size 1": "2",
        "a.size 9, b.size 2": "1",
        "a.size 10, b.size 2": "0",
    }


def test_passwords_in_values_are_hidden_and_the_groups_stay_apart() -> None:
    configs = {name: {"url": f"https://me:{name}-secret@host/x"} for name in ("a", "b")}

    found = labels(configs, by=("config.url",))

    assert sorted(found.values()) == ["a", "b"]
    assert "secret" not in " ".join(found)


def test_what_is_no_setting_of_the_runs_is_said_and_harms_nothing() -> None:
    found = group_runs({"a": {"lr": "1"}, "b": {"lr": "1"}}, (), ("seed", "status", "config.", "config.fold"))

    assert [each.runs for each in found.groups] == [("a", "b")]
    assert [remark.split(":")[0][:48] for remark in found.remarks[:2]] == [
        "None of these runs has a setting that is called ",
        "runs are grouped by settings, and status is none",
    ]
    assert len(found.remarks) == 4


def summary(low: float, high: float) -> SeriesSummary:
    point = StepValue(step=0, value=high)
    return SeriesSummary(
        name="loss",
        dataset_type=DatasetType.VALIDATION,
        count=2,
        first=point,
        last=point,
        min=StepValue(step=1, value=low),
        max=point,
        non_finite_count=0,
    )


def test_a_group_has_the_mean_of_the_best_values_the_deviation_of_the_sample_and_how_many_runs() -> None:
    groups = (RunGroup("a", ("1", "2", "3", "4")), RunGroup("b", ("5",)), RunGroup("c", ("6",)))
    summaries: dict[str, tuple[SeriesSummary, ...]] = {
        str(place): (summary(low, 2.0),) for place, low in enumerate([0.1, 0.2, 0.6], 1)
    }
    summaries |= {"5": (summary(0.5, 1.0),), "6": ()}

    (line,) = group_metric_lines(groups, summaries)

    assert line.below == "validation, best"
    assert line.cells == [
        GroupCell(mean="0.3000", spread="0.26", count=3, is_best=True),
        GroupCell(mean="0.5000", count=1),
        GroupCell(),
    ]


def test_settings_by_which_groups_differ_come_first_and_many_are_cut_and_counted() -> None:
    configs = {
        run_id: {"seed": seed, "lr": lr, "same": 1} | {f"key{place}": seed for place in range(300)}
        for seed, (run_id, lr) in enumerate([("a", 1), ("b", 1), ("c", 2), ("d", 2)])
    }
    texts = setting_texts(configs)
    groups = group_runs(texts, ("config.lr",), ()).groups

    lines, left_out = group_setting_lines(groups, texts)

    assert [(each.key, each.texts) for each in lines[:2]] == [("lr", ["1", "2"]), ("seed", ["0, 1", "2, 3"])]
    assert len(lines) + left_out == 302


def test_the_comparison_of_groups_says_mean_deviation_and_number_of_runs_without_script(seeds: Any) -> None:
    text = unescape(ask(seeds, f"/{ALL}&over=seed").text)

    assert re.findall(r'<th scope="col">([^<]+?)\s*<details', text) == [
        "model densenet121",
        "model resnet18",
        "model resnet18, seed no value",
    ]
    assert re.findall(r"<td><b>0\.97\d+</b> ± 0\.00\d+ <small>n 5</small></td>", text)
    assert '<a href="run?id=resnet18-3">resnet18 seed 3</a>' in text
    assert "chart.svg?group=model densenet121&run=densenet121-1&run=densenet121-2" in text.replace("%20", " ")


def test_the_way_into_groups_and_out_of_them_is_a_link(seeds: Any) -> None:
    plain, grouped = (unescape(ask(seeds, f"/{ALL}{more}").text) for more in ("", "&group=config.model&single=yes"))

    assert f'<a href="{ALL}&over=seed">mean over seeds</a>' in plain
    assert f'<a href="{ALL}&group=config.model" aria-label="group by model">' in plain
    assert f'<a href="{ALL}&group=config.model">means alone</a>' in grouped
    assert f'<a href="{ALL}">each run by itself</a>' in grouped
    assert "single=yes" in re.findall(r'data-source="([^"]*)"', grouped)[0]


@pytest.mark.server
def test_ticked_runs_of_the_table_are_compared_over_their_seeds_in_the_browser(
    page: Any, serve: Serve, seeds: Any
) -> None:
    page.goto(f"{serve(seeds)}/")
    assert page.is_disabled("#over-seeds")
    for run in ("resnet18-1", "resnet18-2", "densenet121-1"):
        page.check(f"#tick-{run}")
    page.click("#over-seeds")
    page.wait_for_selector("th:has-text('model resnet18')")

    assert page.url.endswith("&over=seed")
    assert page.locator(".compare thead summary").all_inner_texts() == ["1 run", "2 runs"]


@pytest.mark.server
def test_means_have_bands_and_single_runs_on_demand_in_the_browser(page: Any, serve: Serve, seeds: Any) -> None:
    auroc = 'figure[data-title="auroc, validation"]'
    page.goto(f"{serve(seeds)}/{ALL}")
    page.click("text=mean over seeds")
    page.wait_for_selector(f"{auroc} .legend button")
    names = page.locator(f"{auroc} .legend button").all_inner_texts()
    assert names == ["model densenet121, n 5", "model resnet18, n 4 to 5", "model resnet18, seed no value, n 1"]
    assert page.inner_text(f"{auroc} .drawn").startswith("mean ± sd of runs; ")

    page.focus(f"{auroc} .plot")
    page.keyboard.press("End")
    assert re.search(r"model resnet18 0\.9\d+ ± 0\.0\d+ \(n 4\)", page.inner_text(f"{auroc} .reading"))
    page.click(f"{auroc} summary")
    page.wait_for_selector(f"{auroc} tbody tr:nth-child(20)")
    heads = page.locator(f"{auroc} thead th").all_inner_texts()
    assert heads[:4] == ["step", "model densenet121", "model densenet121, sd", "model densenet121, n"]
    assert page.locator(f"{auroc} tbody tr:last-child td").all_inner_texts()[6] == "4"

    few = page.evaluate("document.querySelectorAll('.u-cursor-pt').length")
    page.click("text=single runs, too")
    page.wait_for_selector(f"{auroc} .legend button")
    assert "single=yes" in page.url
    assert page.locator(f"{auroc} .legend button").all_inner_texts() == names
    assert page.evaluate("document.querySelectorAll('.u-cursor-pt').length") > few
    page.click(f"{auroc} .legend button:has-text('densenet121')")
    page.focus(f"{auroc} .plot")
    page.keyboard.press("End")
    assert "densenet121" not in page.inner_text(f"{auroc} .reading")
    with page.expect_download() as download:
        page.click(f"{auroc} .png")
    assert Path(download.value.path()).stat().st_size > 5000
