"""Lists of runs and experiments: which rows, which columns, and what becomes of them in a narrow window."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runstore import MetricPoint, open_store
from runstore.query import ATTRIBUTES
from runstore.texts import best_of, span_text
from support.commands import runstore, runstore_on_a_terminal

_LONG = "a name that is as long as somebody who puts each hyperparameter into it makes it"
_START = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def ids(sqlite_url: str) -> list[str]:
    """Three runs of two experiments, with metrics of every kind, the oldest first."""
    with open_store(sqlite_url, durable=False) as store:
        lungs = store.get_or_create_experiment("lungs")
        films = store.get_or_create_experiment("films", description="CT, left lung")
        found = []
        for number, (experiment_id, name) in enumerate([(lungs, "first"), (lungs, _LONG), (films, "模型训练")]):
            start = _START + timedelta(minutes=number)
            run_id = store.ensure_run(experiment_id, name=name, tags={"owner": f"me{number}"}, start_time=start)
            for metric, kind in [
                ("loss", "train"), ("loss", "validation"), ("auroc", "validation"), ("epoch", "other"), ("zeta", "test"),
            ]:  # fmt: skip
                points = [
                    MetricPoint(name=metric, value=value, step=step, dataset_type=kind)
                    for step, value in enumerate([0.5, 0.25, 0.75])
                ]
                store.log_metrics(run_id, points)
            store.log_config(run_id, {"model": {"depth": 18 + number}, "lr": 0.1})
            store.finalize(run_id, "completed", end_time=start + timedelta(seconds=3725))
            found.append(run_id)
    return found


@pytest.mark.parametrize("columns", [40, 50, 60, 80, 120, 200])
def test_at_no_width_is_an_id_broken_or_a_line_too_long(sqlite_url: str, ids: list[str], columns: int) -> None:
    printed = runstore("runs", "--store", sqlite_url, columns=columns).stdout

    assert [line.split()[0] for line in printed.splitlines()[-3:]] == list(reversed(ids))
    if columns >= 50:  # the id and the status, which are always shown, need as much
        assert max(len(line) for line in printed.splitlines()) <= columns


def test_a_terminal_is_as_wide_as_it_says(sqlite_url: str, ids: list[str]) -> None:
    printed = runstore_on_a_terminal("runs", "--store", sqlite_url, columns=60)

    rows = [line for line in printed.splitlines() if line.split(" ")[0] in ids]
    assert len(rows) == 3
    assert max(map(len, rows)) <= 60


def test_one_long_name_does_not_widen_the_rows(sqlite_url: str, ids: list[str]) -> None:
    printed = runstore("runs", "--store", sqlite_url).stdout

    assert _LONG not in printed
    assert _LONG[:30] in printed
    (line,) = [line for line in printed.splitlines() if ids[1] in line]
    assert "…" in line


@pytest.mark.usefixtures("ids")
def test_the_best_results_are_shown_before_what_only_tells_of_the_training(sqlite_url: str) -> None:
    heads = runstore("runs", "--store", sqlite_url, columns=200).stdout.splitlines()[:2]

    words = " ".join(heads).split()
    assert [word for word in words if "." in word] == ["auroc.max", "loss.min", "loss.min", "zeta.last"]
    assert "epoch.last" not in words
    assert {"took", "started", "(UTC)"} <= set(words) | {f"({datetime.now(UTC).astimezone().tzname()})"}


@pytest.mark.usefixtures("ids")
def test_what_there_was_no_room_for_is_said_on_stderr(sqlite_url: str) -> None:
    printed = runstore("runs", "--store", sqlite_url, columns=80)

    assert "validation loss.min" in printed.stderr
    assert "--columns" in printed.stderr


def test_at_80_columns_a_run_s_name_status_and_best_result_are_shown(sqlite_url: str) -> None:
    this_year = datetime.now(UTC).replace(month=7, day=15, hour=12, minute=30)
    with open_store(sqlite_url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("lungs"), name=_LONG, start_time=this_year)
        store.log_metrics(run_id, [MetricPoint(name="auroc", value=0.5, step=0, dataset_type="validation")])
        store.finalize(run_id, "completed", end_time=this_year + timedelta(seconds=754))

    narrow = runstore("runs", "--store", sqlite_url, columns=80, TZ="UTC").stdout.splitlines()[-1]
    medium = runstore("runs", "--store", sqlite_url, columns=100, TZ="UTC").stdout.splitlines()[-1]
    wide = runstore("runs", "--store", sqlite_url, columns=140, TZ="UTC").stdout

    assert narrow.split()[-2:] == ["completed", "0.5"]
    assert medium.split()[-5:] == ["completed", "07-15", "12:30", "12m34s", "0.5"]
    assert len(narrow) <= 80
    assert len(medium) <= 100
    assert f"{this_year.year}-07-15 12:30" in wide


def test_a_metric_that_few_runs_have_comes_last(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("lungs")
        for number in range(5):
            metric, kind = ("auroc", "validation") if number == 0 else ("loss", "train")
            point = MetricPoint(name=metric, value=0.5, step=0, dataset_type=kind)
            store.log_metrics(store.ensure_run(experiment_id), [point])

    head = runstore("runs", "--store", sqlite_url, columns=200).stdout.splitlines()[1]

    assert [word for word in head.split() if "." in word] == ["loss.min", "auroc.max"]


def test_a_status_is_never_cut(sqlite_url: str, ids: list[str]) -> None:
    asked = "name,status,training_mode,note,metric.validation.auroc.max,metric.train.loss.min"

    printed = runstore("runs", "--store", sqlite_url, "--columns", asked, columns=60).stdout

    assert all("completed" in line for line in printed.splitlines() if line.split()[0] in ids)


def test_columns_can_be_chosen(sqlite_url: str, ids: list[str]) -> None:
    asked = (
        "name, experiment,took,metric.train.loss.first,metric.train.loss.count,config.model.depth,tag.owner,end_time"
    )
    printed = runstore("runs", "--store", sqlite_url, "--columns", asked).stdout

    last = printed.splitlines()[-1]
    assert last.split()[:8] == [ids[0], "first", "lungs", "1h02m", "0.5", "3", "18", "me0"]


@pytest.mark.usefixtures("ids")
def test_an_unknown_column_is_refused_and_says_what_there_is(sqlite_url: str) -> None:
    refused = runstore("runs", "--store", sqlite_url, "--columns", "name,nonsense")

    assert refused.returncode == 1
    for word in ("nonsense", "metric.", "config.", "tag.", "experiment", "took"):
        assert word in refused.stderr
    near = runstore("runs", "--store", sqlite_url, "--columns", "auroc.max")
    assert "--columns: expected a field" in near.stderr
    assert "did you mean metric.validation.auroc.max?" in near.stderr


def test_every_field_of_the_run_can_be_a_column(sqlite_url: str, ids: list[str]) -> None:
    with open_store(sqlite_url, durable=False) as store:
        store.set_note(ids[0], "the one to beat")

    fields = ",".join(field for field in ATTRIBUTES if not field.endswith("id"))
    shown = runstore("runs", "--store", sqlite_url, "--columns", fields, columns=400)

    assert shown.returncode == 0, shown.stderr
    assert "the one to beat" in shown.stdout
    assert "archived" in shown.stdout


def test_json_has_all_runs_unless_told_otherwise_and_says_on_stderr_when_it_does_not(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("many")
        for _ in range(25):
            store.ensure_run(experiment_id)

    whole = runstore("runs", "--store", sqlite_url, "--json")
    cut = runstore("runs", "--store", sqlite_url, "--json", "--limit", "3")
    table = runstore("runs", "--store", sqlite_url)
    whole_table = runstore("runs", "--store", sqlite_url, "--all")

    assert len(json.loads(whole.stdout)) == 25
    assert whole.stderr == ""
    assert len(json.loads(cut.stdout)) == 3
    assert "--all" in cut.stderr
    assert len(table.stdout.splitlines()) < 25
    assert "the first 20" in table.stderr
    assert "the first 20" not in table.stdout
    assert len(whole_table.stdout.splitlines()) > 25
    assert whole_table.stderr == ""


def test_runs_of_one_experiment_are_asked_for_by_its_name_or_id(sqlite_url: str, ids: list[str]) -> None:
    with open_store(sqlite_url, durable=False) as store:
        experiment_id = store.get_run(ids[2]).experiment_id

    for wanted in ("films", experiment_id):
        found = json.loads(runstore("runs", "--store", sqlite_url, "--experiment", wanted, "--json").stdout)
        assert [(run["id"], run["experiment"]) for run in found] == [(ids[2], "films")]


@pytest.mark.usefixtures("ids")
def test_an_unknown_experiment_is_an_error_that_names_the_nearest(sqlite_url: str) -> None:
    refused = runstore("runs", "--store", sqlite_url, "--experiment", "lung")

    assert refused.returncode == 1
    assert "did you mean 'lungs'" in refused.stderr


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("where", ["experiment_id = 'lungs'", "not experiment_id in ('lungs') and name = 'x'"])
def test_a_name_in_the_place_of_an_experiment_s_id_is_pointed_at(sqlite_url: str, where: str) -> None:
    printed = runstore("runs", "--store", sqlite_url, "--filter", where)

    assert "No run matches" in printed.stdout
    assert "--experiment" in printed.stdout


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(
    ("where", "hint"),
    [
        ("config.modl.depth > 0", "No run has config.modl.depth; did you mean config.model.depth?"),
        ("metric.test.auroc.max > 0", "No run has metric.test.auroc"),
        ("tag.quux = 'x'", "No run has tag.quux."),
        ("experiment = 'lung'", "There is no experiment 'lung'"),
        ("config.lr > 5 and metric.train.loss.max > 0", "No run matches.\n"),
        ("config.lrate is not null", "No run matches.\n"),
    ],
)
def test_what_a_filter_names_and_no_run_has_is_pointed_at(sqlite_url: str, where: str, hint: str) -> None:
    printed = runstore("runs", "--store", sqlite_url, "--filter", where, columns=200)

    assert printed.stdout.startswith("No run matches.")
    assert hint in printed.stdout


@pytest.mark.parametrize("asked", [(), ("--experiment", "lungs")])
def test_an_empty_list_says_whether_runs_are_archived_or_may_have_been_deleted(
    sqlite_url: str, asked: tuple[str, ...]
) -> None:
    with open_store(sqlite_url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("lungs"))
        store.archive_run(run_id)
        archived = runstore("runs", "--store", sqlite_url, *asked).stdout
        store.delete_run(run_id)
        deleted = runstore("runs", "--store", sqlite_url, *asked).stdout

    assert archived == "All runs are archived (1): --filter 'archived = true' lists them.\n"
    assert "has no runs" in deleted or "are no runs" in deleted
    assert "--deleted lists those that were deleted and can be restored" in deleted


def test_deleted_runs_are_listed_with_what_they_are_known_by(sqlite_url: str, ids: list[str]) -> None:
    with open_store(sqlite_url, durable=False) as store:
        store.delete_run(ids[0])
        store.delete_experiment(store.get_or_create_experiment("films"))

    nothing_but_deleted = runstore("runs", "--deleted", "--store", sqlite_url, columns=120)
    of_one = json.loads(runstore("runs", "--deleted", "--experiment", "films", "--json", "--store", sqlite_url).stdout)
    first = runstore("runs", "--deleted", "--limit", "1", "--store", sqlite_url)

    rows = [line.split() for line in nothing_but_deleted.stdout.splitlines()]
    assert [row[0] for row in rows if row[0] in ids] == [ids[2], ids[0]]
    assert "lungs" in nothing_but_deleted.stdout
    assert "runstore restore" in nothing_but_deleted.stderr
    assert [(run["id"], run["name"], run["experiment"]) for run in of_one] == [(ids[2], "模型训练", "films")]
    assert "More runs match; these are the first 1" in first.stderr


def test_where_nothing_can_be_restored_that_is_said(sqlite_url: str, ids: list[str]) -> None:
    assert len(ids) == 3

    nothing = runstore("runs", "--deleted", "--store", sqlite_url)
    nobody = runstore("runs", "--deleted", "--experiment", "nobody", "--store", sqlite_url)
    too_much = runstore("runs", "--deleted", "--filter", "name = 'a'", "--store", sqlite_url)

    assert nothing.stdout == "There are no deleted runs that can be restored.\n"
    assert (nobody.returncode, "nobody" in nobody.stderr) == (1, True)
    assert (too_much.returncode, "--deleted goes with" in too_much.stderr) == (2, True)


@pytest.mark.usefixtures("ids")
def test_experiments_are_listed_by_name(sqlite_url: str) -> None:
    printed = runstore("experiments", "--store", sqlite_url).stdout
    values = json.loads(runstore("experiments", "--store", sqlite_url, "--json").stdout)

    assert [line.split()[0] for line in printed.splitlines()[-2:]] == ["films", "lungs"]
    assert "CT, left lung" in printed
    assert [each["name"] for each in values] == ["films", "lungs"]


def test_a_store_without_experiments_says_so(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False):
        pass

    assert runstore("experiments", "--store", sqlite_url).stdout == "There are no experiments yet.\n"


@pytest.mark.parametrize(
    ("name", "stat"),
    [
        ("loss", "min"), ("val_loss", "min"), ("mse", "min"), ("train/loss_epoch", "min"), ("auroc", "max"),
        ("top5.accuracy", "max"), ("f1", "max"), ("epoch", "last"), ("lr-Adam", "last"), ("glossary", "last"),
    ],
)  # fmt: skip
def test_which_value_of_a_metric_is_the_best_is_told_by_its_name(name: str, stat: str) -> None:
    assert best_of(name) == stat


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0s"), (59.94, "59.9s"), (60, "1m00s"), (3599, "59m59s"), (3725, "1h02m"), (200_000, "2d07h")],
)
def test_a_time_span_is_told_in_two_units(seconds: float, text: str) -> None:
    assert span_text(timedelta(seconds=seconds)) == text


def test_a_list_in_another_time_zone_says_which(sqlite_url: str, ids: list[str]) -> None:
    printed = runstore("runs", "--store", sqlite_url, TZ="Asia/Tokyo").stdout

    assert "(JST)" in printed
    (line,) = [line for line in printed.splitlines() if ids[0] in line]
    assert "2026-11-28 21:00" in line


def test_a_run_that_goes_on_has_taken_as_long_as_is_known(sqlite_url: str, tmp_path: Path) -> None:
    with open_store(sqlite_url, durable=False) as store:
        start = datetime.now(UTC) - timedelta(hours=3)
        store.ensure_run(store.get_or_create_experiment(tmp_path.name), start_time=start)

    printed = runstore("runs", "--store", sqlite_url).stdout

    assert "3h00m" in printed


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("name,config.lrr", "No run has config.lrr; did you mean config.lr?\n"),
        ("tag.ownr", "No run has tag.ownr; did you mean tag.owner?\n"),
        ("metric.train.los", "No run has metric.train.los; did you mean metric.train.loss.last?\n"),
        ("config.lr,tag.owner,metric.train.loss.max", ""),
    ],
)
def test_a_column_that_no_run_has_is_named_below_the_list(sqlite_url: str, columns: str, said: str) -> None:
    printed = runstore("runs", "--columns", columns, "--store", sqlite_url, columns=200)

    assert (printed.returncode, printed.stderr) == (0, said)
