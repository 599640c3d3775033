"""Rows that another program has changed are told by name: one error, and no driver's or decoder's."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from runstore import RunReader, open_reader, open_store
from runstore.errors import StoreFailureError


@pytest.fixture
def url(fast_path: Path) -> str:
    """A store with the run ``mine``, which has a file, and another run."""
    url = f"sqlite:///{fast_path}/runs.db"
    with open_store(url, durable=False) as store:
        for run_id in ("mine", "other"):
            store.ensure_run(store.get_or_create_experiment("x"), run_id=run_id)
            store.log_config(run_id, {"lr": 0.1})
            store.finalize(run_id, "failed", error=ValueError("no"))
        store.log_artifact("mine", "s3://bucket/key", name="weights", copy=False)
    return url


def search(reader: RunReader) -> object:
    return reader.search_runs()


@pytest.mark.parametrize("column", ["tags", "provenance", "failure", "status", "start_us"])
def test_a_run_that_cannot_be_read_is_named(column: str, url: str) -> None:
    change(
        url,
        f"UPDATE runstore_run SET {column} = {'9000000000000000000' if column == 'start_us' else repr('{odd')} WHERE id = 'mine'",
    )

    with open_reader(url) as reader:
        for read in (search, lambda reader: reader.get_run("mine")):
            with pytest.raises(StoreFailureError, match=r"the row of run 'mine' holds what .* restore a backup"):
                read(reader)
        assert reader.get_run("other").id == "other"


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE runstore_config SET document = '{odd'", lambda reader: reader.get_config("mine")),
        ("UPDATE runstore_config SET document = '{odd'", lambda reader: reader.get_configs(["mine"])),
        ("UPDATE runstore_artifact SET metadata = '{odd'", lambda reader: reader.list_artifacts("mine")),
    ],
)
def test_what_belongs_to_a_run_and_cannot_be_read_is_named_with_it(
    statement: str, read: Callable[[RunReader], object], url: str
) -> None:
    change(url, statement)

    with open_reader(url) as reader, pytest.raises(StoreFailureError, match=r"'mine'.* restore a backup"):
        read(reader)


def change(url: str, statement: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database, database:
        database.execute(statement)
