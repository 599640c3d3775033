"""The commands that change runs: what they do, to which runs, and what they ask before."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import Result

from runstore import MetricPoint, open_reader, open_store
from runstore.cli import changing
from runstore.errors import RunDeletedError, RunNotFoundError, RunStoreError, SchemaError
from support.commands import runstore_here

_FIRST = datetime(2025, 1, 2, 3, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with the runs a, b and c of the experiment lungs."""
    url = f"sqlite:///{tmp_path}/runs.db"
    with open_store(url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("lungs")
        for index, name in enumerate("abc"):
            start = _FIRST + timedelta(days=index)
            store.ensure_run(experiment_id, run_id=f"run-{name}", name=name, start_time=start, tags={"stage": "draft"})
            store.log_metrics(f"run-{name}", [MetricPoint("loss", 1 / step, step=step) for step in range(1, 3000)])
            store.finalize(f"run-{name}", "completed", end_time=start + timedelta(hours=1))
    return url


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that are asked, of somebody who says yes."""
    questions: list[str] = []

    def confirm(text: str, **_: object) -> bool:
        questions.append(text)
        return True

    monkeypatch.setattr(changing, "is_anybody_there", lambda: True)
    monkeypatch.setattr(click, "confirm", confirm)
    return questions


def run(*words: str, url: str, text: str | None = None) -> Result:
    return runstore_here(*words, "--store", url, text=text)


def names(url: str, where: str | None = None) -> list[str | None]:
    with open_reader(url) as reader:
        return [each.name for each in reader.search_runs(where, order_by=["name"]).items]


def test_tags_are_set_and_removed_and_shown(url: str) -> None:
    changed = run("tag", "a", "@1", "owner=me", "rate=a=b", "--remove", "stage", "--json", url=url)

    assert changed.exit_code == 0, changed.output
    assert json.loads(changed.stdout) == [
        {"id": "run-a", "name": "a", "tags": {"owner": "me", "rate": "a=b"}},
        {"id": "run-c", "name": "c", "tags": {"owner": "me", "rate": "a=b"}},
    ]
    assert run("tag", "b", url=url).stdout == "run-b (b): 1 tag\n  stage  draft\n"


def test_a_tag_that_is_set_and_removed_at_once_is_a_mistake(url: str) -> None:
    refused = run("tag", "a", "stage=final", "--remove", "stage", url=url)

    assert (refused.exit_code, "either set or removed" in refused.output) == (2, True)


def test_a_note_is_kept_shown_and_removed(url: str) -> None:
    assert run("note", "a", "two films of one patient", url=url).exit_code == 0
    assert run("note", "a", url=url).stdout == "two films of one patient\n"
    assert run("note", "a", "-", url=url, text="from\nstdin\n").exit_code == 0
    assert json.loads(run("note", "a", "--json", url=url).stdout)["note"] == "from\nstdin\n"
    assert run("note", "a", "--remove", url=url).exit_code == 0
    assert run("note", "a", url=url).stdout == ""


def test_a_note_is_edited_and_stays_where_nothing_is_saved(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click, "edit", lambda text, **_: f"{text}edited\n")
    run("note", "a", "before, ", url=url)
    run("note", "a", "--edit", url=url)
    monkeypatch.setattr(click, "edit", lambda *_, **__: None)
    run("note", "a", "--edit", url=url)

    assert run("note", "a", url=url).stdout == "before, edited\n"


def test_a_run_is_renamed_and_left_without_a_name(url: str) -> None:
    renamed = run("rename", "a", "first", "--json", url=url)
    bare = run("rename", "run-b", "--remove", url=url)

    assert json.loads(renamed.stdout) == {"id": "run-a", "name": "first", "former_name": "a"}
    assert bare.exit_code == 0
    assert set(names(url)) == {None, "c", "first"}
    assert run("rename", "c", url=url).exit_code == 2


def test_runs_are_put_away_and_brought_back(url: str) -> None:
    assert run("archive", "a", "run-b", url=url).stdout == "archived run-a (a)\narchived run-b (b)\n"
    assert names(url) == ["c"]

    assert run("unarchive", "--experiment", "lungs", "--yes", url=url).exit_code == 0
    assert names(url) == ["a", "b", "c"]


def test_many_runs_are_changed_after_a_question_that_counts_them(url: str, asked: list[str]) -> None:
    done = run("archive", "--filter", "name in ('a', 'b')", url=url)

    assert done.exit_code == 0, done.output
    assert asked == ["Archive 2 runs?"]
    assert "run-a (a)" in done.stderr
    assert names(url) == ["c"]


def test_without_anybody_to_ask_nothing_is_changed(url: str) -> None:
    refused = run("archive", "--filter", "name in ('a', 'b')", url=url)

    assert refused.exit_code == 2
    assert "archive 2 runs; nobody can be asked here: give --yes" in " ".join(refused.stderr.split())
    assert names(url) == ["a", "b", "c"]


def test_who_says_no_has_changed_nothing(url: str, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click, "confirm", lambda *_, **__: False)

    refused = run("delete", "a", url=url)

    assert (refused.exit_code, refused.stderr.splitlines()[-1]) == (1, "Nothing was changed.")
    assert asked == []
    assert names(url) == ["a", "b", "c"]


def test_a_run_is_deleted_after_a_question_and_restored(url: str, asked: list[str]) -> None:
    deleted = run("delete", "a", url=url)

    assert deleted.exit_code == 0, deleted.output
    assert asked == ["Delete 1 run?"]
    assert deleted.stdout == "deleted run-a (a)\n"
    assert f"`runstore restore run-a` undoes it, until {datetime.now(UTC) + timedelta(days=30):%Y-%m}" in deleted.stderr
    assert names(url) == ["b", "c"]
    run("delete", "b", "--yes", url=url)
    restored = run("restore", "@2", "run-b", url=url)
    assert restored.stdout == "restored run-a (a)\nrestored run-b (b)\n"
    assert names(url) == ["a", "b", "c"]


def test_a_deleted_run_is_found_by_its_name_and_by_a_part_of_its_id(url: str) -> None:
    run("delete", "a", "b", "--yes", url=url)

    assert run("restore", "un-b", "a", url=url).stdout == "restored run-b (b)\nrestored run-a (a)\n"


def test_the_whole_id_of_a_run_that_is_there_restores_no_other_whose_id_begins_so(url: str) -> None:
    with open_store(url, durable=False) as store:
        store.ensure_run(store.get_or_create_experiment("lungs"), run_id="run-a-again")
        store.delete_run("run-a-again")

    run("restore", "run-a", url=url)

    with open_reader(url) as reader, pytest.raises(RunDeletedError):
        reader.get_run("run-a-again")


def test_garbage_is_only_shown_unless_told_otherwise(url: str) -> None:
    run("delete", "a", "--yes", url=url)

    none = run("gc", "--json", url=url)
    shown = run("gc", "--deleted-before", "0d", url=url)
    removed = run("gc", "--deleted-before", "0d", "--yes", url=url)

    assert json.loads(none.stdout)["runs"] == 0
    assert shown.stdout.startswith("would remove 1 deleted run with 2,999 points")
    assert "--yes removes it" in shown.stderr
    assert removed.stdout.startswith("removed 1 deleted run with 2,999 points")
    gone = run("restore", "run-a", url=url)
    assert isinstance(gone.exception, RunDeletedError)


def test_histories_are_thinned_after_a_question_that_counts_their_runs(url: str, asked: list[str]) -> None:
    with open_store(url, durable=False) as store:
        store.log_metrics("run-a", [MetricPoint("loss", 0.5, step=step) for step in range(3000, 20_000)])

    done = run("thin", "--ended-before", "2025-01-03", "--json", url=url)

    assert done.exit_code == 0, done.output
    assert [question.split(" ended")[0] for question in asked] == ["Thin the histories of 1 run that"]
    assert json.loads(done.stdout)["series"] == 1
    assert run("thin", "--ended-before", "soon", url=url).exit_code == 2


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["tag", "nobody", "a=b"], RunNotFoundError),
        (["archive", "--filter", "name = 'nobody'", "--yes"], RunNotFoundError),
        (["archive", "--filter", "nonsense ="], RunStoreError),
        (["restore", "nobody"], RunNotFoundError),
        (["restore", "@1"], RunNotFoundError),
    ],
)
def test_a_run_that_is_not_there_is_an_error(url: str, words: list[str], error: type[Exception]) -> None:
    assert isinstance(run(*words, url=url).exception, error)


@pytest.mark.parametrize("words", [["archive"], ["archive", "a", "--filter", "name = 'a'"], ["tag", "a=b"]])
def test_runs_are_named_or_filtered(url: str, words: list[str]) -> None:
    assert run(*words, url=url).exit_code == 2


def test_no_store_is_made_where_there_is_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mistyped.db"

    for words in (["tag", "a", "b=c"], ["gc"], ["delete", "a"], ["thin", "--ended-before", "1d"], ["restore", "a"]):
        assert isinstance(run(*words, url=url).exception, SchemaError)
    assert list(tmp_path.iterdir()) == []
