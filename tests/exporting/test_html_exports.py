"""``runstore export --html`` as its users type it."""

import sys
from pathlib import Path

import pytest

from support.commands import runstore_here
from support.page_stores import EXPERIMENT, fill


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'runs.db'}"
    fill(url)
    return url


def title_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("<title>")[2].partition("</title>")[0]


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (["run00"], "resnet18 lr 0.001 · runstore"),
        (["run00", "run01"], "Compare 2 runs · runstore"),
        (["--experiment", EXPERIMENT], "chest x-ray · runstore"),
        (["--filter", "status = 'failed'"], "Runs · runstore"),
    ],
)
def test_one_run_gives_its_page_several_a_comparison_none_a_table(
    arguments: list[str], title: str, store: str, tmp_path: Path
) -> None:
    done = runstore_here("export", str(tmp_path / "it.html"), *arguments, "--html", "--store", store)

    assert (done.exit_code, done.output.split(" ")[0]) == (0, f"{tmp_path / 'it.html'}:")
    assert title_of(tmp_path / "it.html") == title
    assert [each.name for each in tmp_path.iterdir()] == ["it.html"]


def test_a_table_has_the_order_and_the_columns_that_are_asked_for(store: str, tmp_path: Path) -> None:
    target = tmp_path / "it.html"

    runstore_here(
        *("export", str(target), "--html", "--store", store, "--filter", "metric.validation.loss.min < 0.15"),
        *("--order", "metric.validation.loss.min", "--columns", "name,took", "--columns", "metric.validation.loss.min"),
    )
    text = target.read_text(encoding="utf-8")

    assert text.count("<th ") == 4
    assert text.index("lyon") < text.index("effnet-lite0 lr 0.0001") < text.index("charité")


def test_a_file_that_is_there_stays_unless_its_replacement_is_asked_for(store: str, tmp_path: Path) -> None:
    target = tmp_path / "mine.html"
    target.write_text("an evening's work")
    words = ("export", str(target), "run00", "--html", "--store", store)

    refused = runstore_here(*words)
    before = target.read_text()
    forced = runstore_here(*words, "--force")

    assert "--force" in str(refused.exception)
    assert before == "an evening's work"
    assert forced.exit_code == 0
    assert title_of(target) == "resnet18 lr 0.001 · runstore"


def test_an_export_that_fails_leaves_no_file(store: str, tmp_path: Path) -> None:
    for wrong in (["nobody"], ["--filter", "lr <"], ["--columns", "nothing"], ["--experiment", "nothing"]):
        done = runstore_here("export", str(tmp_path / "it.html"), *wrong, "--html", "--store", store)
        assert done.exit_code != 0
        assert done.exception is not None

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--html", "--format", "csv"], "--html excludes --format"),
        (["--html", "--no-bytes"], "--html excludes --format"),
        (["run00", "--html", "--order", "name"], "leave RUN out"),
        (["--order", "name"], "go with --html"),
        (["--columns", "name"], "go with --html"),
    ],
)
def test_options_that_do_not_go_together_are_told(more: list[str], said: str, store: str, tmp_path: Path) -> None:
    done = runstore_here("export", str(tmp_path / "it"), *more, "--store", store)

    assert done.exit_code == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_the_page_it_says_what_to_install(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("runstore_ui")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jinja2", None)

    done = runstore_here("export", str(tmp_path / "it.html"), "run00", "--html", "--store", store)

    assert 'pip install "runstore[ui]"' in str(done.exception)
    assert list(tmp_path.iterdir()) == []
