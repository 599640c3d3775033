"""Each block of each page is run, read or compared by a test, or it is counted why not: none escapes."""

import re
from collections import Counter
from pathlib import Path

import pytest

from documentation.pages import PAGES, ROOT, Block, blocks_of
from documentation.shell import SHELLS
from runstore.settings import Settings, load_settings

LANGUAGES = ("", *SHELLS, "json", "py", "python", "sql", "text", "toml", "yaml")

BY_THEIR_LANGUAGE = {
    "python": "tests/documentation/test_docs.py",
    **dict.fromkeys(SHELLS, "tests/documentation/test_shell_of_pages.py"),
}
"""The tests that run all blocks of a language, whatever the page."""

BY_THEIR_PAGE = {
    ("README.md", "py"): "tests/documentation/test_docs_of_training.py",
    ("docs/access.md", "py"): "tests/access/accounts.py",
    ("docs/access.md", "sql"): "tests/access/accounts.py",
    ("docs/clusters.md", "text"): "tests/support/galera.py",
    ("docs/commands.md", "text"): "tests/documentation/test_page_of_commands.py",
    ("docs/configuration.md", "toml"): "tests/documentation/test_every_block.py",
    ("docs/exporting.md", "sql"): "tests/documentation/test_shell_of_pages.py",
    ("docs/exporting.md", "text"): "tests/documentation/test_shell_of_pages.py",
    ("docs/federated.md", "py"): "tests/federated/test_page_of_federations.py",
    ("docs/filters.md", "text"): "tests/documentation/test_page_of_filters.py",
    ("docs/frames.md", "py"): "tests/documentation/test_docs.py",
    ("docs/huggingface.md", "py"): "tests/documentation/test_docs_of_training.py",
    ("docs/lightning-quickstart.md", "py"): "tests/documentation/test_docs_of_training.py",
    ("docs/lightning-quickstart.md", "toml"): "tests/documentation/test_docs_of_training.py",
    ("docs/lightning.md", "py"): "tests/documentation/test_docs_of_training.py",
    ("docs/lightning.md", "yaml"): "tests/documentation/test_docs_of_training.py",
    ("docs/mongodb.md", "py"): "tests/documentation/test_docs.py",
    ("docs/predictions.md", "text"): "tests/documentation/test_docs.py",
    ("docs/rounds.md", "json"): "tests/documentation/test_docs.py",
    ("docs/scale.md", "sql"): "tests/benchmarks/test_partitioning.py",
    ("docs/sql-views.md", "sql"): "tests/documentation/test_docs.py",
    ("docs/study.md", "yaml"): "tests/pneumo_train/test_study.py",
    ("docs/sweeps.md", "py"): "tests/sweeps/test_optuna.py",
    ("docs/sweeps.md", "yaml"): "tests/sweeps/test_hydra.py",
    ("docs/trainer-data.md", ""): "tests/pneumo_train/test_page_of_films.py",
    ("docs/trainer.md", "py"): "tests/documentation/test_docs_of_training.py",
    ("docs/write-a-backend.md", "py"): "tests/documentation/test_docs.py",
    ("docs/write-a-backend.md", "toml"): "tests/documentation/test_docs.py",
}
"""The tests that run, read or compare the blocks of one page in one language; each of them names the page."""

NOT_RUN = {
    ("docs/architecture.md", "text"): "a drawing",
    ("docs/durability.md", "text"): "a drawing",
    ("docs/mongodb.md", ""): "addresses of servers",
    ("docs/page.md", "py"): "it shows the page in a notebook: tests/ui does",
    ("docs/scale.md", ""): "addresses of servers",
    ("docs/trainer.md", ""): "a listing of a folder",
    ("docs/write-a-backend.md", ""): "what an author types in a project of his own, and what pytest prints there",
}
COUNTS = {
    "a drawing": 5,
    "a listing of a folder": 1,
    "addresses of servers": 2,
    "it shows the page in a notebook: tests/ui does": 1,
    "what an author types in a project of his own, and what pytest prints there": 2,
}
"""How many blocks are not run, by the reason."""


def every_block() -> list[tuple[str, Block]]:
    return [(page, block) for page in PAGES for block in blocks_of(page, *LANGUAGES)]


def test_each_block_is_run_by_a_test_that_is_named_or_counted_by_the_reason_why_not() -> None:
    escaped = [
        block.name
        for page, block in every_block()
        if block.language not in BY_THEIR_LANGUAGE and not {(page, block.language)} & {*BY_THEIR_PAGE, *NOT_RUN}
    ]
    reasons = Counter(
        NOT_RUN[page, block.language] for page, block in every_block() if (page, block.language) in NOT_RUN
    )

    assert escaped == [], "run them in a test and name it in BY_THEIR_PAGE, or give a reason in NOT_RUN"
    assert reasons == COUNTS


def test_no_block_has_a_language_that_this_test_does_not_look_at() -> None:
    fences = {
        page: re.findall(r"^ *```(\w*)", path.read_text(encoding="utf-8"), re.MULTILINE)[::2]
        for page, path in PAGES.items()
    }

    assert {page: set(found) - {*LANGUAGES} for page, found in fences.items() if set(found) - {*LANGUAGES}} == {}
    assert {page: len(found) for page, found in fences.items() if found} == Counter(page for page, _ in every_block())


@pytest.mark.parametrize(("page", "language"), BY_THEIR_PAGE)
def test_the_test_that_is_named_for_the_blocks_of_a_page_speaks_of_it(page: str, language: str) -> None:
    text = (ROOT / BY_THEIR_PAGE[page, language]).read_text(encoding="utf-8")

    assert blocks_of(page, language)
    assert page.removeprefix("docs/") in text


def test_the_settings_files_of_the_page_about_settings_name_a_store(
    fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGES["docs/configuration.md"].read_text(encoding="utf-8")
    files = dict(re.findall(r'```toml title="([^"]+)"\n(.*?)```', text, re.DOTALL))
    for variable in ("RUNSTORE_URL", "RUNSTORE_ARTIFACTS"):
        monkeypatch.delenv(variable, raising=False)

    found = {}
    for name, content in files.items():
        folder = fast_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text(content, encoding="utf-8")
        found[name] = load_settings(start=folder)

    assert found == {
        "runstore.toml": Settings(url="postgresql://me@db.example.org/runs", artifacts="s3://my-bucket/runs"),
        "pyproject.toml": Settings(url="sqlite:///runs.db"),
    }
