"""Names and texts that would be SQL, operators, shell, paths or terminal codes elsewhere are nothing but text to the commands."""

import json
import re
import sqlite3
import unicodedata
from pathlib import Path

import pytest

from runstore import MetricPoint, Store, open_reader, open_store
from support.commands import runstore_here

HOSTILE = [
    "'; DROP TABLE runstore_run; --",
    '"; DELETE FROM runs; --',
    "') OR 1=1 --",
    "%s %(name)s :name ? $1 {0} \\",
    '{"$gt": ""}',
    "$where",
    "a.$set.b",
    "$(touch hostile) `touch hostile` ; touch hostile | touch hostile",
    "../../hostile",
    "/etc/hostile",
    "..\\..\\hostile",
    "\u202egnp.exe\u2066",
    "[red]markup[/red]",
    "=HYPERLINK(0)",
    "a_b%c",
]
"""Each is a name that somebody who may log runs could give one of them, or a metric, or a tag."""
STEERING = ["\x1b[2J\x1b]0;hostile\x07\x1b[8m", "\x9b31mred\x85", "\rover\b"]
"""No name may be so, but a note and the value of a tag may."""


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.server),
        pytest.param("mariadb", marks=pytest.mark.server),
        pytest.param("mongodb", marks=pytest.mark.server),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store with one run that nobody names, in a folder where nothing lies."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    url = str(request.getfixturevalue(f"{request.param}_url"))
    with open_store(url, durable=False) as store:
        fill(store, "bystander")
    return url


def fill(store: Store, run_id: str, *, metric: str = "loss", **more: str) -> None:
    store.ensure_run(store.get_or_create_experiment("x"), run_id=run_id, name=run_id, tags=more)
    store.log_config(run_id, {metric: metric})
    store.log_metrics(run_id, [MetricPoint(metric, step / 7, step) for step in range(3)])
    store.finalize(run_id, "completed")


def run(command: str, *arguments: str, url: str) -> str:
    """What a command prints, which steers no terminal."""
    done = runstore_here(command, "--store", url, *arguments)
    assert done.exception is None, (command, arguments, done.exception, done.output)
    steering = [each for each in done.output if unicodedata.category(each) in {"Cc", "Cf"} and each != "\n"]
    assert steering == [], (command, arguments)
    return done.stdout


def test_what_is_written_is_what_was_given_and_nothing_else_changes(url: str, tmp_path: Path) -> None:
    with open_reader(url) as reader:
        bystander = reader.get_run("bystander")
    with open_store(url, durable=False) as store:
        for number in range(len(HOSTILE)):
            fill(store, f"target-{number}")

    for number, text in enumerate(HOSTILE):
        run("rename", f"target-{number}", "--", text, url=url)
        run("note", f"target-{number}", "--", text, url=url)
        run("tag", f"target-{number}", f"key={text}", url=url)
    with open_reader(url) as reader:
        found = [reader.get_run(f"target-{number}") for number in range(len(HOSTILE))]
        assert reader.get_run("bystander") == bystander
        assert reader.count_runs() == len(HOSTILE) + 1

    assert [each.name for each in found] == HOSTILE
    assert [each.note for each in found] == HOSTILE
    assert [each.tags for each in found] == [{"key": text} for text in HOSTILE]
    assert [str(each) for each in tmp_path.rglob("*hostile*")] == []
    assert list((tmp_path / "here").iterdir()) == []


def test_a_text_that_would_steer_a_terminal_is_kept_and_shown_as_its_escape(url: str) -> None:
    for text in STEERING:
        run("note", "bystander", "--", text, url=url)
        run("tag", "bystander", f"key={text}", url=url)
        for command in ("show", "note", "tag"):
            run(command, "bystander", url=url)
        run("runs", "--columns", "id,note,tag.key", url=url)

        with open_reader(url) as reader:
            found = reader.get_run("bystander")
        assert (found.note, found.tags) == (text, {"key": text})
        refused = runstore_here("rename", "--store", url, "bystander", "--", text)
        assert refused.exit_code != 0
        assert "control character" in str(refused.exception)


def test_runs_are_found_by_such_names_alone(url: str) -> None:
    with open_store(url, durable=False) as store:
        for number, text in enumerate(HOSTILE):
            fill(store, f"target-{number}", key=text)
            store.rename_run(f"target-{number}", text)

    for number, text in enumerate(HOSTILE):
        quoted = "'" + text.replace("'", "''") + "'"
        for asked in (f"tag.key = {quoted}", f"name = {quoted}"):
            found = json.loads(run("runs", "--json", "--filter", asked, url=url))
            assert [each["id"] for each in found] == [f"target-{number}"], asked


def test_metrics_of_such_names_are_read_by_them(url: str, tmp_path: Path) -> None:
    with open_store(url, durable=False) as store:
        for number, text in enumerate(HOSTILE):
            fill(store, f"target-{number}", metric=text)

    for number, text in enumerate(HOSTILE):
        (history,) = json.loads(run("history", "--json", f"target-{number}", "--", text, url=url))
        assert (history["name"], history["values"]) == (text, [0.0, 1 / 7, 2 / 7])
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_metrics_and_tags_of_such_names_are_shown_as_text(url: str, tmp_path: Path) -> None:
    with open_store(url, durable=False) as store:
        for number, text in enumerate(HOSTILE):
            fill(store, f"target-{number}", metric=text, **{text: text})

    for number, text in enumerate(HOSTILE):
        name = f"target-{number}"
        run("history", name, "--", text, url=url)
        run("show", name, url=url)
        run("compare", name, "bystander", url=url)
        run("runs", "--columns", 'id,tag."' + text.replace('"', '""') + '"', url=url)
    run("runs", "--csv", url=url)
    assert list((tmp_path / "here").iterdir()) == []


def test_such_names_are_copied_as_they_are(url: str, tmp_path: Path) -> None:
    with open_store(url, durable=False) as store:
        for number, text in enumerate(HOSTILE):
            fill(store, f"target-{number}", metric=text, **{text: text})
    there = f"sqlite:///{tmp_path}/there.db"

    copied = runstore_here("copy", url, there)
    verified = runstore_here("verify", url, there)

    assert (copied.exit_code, verified.exit_code) == (0, 0), (copied.output, verified.output)


@pytest.mark.parametrize(
    "name", ["../../hostile", "{tmp_path}/hostile", "a/../../../hostile", "..", ".", "", "a\0b", "..\\hostile"]
)
def test_a_file_whose_name_leads_out_of_its_folder_goes_nowhere_else(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = name.replace("{tmp_path}", str(tmp_path))
    (tmp_path / "a/b/here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a/b/here")
    store_url = f"sqlite:///{tmp_path}/a/b/runs.db"
    (tmp_path / "given").write_bytes(b"bytes")
    with open_store(store_url, durable=False) as store:
        fill(store, "one")
        store.log_artifact("one", tmp_path / "given", name="series/step-000000001.png")
    connection = sqlite3.connect(tmp_path / "a/b/runs.db")
    connection.execute("UPDATE runstore_artifact SET name = ?", (name,))  # as nothing of ours would write it
    connection.commit()
    connection.close()
    before = {each for each in tmp_path.rglob("*") if "here" not in each.parts}

    for arguments in (("get", "one", name), ("get", "one", name, "--all"), ("get", "one", name, "kept")):
        runstore_here("artifacts", *arguments, "--store", store_url)
    runstore_here("artifacts", "ls", "one", "--store", store_url)
    runstore_here("copy", store_url, f"sqlite:///{tmp_path}/a/b/here/there.db")

    after = {each for each in tmp_path.rglob("*") if "here" not in each.parts}
    assert {each for each in after - before if not re.search(r"-(wal|shm)$", each.name)} == set()
