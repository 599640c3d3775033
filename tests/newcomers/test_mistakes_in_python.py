"""What a newcomer writes wrong in Python: the traceback fits on one screen, and its last line says what to do."""

import re
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

import runstore
from newcomers.screens import LINES, height
from runstore import MetricPoint, open_store

_BESIDE = "import runstore\nfrom pathlib import Path\n"
_INSTALLED = "/home/researcher/miniconda3/envs/pneumonia/lib/python3.13/site-packages"
"""Where runstore lies for a newcomer: a screen holds no less for a longer path than this checkout's."""
_COMMANDS = re.compile(r"--(store|filter|columns|cursor|limit)\b")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In a folder with a store of one run, a text and a folder; nothing is added to it by a mistake."""
    with open_store(f"sqlite:///{tmp_path / 'runs.db'}", durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("first steps"), name="baseline")
        store.log_metrics(run_id, [MetricPoint("loss", 0.5, 0, "validation")])
        store.finalize(run_id, "completed")
    (tmp_path / "notes.txt").write_text("no database\n" * 100)
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    before = _names(tmp_path)
    yield
    assert _names(tmp_path) == before


def _names(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm"))}


def said(code: str) -> str:
    """The traceback that Python prints when a script of this text ends by an error, from the script's line on."""
    script = compile(f"{_BESIDE}{code}\n", "train.py", "exec")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one, the test says by its words
        exec(script, {"__name__": "__main__"})
    error = caught.value
    while error.__traceback__ is not None and error.__traceback__.tb_frame.f_code.co_filename != "train.py":
        error.__traceback__ = error.__traceback__.tb_next
    shown = "".join(traceback.format_exception(error))
    return shown.replace(str(Path(runstore.__file__).parents[1]), _INSTALLED)


def test_a_journal_that_cannot_be_written_is_told_in_one_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", "/proc/nowhere")

    shown = said("runstore.start_run('x', store='sqlite:///runs.db')")

    assert "name another one in RUNSTORE_STATE_DIR" in shown.rstrip().splitlines()[-1]
    assert height(shown) <= LINES, shown


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("runstore.open_store()", "no store was named; give a URL such as sqlite:///runs.db"),
        ("runstore.open_store('runs.db')", "for that SQLite file write sqlite:///runs.db"),
        ("runstore.open_store(Path('runs.db'))", "give a text: 'sqlite:///runs.db'"),
        ("runstore.open_store('sqlite:///results')", "is a folder; give a file in it"),
        ("runstore.open_store('sqlite:///notes.txt')", "the file is no SQLite database; give another path"),
        ("runstore.open_store('sqlite:///notes.txt', durable=False)", "give another path"),
        ("runstore.open_reader('sqlite:///nope.db')", "no such file; check the path"),
        ("runstore.open_reader('sqlite:///notes.txt')", "give another path"),
        ("runstore.open_reader('memory://')", "name the store that a program wrote"),
        ("runstore.open_store('sqllite:///runs.db')", "did you mean sqlite://?"),
        ("runstore.start_run()", "no store was named"),
        ("runstore.start_run(store='sqlite:///runs.db')", "experiment"),
        ("runstore.start_run('', store='sqlite:///runs.db')", "give 1 to"),
        ("runstore.start_run('x', store='sqlite:///results')", "is a folder; give a file in it"),
        ("runstore.start_run('x', store='sqlite:///notes.txt')", "give another path"),
        ("runstore.start_run('x', config='lr=1', store='memory://')", "a mapping such as {'lr': 0.001}"),
        ("runstore.start_run('x', resume='nope', store='sqlite:///runs.db')", "no run has the id or the name 'nope'"),
        ("with runstore.start_run('x', store='memory://') as r: r.log('loss', 0.5)", "such as {'loss': 0.5}"),
        ("with runstore.start_run('x', store='memory://') as r: r.log({'a': 1}, step='1')", "give a whole number"),
        ("with runstore.start_run('x', store='memory://') as r: r.log_metric('a', 1)", "use run.log({'loss': 0.5})"),
        (
            "with runstore.start_run('x', store='memory://') as r: r.log_param('a', 1)",
            "use run.log_config({'lr': 0.001})",
        ),
        ("runstore.init('x')", "use runstore.start_run"),
        ("runstore.log({'a': 1})", "use runstore.start_run"),
        ("with runstore.open_reader('sqlite:///runs.db') as r: r.get_run('baseline')", "resolve_run('baseline')"),
        ("with runstore.open_reader('sqlite:///runs.db') as r: list(r.iter_runs('loss < 1'))", "did you mean metric."),
        ("with runstore.open_reader('sqlite:///runs.db') as r: r.search_runs(limit=0)", "1 to 10000"),
        ("with runstore.open_reader('sqlite:///runs.db') as r: r.search_runs(cursor='x')", "pass next_cursor"),
        ("with runstore.open_reader('sqlite:///runs.db') as r: r.set_tags('x', {})", "open_store(url) to write"),
        (
            "with runstore.open_reader('sqlite:///runs.db') as r: r.get_history(r.resolve_run('@1'), 'loss', 'val')",
            "known: train, validation, test, other",
        ),
    ],
)
def test_a_mistake_is_one_screen_whose_last_line_says_what_to_do(code: str, told: str) -> None:
    shown = said(code)

    last = shown.rstrip().splitlines()[-1]
    assert told in last, shown
    assert height(shown) <= LINES, shown
    assert _COMMANDS.search(last.replace("(a command's --store)", "")) is None, last
