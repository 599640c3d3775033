"""Views of the page as one HTML file each: what stands in them, and what they leave out."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from runstore import MetricPoint, RunReader, open_reader, open_store
from runstore.errors import QueryError, RunNotFoundError
from runstore.texts import size_text
from runstore_ui import Options, make_app
from runstore_ui.saving import saved_comparison, saved_run, saved_table, saved_view
from runstore_ui.state import CompareState, TableState
from runstore_ui.table import asked_columns, find_runs, tabulate
from support.asgi import ask
from support.page_stores import EXPERIMENT, HOSTILE
from support.saved_stores import MARKUP, PNG, fill_whole


@pytest.fixture(scope="module")
def whole_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("whole")
    url = f"sqlite:///{folder / 'whole.db'}"
    fill_whole(url, folder)
    return url


@pytest.fixture
def whole(whole_url: str) -> Iterator[RunReader]:
    with open_reader(whole_url) as reader:
        yield reader


def words_of(text: str) -> str:
    """What is read in a file: no markup, no style, no script."""
    plain = re.sub(r"<(style|script)>.*?</\1>", " ", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", plain)))


def rows_of(text: str, title: str) -> list[list[str]]:
    """The rows of the table behind the chart of this title."""
    figure = next(each for each in re.findall(r"<figure.*?</figure>", text, re.DOTALL) if f"<title>{title}<" in each)
    rows = re.findall(r"<tr>(.*?)</tr>", figure.partition("<tbody>")[2], re.DOTALL)
    return [re.findall(r"<td>(.*?)</td>", row) for row in rows]


def test_a_runs_file_has_its_end_values_charts_settings_files_and_where_it_came_from(whole: RunReader) -> None:
    text = saved_run(whole, "whole")
    words = words_of(text)

    assert f"failed after 20m00s: MemoryError: {HOSTILE}" in words
    assert "Traceback (most recent call last)" in words
    assert "2026-11-29 08:00 UTC" in words
    assert "git 0123456789, clean" in words
    assert ["train", "0", "1.001"] in rows_of(text, "loss")
    assert ["train", "7", "nan"] in rows_of(text, "loss")
    assert "40 points, not finite at 2" in words
    assert f"depth 18 Children run status took {HOSTILE} ● completed 5m00s" in words
    assert "AUROC 0.8" in words
    assert "5 rounds, 4 clients, 3 drop-outs" in words
    assert "drawing.svg" in words


def test_a_comparisons_file_has_what_differs_what_does_not_and_the_curves_of_all(whole: RunReader) -> None:
    text = saved_comparison(whole, CompareState(runs=("other", "whole")))
    words = words_of(text)

    assert "2 runs compared" in words
    assert "lr 0.01 0.001" in words
    assert "Settings that are the same in all model.name" in words
    assert [f"whole {HOSTILE}", "0", "1.001"] in [
        [unescape(each) for each in row] for row in rows_of(text, "loss, train")
    ]
    assert "● completed · baseline other" in words


def test_a_tables_file_has_children_below_their_parent_and_ids_to_find_runs_again(lab: RunReader) -> None:
    text = saved_table(lab, TableState(experiment=EXPERIMENT, order="metric.validation.auroc.max desc"))
    rows = [words_of(row) for row in re.findall(r'<tr id="run-.*?</tr>', text, re.DOTALL)]
    names = [row.split(" ● ")[0].strip() for row in rows]

    parent = next(place for place, row in enumerate(rows) if "fedavg 3 clients" in row)
    assert [row.split()[0] for row in rows[parent + 1 : parent + 4]] == ["st-anna", "charité", "lyon"]
    assert "± 0.01" in rows[parent]
    assert rows[parent].split()[-1] == "fedavg"
    assert names[0].startswith("effnet-lite0 lr 0.0001")
    assert len(rows) == 18
    assert "18 runs" in words_of(text)


def test_a_tables_file_has_the_runs_that_fit_its_filter_alone_and_says_it(lab: RunReader) -> None:
    text = saved_view(lab, where="status = 'failed'", columns=("name", "status"))

    assert re.findall(r'<tr id="run-([^"]+)"', text) == ["failed"]
    assert "1 run that fit status = 'failed'" in words_of(text)
    assert [words_of(each).strip() for each in re.findall(r"<th .*?</th>", text, re.DOTALL)] == ["run", "status", "id"]


def test_what_has_no_room_is_told(lab: RunReader) -> None:
    text = saved_table(lab, TableState(), most=5)

    assert len(re.findall(r'<tr id="run-', text)) == 5
    assert "5 of 19 runs are in this file." in words_of(text)


def test_a_file_of_a_long_and_wide_run_is_small_and_says_what_it_has_left_out(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'long.db'}"
    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="long")
        store.log_metrics(run, [MetricPoint("loss", 1 / (1 + step), step=step) for step in range(30_000)])
        store.log_metrics(run, [MetricPoint(f"m{each:04}", each, step=1) for each in range(2_100)])
        for name, size in (("a.png", 600_000), *((f"b{each}.png", 450_000) for each in range(12))):
            (tmp_path / "file").write_bytes(PNG + bytes(size - len(PNG)))
            store.log_artifact(run, tmp_path / "file", name=name)
        store.finalize(run, "completed")
    with open_reader(url) as reader:
        text = saved_run(reader, "long")
    words = words_of(text)

    assert "These are charts of 60 of 2,101 metrics." in words
    assert "The first 2,000 of 2,101 series are listed." in words
    drawn = re.search(r"loss ([\d,]+) of 30,000 points", words)
    assert drawn is not None
    assert int(drawn[1].replace(",", "")) <= 1_200
    assert f"2 pictures are listed and not shown: a file holds pictures of up to {size_text(500_000)}" in words
    assert text.count("data:image/png;base64,") == 11
    assert len(text) < 9_000_000


def test_pictures_stand_in_the_file_and_markup_never_does(whole: RunReader) -> None:
    text = saved_run(whole, "whole")

    assert re.findall(r'<img src="(.{21})', text) == ["data:image/png;base64"]
    assert MARKUP.decode() not in text
    assert "alert(1)</script>" not in text


def test_the_same_runs_give_the_same_bytes_and_the_page_gives_those_of_the_command(whole_url: str) -> None:
    files = []
    for _ in range(2):
        with open_reader(whole_url) as reader:
            app = make_app(reader, Options(shown_url="sqlite:///elsewhere.db"))
            files.append(
                (
                    [saved_view(reader, ["whole"]), saved_view(reader, ["other", "whole"]), saved_view(reader)],
                    [
                        ask(app, f"/{each}").text
                        for each in ("run.html?id=whole", "compare.html?run=other&run=whole", "runs.html")
                    ],
                )
            )

    assert files[0] == files[1]
    assert files[0][0] == files[0][1]
    assert "elsewhere.db" not in "".join(files[0][1])


def test_each_view_of_the_page_leads_to_its_file_which_is_kept_and_not_shown(whole: RunReader) -> None:
    app = make_app(whole, Options(shown_url=""))
    views = ("/run?id=whole", "/compare?run=whole&run=other", "/?filter=status%20=%20'failed'")
    links = [re.findall(r'<a href="([^"]*)" download>save as one file</a>', ask(app, view).text) for view in views]
    answers = [ask(app, f"/{unescape(link)}") for (link,) in links]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [answer.headers["content-disposition"].split(";")[0] for answer in answers] == ["attachment"] * 3
    assert {answer.headers["content-security-policy"] for answer in answers} == {"default-src 'none'; sandbox"}
    assert "1 run that fit status = 'failed'" in words_of(answers[2].text)


def test_predictions_that_cannot_be_read_are_told_and_the_rest_is_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'broken.db'}"
    (tmp_path / "file").write_text("# {}\n")
    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r", name="mine")
        store.log_artifact(run, tmp_path / "file", name="broken.csv", artifact_type="predictions")
        store.log_artifact(run, tmp_path / "file", name="1.json", artifact_type="round")
        store.finalize(run, "completed")
    with open_reader(url) as reader:
        words = words_of(saved_run(reader, "r"))

    assert "The predictions broken.csv are not shown: " in words
    assert "The rounds are not shown: " in words
    assert "mine ● completed after" in words


def test_a_file_shows_no_password_of_a_url(tmp_path: Path) -> None:
    address = "postgresql://me:hunter2@lab.example/runs"
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment("e")
        for run in ("a", "b"):
            store.ensure_run(experiment, run_id=run, provenance={"process": {"argv": ["train", address]}})
            store.log_config(run, {"data": {"url": address}, "run": run})
            store.finalize(run, "completed")
        files = [
            saved_view(store, ["a"]),
            saved_view(store, ["a", "b"]),
            saved_view(store, columns=("config.data.url",)),
        ]

    assert all("hunter2" not in each for each in files)
    assert all("me:***@lab.example" in each for each in files)


def test_what_is_not_there_or_cannot_be_understood_makes_no_file(lab: RunReader) -> None:
    with pytest.raises(RunNotFoundError):
        saved_view(lab, ["nobody"])
    with pytest.raises(QueryError):
        saved_view(lab, where="lr <")
    with pytest.raises(QueryError, match="nothing"):
        saved_view(lab, columns=("nothing.at.all",))


def test_the_file_of_groups_has_their_means_and_no_links(lab: RunReader) -> None:
    state = CompareState(runs=tuple(f"run{each:02}" for each in range(4)), by=("config.batch_size",))
    text = saved_comparison(lab, state)
    words = words_of(text)

    assert "groups by config.batch_size" in words
    assert re.search(r"auroc validation, best 0\.\d+ ± 0\.\d+ n 2", words)
    assert "href" not in text


def test_a_table_for_a_file_has_no_links_which_would_name_each_run_in_each_row(lab: RunReader) -> None:
    state = TableState(experiment=EXPERIMENT)
    columns, _ = asked_columns(["name", "status"])

    table = tabulate(find_runs(lab, state), columns, {}, state, None, is_file=True)

    assert [row.run.id for row in table.rows if row.depth] == ["client0", "client1", "client2"]
    assert [cell.only for row in table.rows for cell in row.cells if cell.only] == []
