"""Runs by the hundred thousand: the first are stored by the verbs, and the database copies those.

A run through the verbs costs milliseconds, so 100,000 of them cost hours. A copy is its run row for row, with an id, a
name, a start and metric values of its own, as :func:`benchmarks.data.copied` says. Only databases that are filled for
reading are made like this, and :func:`check` reads some of the copies back through the public reader.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from benchmarks import data
from runstore import open_reader


def copy_runs(url: str, *, copies: int) -> None:
    """Copies all runs of a store, each ``copies`` times."""
    if urlsplit(url).scheme == "mongodb":
        _copy_documents(url, copies)
    else:
        _copy_rows(url, copies)


def check(url: str, runs: list[data.RunData]) -> None:
    """Compares some of the stored runs with what they were made of: the first, the last, and a few between."""
    some = [runs[len(runs) * part // 7] for part in range(7)] + [runs[-1]]
    with open_reader(url) as reader:
        for run in some:
            (found,) = reader.search_runs(f"name = '{run.name}'", limit=2).items
            series = reader.get_summaries(found.id)
            last = {each.name: each.last.value for each in series}
            values = {
                each.name: list(reader.get_history(found.id, each.name, each.dataset_type).values) for each in series
            }
            wanted = {name: [value] for name, value in run.metrics.items()}
            if (reader.get_config(found.id), last, values) != (run.config, run.metrics, wanted):
                raise AssertionError(f"the database holds something else than {run}: {last}, {values}")


def _copy_rows(url: str, copies: int) -> None:
    import sqlalchemy as sa  # noqa: PLC0415 - only who fills an SQL database needs it

    driver = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
    scheme, rest = url.split(":", 1)
    engine = sa.create_engine(f"{driver.get(scheme, scheme)}:{rest}")
    metadata = sa.MetaData()
    metadata.reflect(engine, only=lambda name, _: name.startswith("runstore_"))
    tables = [each for each in metadata.sorted_tables if {"run_pk", "series_pk"} & set(each.c.keys())]
    run, series = metadata.tables["runstore_run"], metadata.tables["runstore_series"]
    with engine.begin() as connection:
        last = {each: connection.scalar(sa.select(sa.func.max(each.c.pk))) for each in (run, series)}
    shift_of = {"run_pk": last[run], "series_pk": last[series]}
    for number in range(1, copies + 1):
        with engine.begin() as connection:
            for table in (run, *tables):
                shifts = {**shift_of, "pk": last.get(table)}
                values = {
                    column.name: _copied_column(table, column, number, shifts.get(column.name))
                    for column in table.c
                    if column.computed is None  # what the database makes of the others
                }
                key = next(table.c[name] for name in ("series_pk", "run_pk", "pk") if name in table.c)
                most = last[series] if key.name == "series_pk" else last[run]
                originals = sa.select(*values.values()).where(key <= most)
                connection.execute(table.insert().from_select(list(values), originals))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # the others count on from the greatest key by themselves
            for table in last:
                connection.execute(
                    sa.text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'pk'), max(pk)) FROM {table.name}")
                )
    engine.dispose()


def _copied_column(table: Any, column: Any, number: int, shift: int | None) -> Any:
    import sqlalchemy as sa  # noqa: PLC0415 - only who fills an SQL database needs it

    where = (table.name, column.name)
    if shift is not None:
        return column + number * shift
    if where in {("runstore_run", "id"), ("runstore_run", "name")}:
        return column.concat(data.copy_suffix(number))
    if where in {("runstore_run", "start_us"), ("runstore_run", "end_us")}:
        return column + number * data.COPY_LATER_US
    summaries = {"runstore_series", "runstore_result"}
    if where == ("runstore_point", "value") or (table.name in summaries and column.name.endswith("_value")):
        turn: Any = sa.literal(data.copy_turn(number), sa.Double())
        value: Any = sa.type_coerce(column, sa.Double())
        return sa.case((value + turn >= 1, value + turn - 1), else_=value + turn)
    return column


def _copy_documents(url: str, copies: int) -> None:
    import pymongo  # noqa: PLC0415 - only who fills MongoDB needs it

    with pymongo.MongoClient[dict[str, Any]](url) as client:
        database = client[urlsplit(url).path[1:]]
        originals = {document["_id"]: document for document in database["runs"].find()}
        for info in database.list_collections(filter={"type": "collection"}):
            for documents in _batches(database[info["name"]].find(), 1_000):
                of_runs = [(document, originals.get(str(document["_id"]).split("\n")[0])) for document in documents]
                for number in range(1, copies + 1):
                    made = [_copied_document(document, run, number) for document, run in of_runs if run]
                    if made:
                        database[info["name"]].insert_many(made, ordered=False)


def _batches(found: Any, size: int) -> Iterator[list[dict[str, Any]]]:
    documents = list(found)  # before the first copy is there to be found as well
    rest = iter(documents)
    while batch := list(islice(rest, size)):
        yield batch


def _copied_document(document: dict[str, Any], run: dict[str, Any], number: int) -> dict[str, Any]:
    changes: dict[Any, Any] = {
        run["name"]: run["name"] + data.copy_suffix(number),
        run["start_time"]: run["start_time"] + number * data.COPY_LATER_US,
    }
    if run["end_time"] is not None:
        changes[run["end_time"]] = run["end_time"] + number * data.COPY_LATER_US
    for held in run["metrics"].values():
        value = data.turned(held["last"], number)
        changes |= {held["last"]: value, struct.pack("<d", held["last"]): struct.pack("<d", value)}
    return dict(_changed(document, changes, run["_id"], run["_id"] + data.copy_suffix(number)))


def _changed(value: Any, changes: dict[Any, Any], run_id: str, copy_id: str) -> Any:
    if isinstance(value, dict):
        return {key: _changed(item, changes, run_id, copy_id) for key, item in value.items()}
    if isinstance(value, list):
        return [_changed(item, changes, run_id, copy_id) for item in value]
    if isinstance(value, str) and value.startswith(run_id):
        return copy_id + value[len(run_id) :]
    return changes.get(value, value)
