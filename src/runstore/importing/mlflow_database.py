"""MLflow's database on SQLite, PostgreSQL, MySQL or MariaDB, as releases 1 to 3 keep it, read without MLflow.

Seven of its tables are read: experiments, experiment_tags, runs, params, tags, metrics and, since release 3, logged_models. ±1.797e308 stands for an infinity there, and ``is_nan`` for a NaN.
"""

import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from math import nan
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from runstore.errors import SourceError, StoreUnavailableError
from runstore.importing.facts import series_of
from runstore.importing.folding import Chunk, SeriesFolding, StepRule, fit_name, folded, step_rule
from runstore.importing.mlflow_facts import (
    FORMAT,
    Facts,
    Model,
    config_of,
    description_of,
    prefixes_of,
    run_of,
)
from runstore.importing.mlflow_folders import ArtifactFolders
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.source import Source, arriving_files
from runstore.model import to_microseconds
from runstore.moving import ArrivingFile, ArrivingRun
from runstore.secrets import redact
from runstore.series import Columns, Series

_MOST_TIME: Final = 2**53
"""Milliseconds: far outside the calendar."""

_BATCH: Final = 50_000
"""Rows fetched at once: a piece has no more points."""


def _table(name: str, *columns: str) -> sa.TableClause:
    """A table of which no type is known: values come as the driver gives them, without a step for each."""
    return sa.table(name, *map(sa.column, columns))


_EXPERIMENTS: Final = _table("experiments", "experiment_id", "name", "lifecycle_stage")
_EXPERIMENT_TAGS: Final = _table("experiment_tags", "experiment_id", "key", "value")
_RUNS: Final = _table(
    "runs", "run_uuid", "name", "status", "start_time", "end_time", "user_id", "artifact_uri", "experiment_id",
    "lifecycle_stage",
)  # fmt: skip
_PARAMS: Final = _table("params", "run_uuid", "key", "value")
_TAGS: Final = _table("tags", "run_uuid", "key", "value")
_METRICS: Final = _table("metrics", "run_uuid", "key", "step", "timestamp", "value", "is_nan")
_MODELS: Final = _table(
    "logged_models",
    "model_id",
    "name",
    "artifact_location",
    "creation_timestamp_ms",
    "lifecycle_stage",
    "source_run_id",
)


class _Experiment(NamedTuple):
    name: str
    description: str | None


class _Span(NamedTuple):
    points: int
    lowest: int
    highest: int
    last_time: int


class MlflowDatabase(Source):
    """A database of MLflow's. Each run is read in a transaction of its own."""

    format = FORMAT

    def __init__(self, engine: sa.Engine, *, shown: str, folders: ArtifactFolders) -> None:
        """Asks the database nothing yet.

        Args:
            engine: of the database; it is closed with this.
            shown: its URL, without secrets.
            folders: from which files are taken.
        """
        self._engine = engine
        self._folders = folders
        self.shown = shown
        # Keys that differ by case alone are two keys, though MySQL's comparison has them as one.
        is_blurred = engine.dialect.name in {"mysql", "mariadb"}
        self._key: Any = sa.cast(_METRICS.c.key, sa.LargeBinary) if is_blurred else _METRICS.c.key

    @classmethod
    def of_file(cls, path: Path, artifacts: Sequence[Path]) -> Self:
        """A file of SQLite, which is opened to be read alone."""
        whole = path.resolve()
        uri = f"file:{quote(str(whole))}?mode=ro"
        engine = sa.create_engine(
            "sqlite://", poolclass=NullPool, creator=lambda: sqlite3.connect(uri, uri=True, check_same_thread=False)
        )
        return cls(engine, shown=str(path.absolute()), folders=ArtifactFolders(whole.parent, artifacts))

    @classmethod
    def of_server(cls, url: str, shown: str, artifacts: Sequence[Path]) -> Self:
        """A database on a server.

        Raises:
            ImportError: its driver is not installed.
        """
        # A write that takes long keeps the server waiting with rows that nobody has fetched yet.
        options = {"init_command": "SET SESSION net_write_timeout = 3600"} if url.startswith("mysql") else {}
        engine = sa.create_engine(url, poolclass=NullPool, connect_args=options)
        return cls(engine, shown=shown, folders=ArtifactFolders(None, artifacts))

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    def count(self) -> int:
        """The rows of runs."""
        with self._reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(_RUNS)).scalar_one())

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each run that is not deleted, by experiment and start."""
        with self._reading() as connection:
            has = sa.inspect(connection)
            tables = set(has.get_table_names())
            workspace: list[Any] = [sa.column("workspace")] if _has_column(has, "experiments", "workspace") else []
            experiments = self._experiments(connection, findings, workspace)
            ids = self._run_ids(connection, experiments, findings)
        has_models = "logged_models" in tables
        for run_id in ids:
            found = findings.of(run_id)
            try:
                arriving = self._run(run_id, experiments, ids, found, has_models=has_models)
            except SourceError as error:
                found.tell(Told.UNREADABLE, str(error))
            else:
                if arriving is not None:
                    yield arriving

    def _experiments(
        self, connection: sa.Connection, findings: Findings, workspace: list[Any]
    ) -> dict[object, _Experiment]:
        tags: dict[object, dict[str, str]] = {}
        for number, key, value in connection.execute(sa.select(*_EXPERIMENT_TAGS.c)):
            tags.setdefault(number, {})[key] = value or ""
        experiments = {}
        for number, name, stage, *place in connection.execute(sa.select(*_EXPERIMENTS.c, *workspace)):
            found = findings.of(str(number))
            if stage == "deleted":
                found.tell(Told.DELETED, f"the experiment {name!r} was deleted", key=str(name))
                continue
            whole = f"{place[0]}/{name}" if place and place[0] != "default" else str(name)
            experiments[number] = _Experiment(
                fit_name(whole, found, what="the experiment"), description_of(tags.get(number, {}), found)
            )
        return experiments

    def _run_ids(
        self, connection: sa.Connection, experiments: Mapping[object, object], findings: Findings
    ) -> dict[str, None]:
        ids: dict[str, None] = {}
        asked = sa.select(_RUNS.c.run_uuid, _RUNS.c.experiment_id, _RUNS.c.lifecycle_stage)
        for run_id, number, stage in connection.execute(
            asked.order_by(_RUNS.c.experiment_id, _RUNS.c.start_time, _RUNS.c.run_uuid)
        ):
            if stage == "deleted":
                findings.tell(Told.DELETED, "the run was deleted", run=run_id)
            elif number in experiments:
                ids[run_id] = None
        return ids

    def _run(
        self,
        run_id: str,
        experiments: Mapping[object, _Experiment],
        known: Mapping[str, None],
        found: RunFindings,
        *,
        has_models: bool,
    ) -> ArrivingRun | None:
        with self._reading() as connection:
            row = connection.execute(sa.select(*_RUNS.c).where(_RUNS.c.run_uuid == run_id)).first()
            if row is None:  # removed since
                return None
            tags = {key: value or "" for key, value in _texts(connection, _TAGS, run_id)}
            params = _texts(connection, _PARAMS, run_id)
            spans = self._spans(connection, run_id)
            models = _models(connection, run_id) if has_models else []
        experiment = experiments[row.experiment_id]
        facts = Facts(
            source=self.shown,
            run_id=run_id,
            name=row.name,
            status=row.status,
            start_time=row.start_time,
            end_time=row.end_time,
            user=row.user_id,
            artifact_uri=row.artifact_uri,
            experiment=experiment.name,
            experiment_id=str(row.experiment_id),
            tags=tags,
            last_point=max((each.last_time for each in spans.values()), default=None),
        )
        run = run_of(facts, found, is_known=known)
        series = series_of(spans, found)
        rules = {
            key: step_rule(key, found, count=each.points, lowest=each.lowest, highest=each.highest)
            for key, each in spans.items()
        }
        start_us = to_microseconds(run.start_time)

        def pieces() -> Iterator[tuple[Series, Columns]]:
            for key, chunks in self._points(run_id):
                if key in series:  # not one that came since
                    rule: StepRule = rules[key]
                    for columns in folded(chunks, SeriesFolding(key, rule, found, instead_us=start_us)):
                        yield series[key], columns

        return ArrivingRun(
            experiment=experiment.name,
            description=experiment.description,
            run=run,
            config=config_of(params, found),
            pieces=pieces,
            files=lambda: self._files(str(row.artifact_uri or ""), facts, models, found),
        )

    def _spans(self, connection: sa.Connection, run_id: str) -> dict[str, _Span]:
        columns = _METRICS.c
        asked = (
            sa.select(
                sa.func.max(columns.key),
                sa.func.count(),
                sa.func.min(columns.step),
                sa.func.max(columns.step),
                sa.func.max(columns.timestamp),
                sa.func.max(columns.value),  # a text, where there is one: SQLite takes any value in any column
            )
            .where(columns.run_uuid == run_id)
            .group_by(self._key)
        )
        spans = {}
        for key, *numbers, value in connection.execute(asked):
            if not all(isinstance(each, int) for each in numbers) or not isinstance(value, (int, float)):
                raise SourceError(
                    f"{self.shown}: table metrics, run {run_id}, key {key!r}: a step, a time or a value is no number"
                )
            spans[key] = _Span(*numbers)
        return spans

    def _points(self, run_id: str) -> Iterator[tuple[str, Iterator[Chunk]]]:
        """The points of each metric in the order of step, time and value; the database sorts and sends them bit by bit."""
        columns = _METRICS.c
        asked = (
            sa.select(columns.key, columns.step, columns.timestamp, columns.value, columns.is_nan)
            .where(columns.run_uuid == run_id)
            .order_by(self._key, columns.step, columns.timestamp, columns.value)
        )
        with self._reading() as connection:
            rows = connection.execution_options(yield_per=_BATCH).execute(asked)
            parts = (
                (key, list(part)) for batch in rows.partitions() for key, part in groupby(batch, key=itemgetter(0))
            )
            for key, several in groupby(parts, key=itemgetter(0)):
                yield key, (self._chunk(part, run_id, key) for _, part in several)

    def _chunk(self, rows: Sequence[Any], run_id: str, key: str) -> Chunk:
        _, steps, times, values, nans = zip(*rows, strict=True)
        try:
            numbers = array("d", values)
            if any(nans):
                numbers = array("d", [nan if is_nan else each for each, is_nan in zip(numbers, nans, strict=True)])
            if min(times) >= -_MOST_TIME and max(times) <= _MOST_TIME:
                return Chunk(array("q", steps), numbers, array("q", [each * 1000 for each in times]))
            bounded = [
                min(max(each, -_MOST_TIME), _MOST_TIME) * 1000 for each in times
            ]  # folded like others out of time
            return Chunk(array("q", steps), numbers, array("q", bounded))
        except (TypeError, ValueError, OverflowError) as error:
            raise SourceError(f"{self.shown}: table metrics, run {run_id}, key {key!r}: {error}") from error

    def _files(self, uri: str, facts: Facts, models: Sequence[Model], found: RunFindings) -> Iterator[ArrivingFile]:
        """The files of a run, and those of its models."""
        run_files = self._folders.find(uri, facts.experiment_id, facts.run_id)
        if run_files.folder is not None:
            yield from arriving_files(run_files.folder, found)
        for model, prefix in zip(models, prefixes_of(models), strict=True):
            place = self._folders.find(model.location, facts.experiment_id, "models", model.id)
            if place.folder is not None:
                yield from arriving_files(place.folder, found, prefix=prefix, artifact_type="model")
            elif place.is_elsewhere:
                self._tell_elsewhere(model.location, found, key=prefix)
        if run_files.is_elsewhere:
            self._tell_elsewhere(uri, found, key=None)

    def _tell_elsewhere(self, uri: str, found: RunFindings, *, key: str | None) -> None:
        text = (
            f"the files are not brought: they lie at {redact(uri)}; if that is a folder here, name it with --artifacts"
        )
        found.tell(Told.FILES_ELSEWHERE, text, key=key)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except (OperationalError, InterfaceError) as error:
            raise StoreUnavailableError(
                f"{self.shown}: the database of MLflow does not answer: {redact(str(error.orig))}"
            ) from error
        except DBAPIError as error:
            raise SourceError(
                f"{self.shown}: is no database of MLflow that can be read: {redact(str(error.orig))}"
            ) from error
        except (SQLAlchemyError, UnicodeDecodeError) as error:  # what SQLite says may itself be no UTF-8
            raise SourceError(f"{self.shown}: is no database of MLflow that can be read: {error}") from error


def _has_column(has: sa.Inspector, table: str, column: str) -> bool:
    return any(each["name"] == column for each in has.get_columns(table))


def _texts(connection: sa.Connection, table: sa.TableClause, run_id: str) -> list[tuple[str, str]]:
    rows = connection.execute(sa.select(table.c.key, table.c.value).where(table.c.run_uuid == run_id))
    return [(str(key), "" if value is None else str(value)) for key, value in rows]


def _models(connection: sa.Connection, run_id: str) -> list[Model]:
    columns = _MODELS.c
    asked = (
        sa.select(columns.model_id, columns.name, columns.artifact_location)
        .where(columns.source_run_id == run_id, columns.lifecycle_stage != "deleted")
        .order_by(columns.creation_timestamp_ms, columns.model_id)
    )
    return [Model(*map(str, row)) for row in connection.execute(asked)]
