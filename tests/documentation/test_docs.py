"""The README and the documentation tell the truth: what they show runs, uses no name that it does not make, and exists."""

import re
import sys
import tomllib
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from documentation.pages import PAGES, ROOT, blocks_of, commands_of, pages_with, run_blocks, undefined_names, understand
from documentation.shell import check_transcripts
from runstore import MetricPoint, open_store
from runstore.predictions import read_predictions
from runstore.rounds import read_round


@pytest.fixture(autouse=True)
def _in_an_empty_folder(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fast_path)
    monkeypatch.setenv("RUNSTORE_STATE_DIR", f"{fast_path}/state")


@pytest.mark.parametrize("page", pages_with("python"))
def test_each_python_block_of_a_page_runs_after_those_before_it(page: str) -> None:
    run_blocks(page, "python")


def test_the_curves_of_the_page_about_frames_are_drawn_with_matplotlib() -> None:
    pytest.importorskip("matplotlib").use("Agg")

    names = run_blocks("docs/frames.md", "python", "py")

    axes = names["plt"].gca()  # type: ignore[attr-defined]
    drawn = len(axes.lines)
    names["plt"].close("all")  # type: ignore[attr-defined]
    assert drawn == len(names["grid"].series)  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", pages_with("python", "py"))
def test_no_block_uses_a_name_that_neither_it_nor_one_before_it_makes(page: str) -> None:
    texts: list[str] = []

    for block in blocks_of(page, "python", "py"):
        texts.append(block.text)
        assert undefined_names(texts) == set(), block.name


def test_the_page_about_backends_makes_a_harness_and_a_class_of_tests(
    fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("runstore.testing")
    page = "docs/write-a-backend.md"
    of_the_test, of_the_harness, of_a_deviation = blocks_of(page, "py")
    (entry,) = blocks_of(page, "toml")
    harness = ModuleType("duckdb_harness")
    monkeypatch.setitem(sys.modules, harness.__name__, harness)

    exec(compile(of_the_harness.text, of_the_harness.name, "exec"), vars(harness))
    exec(compile(of_a_deviation.text, of_a_deviation.name, "exec"), vars(harness))
    names: dict[str, Any] = {"__name__": "documentation"}
    exec(compile(of_the_test.text, of_the_test.name, "exec"), names)

    assert harness.DuckHarness(fast_path).fresh().url.startswith(f"duckdb:///{fast_path}")
    assert set(harness.MyHarness.deviations) == {"DUR.2"}
    assert issubclass(names["TestDuckDB"], names["RunStoreConformance"])
    assert entry.text.strip() in (ROOT / "examples/third_party_backend/pyproject.toml").read_text(encoding="utf-8")


def test_the_file_of_predictions_that_is_shown_is_read() -> None:
    (shown,) = blocks_of("docs/predictions.md", "text")

    found = read_predictions(BytesIO(shown.text.encode()), name="shown.csv")

    assert list(found.ids) == ["a.png", "d.png"]


def test_the_file_of_a_round_that_is_shown_is_read() -> None:
    (shown,) = blocks_of("docs/rounds.md", "json")

    found = read_round(BytesIO(shown.text.encode()))

    assert [each.client for each in found.clients] == ["st-anna", "lyon"]


@pytest.mark.parametrize("page", pages_with("toml", "yaml"))
def test_each_settings_file_that_is_shown_can_be_read(page: str) -> None:
    for block in blocks_of(page, "toml"):
        assert tomllib.loads(block.text), block.name
    for block in blocks_of(page, "yaml"):
        assert pytest.importorskip("yaml").safe_load(block.text), block.name


def test_the_example_of_the_readme_finds_its_run(capsys: pytest.CaptureFixture[str]) -> None:
    run_blocks("README.md", "python")

    run_id, status, values = capsys.readouterr().out.split(maxsplit=2)
    assert len(run_id) == 36
    assert (status, values.strip()) == ("completed", "[0.9, 0.5, 0.4]")


@pytest.mark.parametrize("page", [page for page in PAGES if any(words[0] == "runstore" for words in commands_of(page))])
def test_each_command_that_is_shown_has_the_options_it_is_shown_with(page: str) -> None:
    for words in commands_of(page):
        if words[0] == "runstore" and words[1] not in {"--help", "--version"}:
            understand(words[1:])


def test_the_commands_of_the_quickstart_print_what_it_shows() -> None:
    run_id = str(run_blocks("docs/quickstart.md", "python")["run_id"])

    assert check_transcripts("docs/quickstart.md", run_id=run_id) == 6

    assert Path("notes.txt.1").read_text() == Path("notes.txt").read_text()


@pytest.mark.parametrize(
    "server",
    ["sqlite_url", *(pytest.param(name, marks=pytest.mark.server) for name in ("postgresql_url", "mariadb_url"))],
)
def test_the_views_have_the_columns_that_the_page_names_and_take_its_queries(
    server: str, request: pytest.FixtureRequest
) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    page = PAGES["docs/sql-views.md"].read_text(encoding="utf-8")
    named = {
        view: re.findall(r"`(\w+)`", columns)
        for view, columns in re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE)
    }
    url = request.getfixturevalue(server)
    open_store(url, durable=False).close()

    driver = url.replace("postgresql:", "postgresql+psycopg:").replace("mysql:", "mysql+pymysql:")
    engine = sqlalchemy.create_engine(driver)
    found = {view: [column["name"] for column in sqlalchemy.inspect(engine).get_columns(view)] for view in named}
    with engine.connect() as connection:
        for block in [*blocks_of("docs/sql-views.md", "sql"), *blocks_of("docs/sql.md", "sql")]:
            assert connection.exec_driver_sql(block.text).all() == [], block.name
    engine.dispose()

    assert set(named) == {"experiments", "runs", "run_configurations", "run_metrics", "run_artifacts"}
    assert found == named


@pytest.mark.server
def test_the_queries_of_the_page_about_mongodb_find_the_best_run_and_its_curve(mongodb_url: str) -> None:
    with open_store(mongodb_url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("x")
        for auroc in (0.85, 0.91, 0.95, 0.93):
            run_id = store.ensure_run(experiment_id, run_id=f"{auroc}")
            store.log_config(run_id, {"model": {"depth": 18}})
            values = enumerate((0.5, auroc))
            store.log_metrics(
                run_id,
                [
                    MetricPoint(name="auroc", value=value, step=step, dataset_type="validation")
                    for step, value in values
                ],
            )

    names = run_blocks("docs/mongodb.md", "py", replaced={"mongodb://host/runs": mongodb_url})
    names["database"].client.close()  # type: ignore[attr-defined]

    assert (names["run_id"], names["curve"]) == ("0.95", [(0, 0.5), (1, 0.95)])
    assert {step: value for step, (value, _) in names["points"].items()} == {0: 0.5, 1: 0.95}  # type: ignore[attr-defined]
