"""Each command in a shell block of a page is done, in the order of the page, or it is counted why it is not."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from documentation.pages import PAGES, ROOT, blocks_of, pages_with, run_blocks
from documentation.shell import SHELLS, STORE, Line, do, lines_of, make_store

NOT_DONE = {
    "it trains: the tests of the trainer do, and its options are understood": 50,
    "it reads what another tool has left: tests/importing makes such files with that tool": 18,
    "it goes on until it is stopped": 4,
    "it serves until it is stopped: tests/ui does": 1,
    "it opens an editor": 1,
    "it needs films: test_page_of_films makes those of that page": 15,
    "it may need a tool of the database: test_page_of_operations does all of that page": 21,
    "it runs the whole kit against a server: tests/conformance does": 2,
}
"""How many commands of the pages are not done here, by the reason."""
CHECKED = {
    "pip": "it installs: test_doors looks whether the extra is declared, and the tests of packaging install each",
    "make": "it is a target of make: test_doors looks whether there is such a one",
}
"""Programs whose commands are looked at elsewhere, and why they are not done."""


def reason_not_to(line: Line) -> str | None:  # noqa: PLR0911 - one a reason
    if line.page == "docs/operations.md":
        return "it may need a tool of the database: test_page_of_operations does all of that page"
    if line.page == "docs/trainer-data.md":
        return "it needs films: test_page_of_films makes those of that page"
    match line.words:
        case [program, *_] if program in CHECKED:
            return CHECKED[program]
        case ["pneumo-train", *_]:
            return "it trains: the tests of the trainer do, and its options are understood"
        case ["runstore", "import", *_] if "coming-from" in line.page:
            return "it reads what another tool has left: tests/importing makes such files with that tool"
        case ["runstore", "ui", *_]:
            return "it serves until it is stopped: tests/ui does"
        case ["runstore", *more] if "--watch" in more:
            return "it goes on until it is stopped"
        case ["runstore", *more] if "--edit" in more:
            return "it opens an editor"
        case ["runstore", "conformance", *_]:
            return "it runs the whole kit against a server: tests/conformance does"
    return None


DONE = {page: [line for line in lines_of(page) if reason_not_to(line) is None] for page in pages_with(*SHELLS)}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store as the pages speak of it."""
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("RUNSTORE_STATE_DIR", str(folder / "state"))
        make_store()
    return folder


@pytest.fixture
def _beside_it(prepared: Path, fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fast_path / "work"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RUNSTORE_STATE_DIR", f"{fast_path}/state")
    monkeypatch.setenv("RUNSTORE_URL", STORE)


@pytest.mark.usefixtures("_beside_it")
@pytest.mark.parametrize("page", [page for page, lines in DONE.items() if lines])
def test_the_commands_of_a_page_are_done_one_after_the_other(page: str) -> None:
    pytest.importorskip("sqlalchemy")
    if any("--parquet" in line.words or line.words[1] == "export" for line in DONE[page]):
        pytest.importorskip("pyarrow")
    if any("--discard" in line.words for line in DONE[page]):
        pytest.importorskip("psycopg")
    run_id = ""
    if any("RUN_ID" in line.words for line in DONE[page]):  # of the run that the page's programs have made
        run_id = str(run_blocks(page, "python")["run_id"])

    for line in DONE[page]:
        assert line.words[0] == "runstore", f"{page}: {line.shown}"
        do(line, run_id=run_id)


@pytest.mark.usefixtures("_beside_it")
def test_the_page_about_exports_lists_and_reads_what_its_first_command_has_written() -> None:
    pytest.importorskip("pyarrow")
    duckdb = pytest.importorskip("duckdb")
    page = "docs/exporting.md"
    (query,) = blocks_of(page, "sql")
    (listing,) = blocks_of(page, "text")

    do(DONE[page][0])

    folder = Path(listing.text.partition("/")[0])
    assert {each.name for each in folder.iterdir()} == set(re.findall(r"^ {4}([\w.-]+)", listing.text, re.MULTILINE))
    found = duckdb.sql(query.text).fetchall()
    assert [name for name, _, _ in found] == ["fold 3", "fold 2", "fold 1", "fold 0"]


def test_each_tool_that_one_may_come_from_has_a_page_and_a_test_that_brings_its_runs() -> None:
    pages = {page.removeprefix("docs/coming-from-").removesuffix(".md") for page in PAGES if "coming-from" in page}
    tests = {path.stem.removeprefix("test_from_") for path in (ROOT / "tests/importing").glob("test_from_*.py")}

    assert {"lightning_csv" if page == "csvlogger" else page for page in pages} == tests


def test_the_commands_that_are_not_done_are_counted_by_their_reasons() -> None:
    reasons = [reason_not_to(line) for page in PAGES for line in lines_of(page)]

    assert Counter(reason for reason in reasons if reason and reason not in CHECKED.values()) == NOT_DONE
