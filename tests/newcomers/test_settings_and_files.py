"""Settings files and files of stores that are not as they should be: each is told in one screen, and nothing is changed."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from newcomers.screens import Screen, check_told, typed
from runstore import MetricPoint, open_store


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with one run and an artifact."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "weights.bin").write_bytes(b"weights")
    with open_store(f"sqlite:///{folder / 'runs.db'}", durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("lungs"), name="baseline")
        store.log_metrics(run_id, [MetricPoint("loss", 0.5, 0)])
        store.log_artifact(run_id, folder / "weights.bin")
        store.finalize(run_id, "completed")
    return folder / "runs.db"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In a folder of its own, that no folder above it has settings for; the store beside it stays as it is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    before = sound.read_bytes()
    yield tmp_path
    assert sound.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("runstore.toml", "url = sqlite:///runs.db", 'a line of it reads url = "sqlite:///runs.db", with the quotes'),
        ("runstore.toml", 'URL = "sqlite:///runs.db"', "the unknown key 'URL'; did you mean url?"),
        ("runstore.toml", 'store = "sqlite:///runs.db"', "the unknown key 'store'; did you mean url?"),
        ("runstore.toml", 'colour = "red"', "the unknown key 'colour'; known are the texts url and artifacts"),
        ("runstore.toml", "url = 5", "url is of the wrong kind; known are the texts url and artifacts"),
        ("runstore.toml", '[tool.runstore]\nurl = "x"', "[tool.runstore] belongs into pyproject.toml"),
        ("runstore.toml", 'url = "runs.db"', "write sqlite:///runs.db"),
        ("runstore.toml", 'url = ""', "no store was named"),
        ("pyproject.toml", '[tool.runstore]\ndb = "x"', "the unknown key 'db'; did you mean url?"),
        ("pyproject.toml", '[tool.runstore\nurl = "x"', "pyproject.toml"),
        ("pyproject.toml", "[tool.runstore]\nconsole = 3", "console is of the wrong kind"),
    ],
)
def test_a_settings_file_with_a_mistake_says_where_and_how_it_is_right(name: str, text: str, told: str) -> None:
    Path(name).write_text(text)

    check_told(typed("runstore runs"), told, status=1)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("RUNSTORE_URL", "runs.db", "write sqlite:///runs.db"),
        ("RUNSTORE_URL", '"sqlite:///runs.db"', "without quotes around it"),
        ("RUNSTORE_CONSOLE", "perhaps", "give on or off"),
        ("RUNSTORE_ARTIFACTS", "nowhere://x", "give another place in RUNSTORE_ARTIFACTS"),
    ],
)
def test_a_variable_with_a_mistake_is_named(
    variable: str, value: str, told: str, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_URL", f"sqlite:///{sound}")
    monkeypatch.setenv(variable, value)

    check_told(typed("runstore runs"), told, status=1)


def _of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE patients (name)")


def _of_a_newer_release(path: Path, sound: Path) -> None:
    path.write_bytes(sound.read_bytes())
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("UPDATE runstore_schema SET version = 99, min_reader = 99, min_writer = 99")
        newer.commit()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("empty", "it is empty; check that it is the right one"),
        ("a text", "the file is no SQLite database; give another path"),
        ("cut short", "the file is damaged; restore it from a backup"),
        ("another program's", "check that it is the right one"),
        ("a newer release's", "run: pip install -U runstore"),
        ("a folder", "is a folder; give a file in it"),
    ],
)
def test_a_file_that_is_no_store_is_told_by_what_it_is(kind: str, told: str, sound: Path) -> None:
    path = Path("found.db")
    match kind:
        case "empty":
            path.touch()
        case "a text":
            path.write_text("no database\n" * 100)
        case "cut short":
            path.write_bytes(sound.read_bytes()[:5000])
        case "another program's":
            _of_another_program(path)
        case "a newer release's":
            _of_a_newer_release(path, sound)
        case _:
            path.mkdir()
    before = None if path.is_dir() else path.read_bytes()

    for command in ("runs", "show @1", "tag @1 a=b", "export out --format csv"):
        check_told(typed(f"runstore {command} --store sqlite:///found.db"), told, status=1)

    assert (None if path.is_dir() else path.read_bytes()) == before
    assert not Path("out").exists()


def _get(sound: Path, *, target: str) -> Screen:
    return typed(f"runstore artifacts get @1 weights.bin {target} --store sqlite:///{sound}")


def test_a_file_that_is_got_replaces_nothing_and_is_never_half_there(sound: Path, here: Path) -> None:
    (here / "mine.bin").write_text("mine")
    (here / "folder").mkdir()

    check_told(_get(sound, target="mine.bin"), "--force", status=1)
    check_told(_get(sound, target="folder"), "is a folder, which is never replaced; give the name of a file", status=1)
    check_told(_get(sound, target="/proc/nowhere/x"), "give another place", status=1)

    assert {path.name for path in here.iterdir()} == {".git", "mine.bin", "folder"}
    assert (here / "mine.bin").read_text() == "mine"


def test_bytes_whose_folder_was_left_behind_are_told_with_how_to_name_it(sound: Path, here: Path) -> None:
    (here / "moved.db").write_bytes(sound.read_bytes())

    got = typed("runstore artifacts get @1 weights.bin --store sqlite:///moved.db")

    check_told(got, "Give its new place in RUNSTORE_ARTIFACTS", status=1)
    assert not (here / "weights.bin").exists()


def test_an_export_replaces_nothing_but_an_export_that_is_meant(sound: Path, here: Path) -> None:
    (here / "notes").mkdir()
    (here / "notes" / "a.txt").write_text("mine")
    export = f"runstore export {{}} --format csv --store sqlite:///{sound}"

    assert typed(export.format("out")).status == 0
    check_told(typed(export.format("out")), "name another folder, or --force", status=1)
    check_told(typed(export.format("notes --force")), "is no export; name a folder that is not there yet", status=1)
    check_told(typed("runstore import out --store sqlite:///new.db"), "export the runs in Parquet", status=1)

    assert (here / "notes" / "a.txt").read_text() == "mine"
    assert not (here / "new.db").exists()


def test_two_stores_that_are_swapped_are_told_and_nothing_is_written(sound: Path, here: Path) -> None:
    swapped = typed(f"runstore copy sqlite:///new.db sqlite:///{sound}")

    check_told(swapped, "no such file", status=1)
    assert not (here / "new.db").exists()


def test_json_of_a_mistake_is_no_json_and_the_status_tells_it(sound: Path) -> None:
    screen = typed(f"runstore show nope --json --store sqlite:///{sound}")

    check_told(screen, "`runstore runs` lists them", status=1)
    assert screen.stdout == ""
    assert json.loads(typed(f"runstore show baseline --json --store sqlite:///{sound}").stdout)
