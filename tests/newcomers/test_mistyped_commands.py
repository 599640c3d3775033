"""What a newcomer mistypes on the command line, and what it answers: one screen that says what to do, and nothing is changed."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from newcomers.screens import check_told, typed
from runstore import MetricPoint, open_store

URL = "sqlite:///runs.db"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of three runs, an empty store, a text and a folder."""
    folder = tmp_path_factory.mktemp("newcomer")
    with open_store(f"sqlite:///{folder / 'runs.db'}", durable=False) as store:
        experiment_id = store.get_or_create_experiment("first steps")
        for name in ("sweep of learning rates and augmentations", "baseline", "resnet18"):
            run_id = store.ensure_run(experiment_id, name=name)
            store.log_config(run_id, {"optim": {"lr": 0.001}})
            store.log_metrics(run_id, [MetricPoint("loss", 0.5, step, "validation") for step in range(3)])
            store.finalize(run_id, "completed")
    with open_store(f"sqlite:///{folder / 'empty.db'}", durable=False):
        pass
    (folder / "notes.txt").write_text("no database\n" * 100)
    (folder / "results").mkdir()
    return folder


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In that folder, with its store in ``RUNSTORE_URL``; what was in it is in it afterwards, to the byte."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RUNSTORE_URL", URL)
    before = _content(folder)
    yield
    assert _content(folder) == before


def _content(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm"))]
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("runstore rums", "did you mean runs?"),
        ("runstore ls", "it is called runs"),
        ("runstore list", "it is called runs"),
        ("runstore login", "there is no account; give a command the database's URL as --store"),
        ("runstore init", "a store needs none"),
        ("runstore diff @1 @2", "it is called compare"),
        ("runstore download @1", "it is called artifacts get"),
        ("runstore --store sqlite:///runs.db runs", "An option goes behind its command, as in: runstore runs --store"),
        ("runstore --filter x", "goes behind its command"),
        ("runstore runs sqlite:///runs.db", "A store is named with --store, as in: runstore runs --store URL"),
        ("runstore runs --store", "--store URL: The store's URL; by default RUNSTORE_URL"),
        ("runstore show", "As in: runstore show @1"),
        ("runstore history", "As in: runstore history @1 loss"),
        ("runstore compare @1", "name at least two runs, as in runstore compare @1 @2"),
        ("runstore artifacts @1", "there are ls and get; as in: runstore artifacts ls @1"),
        ("runstore artifacts get @1", "As in: runstore artifacts get @1 checkpoints/best.ckpt"),
        ("runstore migrate now", "there are status and upgrade; as in: runstore migrate status"),
        ("runstore copy", "As in: runstore copy sqlite:///runs.db postgresql://me@host/lab"),
        ("runstore import", "As in: runstore import"),
        ("runstore export", "As in: runstore export"),
        ("runstore thin", "As in: runstore thin"),
        ("runstore thin --ended-before nonsense", "give a date such as 2026-01-31, or 90d"),
        ("runstore export out --format xlsx", "--format: Parquet (by default)"),
        ("runstore history @1 loss --min-step -1", "--min-step N: No points before this step"),
        ("runstore tag @1 a=b --remove a", "either set or removed, not both"),
        ("runstore note @1 text --remove", "give one of TEXT, --edit and --remove"),
        ("runstore runs --tree --csv", "in CSV the column parent_run_id tells it"),
        ("runstore sql", 'As in: runstore sql "SELECT'),
        ("runstore conformance", "As in: runstore conformance"),
        ("runstore runs --limit all", "--limit N: How many runs at most"),
        ("runstore runs --limit 0", "--limit N: How many runs at most"),
        ("runstore runs --limit 5 --all", "--all and --limit exclude each other"),
        ("runstore runs --json --csv", "--json and --csv exclude each other"),
        ("runstore rename @1", "give NAME or --remove"),
        ("runstore delete", "name runs, or give --filter or --experiment"),
        ("runstore delete @1", "give --yes if that is meant"),
    ],
)
def test_what_is_typed_wrong_is_answered_with_what_to_type(line: str, told: str) -> None:
    check_told(typed(line), told, status=2)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("runstore show last", "@1 is the newest"),
        ("runstore show @0", "@1 is the newest run, @2 the one before it"),
        ("runstore show @x", "@1 is the newest run, @2 the one before it"),
        ("runstore show @99", "there are only 3"),
        ("runstore show @1 --store sqlite:///empty.db", "there are no runs"),
        ("runstore show basline", "did you mean 'baseline'?"),
        ("runstore show learning", "did you mean 'sweep of learning rates and augmentations'?"),
        ("runstore show nothing-like-it", "`runstore runs` lists them"),
        ("runstore show ''", "@1 for the newest"),
        ("runstore show 0", "at least 4 characters"),
        ("runstore history @1", "the run has validation/loss"),
        ("runstore history @1 los", "did you mean loss?"),
        ("runstore history @1 accuracy", "has no metric 'accuracy'"),
        ("runstore compare @1 nope", "no run has the id or the name 'nope'"),
        ("runstore artifacts get @1 model.ckpt", "it has none"),
        ("runstore tag @1 owner", "to set a tag write KEY=VALUE, as in owner="),
        ("runstore tag @1 =me", "give 1 to 255 characters"),
        ("runstore rename @1 ''", "give 1 to 255 characters"),
        ("runstore archive nope", "`runstore runs` lists them"),
        ("runstore restore @1", "there are no deleted runs to restore"),
        ("runstore runs --experiment first", "did you mean 'first steps'?"),
        ("runstore runs --experiment nope", "`runstore experiments` lists them"),
        ("runstore runs --cursor abc", "give one as the page before told it"),
        ("runstore runs --filter 'loss < 0.5'", "did you mean metric.validation.loss.last?"),
        ("runstore runs --filter 'metric.val.loss < 1'", "did you mean metric.validation.loss.last?"),
        ("runstore runs --filter 'params.optim.lr < 1'", "did you mean config.optim.lr?"),
        ("runstore runs --filter \"status == 'completed'\"", "write = once"),
        ("runstore runs --filter 'status = completed'", "put texts in single quotes: 'completed'"),
        ("runstore runs --filter 'status = \"completed\"'", "put texts in single quotes"),
        ("runstore runs --filter \"status = 'finished'\"", "did you mean 'completed'?"),
        ("runstore runs --filter 'start_time > yesterday'", "a time is a text: '2026-"),
        ("runstore runs --filter 'name like base'", "as in name like 'unet%'"),
        ("runstore runs --filter '; drop table runs'", "join several by and"),
        ("runstore runs --order -start_time", "write 'start_time desc'"),
        ("runstore runs --order loss", "did you mean metric.validation.loss.last?"),
        ("runstore runs --columns nmae", "did you mean name?"),
        ("runstore runs --columns loss", "did you mean metric.validation.loss.last?"),
        ("runstore sql 'drop table runs'", "give one statement that reads"),
        ("runstore sql 'select * from nope'", "no such table: nope"),
        ("runstore sync --discard nope", "nothing waits on this machine"),
        ("runstore import nope", "there is no such file or folder"),
        ("runstore import results", "what is known"),
        ("runstore import notes.txt", "what is known"),
        ("runstore import runs.db", "runstore copy sqlite:///runs.db DST"),
        ("runstore import https://host/runs", "nothing is imported from https:// URLs"),
        ("runstore restore nope", "`runstore runs --deleted` lists them"),
        ("runstore export runs.db --format csv", "name a folder that is not there yet"),
        ("runstore compare @1 @2 --best loss", "such as loss=min"),
        ("runstore runs --filter 'duration > 1h'", "a duration is in seconds"),
        ("runstore runs --filter 'status in completed'", "write the values in parentheses"),
        ("runstore runs --filter \"tag = 'x'\"", "write tag.KEY, as in tag.owner"),
        ("runstore runs --filter 'archived'", "write archived = true"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(line: str, told: str) -> None:
    check_told(typed(line), told, status=1)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("runstore runs --store runs.db", "for that SQLite file write sqlite:///runs.db"),
        ("runstore runs --store results/exp1.db", "write sqlite:///results/exp1.db"),
        ("runstore runs --store /data/runs.sqlite", "write sqlite:////data/runs.sqlite"),
        ("runstore runs --store sqlite:runs.db", "write sqlite:///runs.db"),
        ("runstore runs --store sqlite:/data/runs.db", "write sqlite:////data/runs.db"),
        ("runstore runs --store sqlite://runs.db", "write three slashes before a relative path"),
        ("runstore runs --store postgres:/me:hunter2@host/lab", "may hold a password"),
        ("runstore runs --store sqlite:///nope.db", "no such file; check the path"),
        ("runstore runs --store sqlite:////nowhere/at/all.db", "no such file; check the path"),
        ("runstore runs --store sqlite:///results", "is a folder; give a file in it"),
        ("runstore runs --store sqlite:///notes.txt", "give another path"),
        ("runstore runs --store sqllite:///runs.db", "did you mean sqlite://?"),
        ("runstore runs --store postgressql://me@host/lab", "did you mean postgresql://?"),
        ("runstore runs --store mongo://host/lab", "did you mean mongodb://?"),
        ("runstore runs --store https://host/lab", "known: memory"),
        ("runstore runs --store memory://", "name the store that a program wrote"),
        ("runstore runs --store postgresql://me:a@b@host/lab", "write @ as %40"),
        ("runstore runs --store postgresql://host:port/lab", "that is no port"),
        ("runstore copy sqlite:///runs.db sqlite:///runs.db", "name another one to copy to"),
        ("runstore copy sqlite:///nope.db sqlite:///new.db", "no such file"),
        ("runstore copy sqlite:///runs.db memory://", "name a store that stays"),
        ("runstore verify sqlite:///runs.db sqlite:///nope.db", "no such file"),
        ("runstore migrate status --store sqlite:///results", "is a folder"),
        ("runstore sql 'select 1' --store sqlite:///nope.db", "no such file"),
    ],
)
def test_a_store_that_is_named_wrong_is_answered_with_how_to_name_it(line: str, told: str) -> None:
    check_told(typed(line), told, status=1)


def test_without_any_store_the_four_places_for_its_url_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNSTORE_URL")

    check_told(typed("runstore runs"), "--store", "RUNSTORE_URL", "runstore.toml", "pyproject.toml", status=1)
