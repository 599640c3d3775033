"""Several databases opened at the same moment by the threads of one process, as recorders of two stores do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any

import pytest
import sqlalchemy as sa
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


def test_a_database_that_is_slow_to_be_made_keeps_no_other_waiting(fast_path: Path) -> None:
    slow, quick = (f"sqlite:///{fast_path}/{name}.db" for name in ("slow", "quick"))
    is_at_work, may_go_on = Event(), Event()
    has_waited: list[bool] = []

    def wait(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        is_slow = current_thread() is not main_thread()
        if is_slow and statement.lstrip().startswith("CREATE TABLE") and not has_waited:
            is_at_work.set()
            has_waited.append(may_go_on.wait(timeout=60))

    sa.event.listen(sa.Engine, "before_cursor_execute", wait)
    try:
        with ThreadPoolExecutor(1) as threads:
            making = threads.submit(open_sql, slow, OpenOptions())
            is_at_work.wait(timeout=60)
            open_sql(quick, OpenOptions()).close()
            may_go_on.set()
            making.result().close()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", wait)

    assert has_waited == [True], "the quick one was made only after the slow one"


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
