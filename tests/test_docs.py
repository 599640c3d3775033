"""The README and the documentation tell the truth: every ``python`` block in them runs."""

import re
from pathlib import Path

import pytest

from runstore import open_store

_ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PAGES = {
    str(path.relative_to(_ROOT)): blocks
    for path in [_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))]
    if (blocks := _BLOCK.findall(path.read_text(encoding="utf-8")))
}


@pytest.mark.parametrize("page", _PAGES)
def test_each_python_block_of_a_page_runs_after_those_before_it(
    page: str, fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fast_path)
    names: dict[str, object] = {"__name__": "documentation"}

    for number, block in enumerate(_PAGES[page], start=1):
        exec(compile(block, f"{page}, block {number}", "exec"), names)

    assert len(names) > 1


def test_the_example_of_the_readme_finds_its_run(
    fast_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(fast_path)

    exec(_PAGES["README.md"][0], {"__name__": "documentation"})

    run_id, status, values = capsys.readouterr().out.split(maxsplit=2)
    assert len(run_id) == 36
    assert (status, values.strip()) == ("completed", "[0.9, 0.5, 0.4]")


@pytest.mark.parametrize(
    "server",
    ["sqlite_url", *(pytest.param(name, marks=pytest.mark.server) for name in ("postgresql_url", "mariadb_url"))],
)
def test_the_views_have_the_columns_that_the_page_names(server: str, request: pytest.FixtureRequest) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    page = (_ROOT / "docs" / "sql-views.md").read_text(encoding="utf-8")
    named = {
        view: re.findall(r"`(\w+)`", columns)
        for view, columns in re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE)
    }
    url = request.getfixturevalue(server)
    open_store(url, durable=False).close()

    driver = url.replace("postgresql:", "postgresql+psycopg:").replace("mysql:", "mysql+pymysql:")
    engine = sqlalchemy.create_engine(driver)
    found = {view: [column["name"] for column in sqlalchemy.inspect(engine).get_columns(view)] for view in named}
    engine.dispose()

    assert set(named) == {"experiments", "runs", "run_configurations", "run_metrics", "run_artifacts"}
    assert found == named
