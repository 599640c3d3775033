"""Several databases opened at the same moment by the threads of one process, as recorders of two stores do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine.reflection import Inspector

from runstore.hookspecs import OpenOptions
from runstore.opening.stores import open_store
from runstore_sql.opening import open_sql


def test_threads_that_open_different_new_databases_at_once_each_get_theirs(fast_path: Path) -> None:
    urls = [f"sqlite:///{fast_path}/{number}.db" for number in range(8)]

    def write(url: str) -> str:
        with open_store(url, durable=False) as store:
            return store.get_or_create_experiment(url)

    with ThreadPoolExecutor(len(urls)) as threads:
        list(threads.map(write, urls))

    found = []
    for url in urls:
        with open_store(url, durable=False) as store:
            found.append([experiment.name for experiment in store.list_experiments().items])
    assert found == [[url] for url in urls]


def test_a_schema_that_another_process_makes_between_two_looks_is_not_foreign(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def look(kind: str) -> Callable[..., list[str]]:
        def names(self: Inspector, *arguments: Any, **named: Any) -> list[str]:
            found: list[str] = original[kind](self, *arguments, **named)
            looks.append(kind)
            if len(looks) == 1:
                monkeypatch.undo()
                open_sql(postgresql_url, OpenOptions()).close()
                monkeypatch.setattr(Inspector, "get_table_names", look("get_table_names"))
                monkeypatch.setattr(Inspector, "get_view_names", look("get_view_names"))
            return found

        return names

    original = {kind: getattr(Inspector, kind) for kind in ("get_table_names", "get_view_names")}
    for kind in original:
        monkeypatch.setattr(Inspector, kind, look(kind))

    with open_sql(postgresql_url, OpenOptions()) as store:
        assert store.get_or_create_experiment("experiment")
