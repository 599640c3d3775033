"""Which format a path or a URL is of."""

import sqlite3
import stat
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

from runstore.errors import MissingDriverError, SourceError
from runstore.importing.exported import ExportedFolder
from runstore.importing.lightning_csv import LightningCsvFolder
from runstore.importing.mlflow_facts import MLFLOW_TABLES
from runstore.importing.mlruns import MlrunsFolder
from runstore.importing.neptune import NeptuneFolder
from runstore.importing.sacred_files import SacredFolder
from runstore.importing.source import Source
from runstore.importing.tensorboard import TensorBoardFolder
from runstore.importing.trackio import TrackioProjects
from runstore.importing.wandb_offline import WandbOffline
from runstore.secrets import redact
from runstore.urls import check_splits, file_of, scheme_of

_OWN_TABLE = "runstore_run"
_SQLITE_HEAD: Final = b"SQLite format 3\0"

_SERVERS: Final = {
    "postgresql": ("postgresql+psycopg", "postgres"),
    "postgres": ("postgresql+psycopg", "postgres"),
    "mysql": ("mysql+pymysql", "mysql"),
    "mariadb": ("mysql+pymysql", "mysql"),
}
"""By the scheme of a URL: what SQLAlchemy calls it, and the extra that brings the driver."""

_MONGODB: Final = frozenset({"mongodb", "mongodb+srv"})

KNOWN: Final = (
    "a folder mlruns of MLflow; MLflow's database (mlflow.db, or its URL on PostgreSQL, MySQL or MariaDB); "
    "a folder wandb of W&B, or one run's in it; a folder with event files of TensorBoard (events.out.tfevents.…) "
    "or with metrics.csv of Lightning; a database of Trackio, or the folder of those; "
    "the folder of Neptune's exporter (…_part_0.parquet); the folder of Sacred's FileStorageObserver, or its database (mongodb://…); "
    "a folder of runstore export"
)
"""What is known, for errors and help."""


def source_at(place: str, *, artifacts: Sequence[Path] = ()) -> Source:
    """The source at a path or a URL; it is read only, and nothing is written to it.

    Args:
        place: as a person gives it.
        artifacts: further folders from which files may be taken, where a database names them.

    Raises:
        SourceError: nothing is there, or nothing that is known.
        SettingsError: the URL cannot be understood.
        MissingDriverError: says what to install.
        StoreUnavailableError: the database cannot be reached.
    """
    if "://" not in place:
        return _source_in(Path(place).expanduser(), artifacts)
    check_splits(place)
    scheme = scheme_of(place)
    if scheme == "sqlite":
        file = file_of(place)
        if file is None:
            raise SourceError(f"{place}: names no file; give the path of MLflow's database, such as mlflow.db")
        return _source_in(Path(file).expanduser(), artifacts)
    if scheme == "file":
        raise SourceError(f"{place}: give the path of the folder instead, without file://")
    if scheme in _SERVERS:
        return _mlflow_server(place, scheme, artifacts)
    if scheme in _MONGODB:
        return _sacred_server(place)
    raise SourceError(f"{redact(place)}: nothing is imported from {scheme}:// URLs; what is known: {KNOWN}")


def _source_in(path: Path, artifacts: Sequence[Path]) -> Source:
    if path.is_dir():
        found: Source | None = ExportedFolder.at(path) or MlrunsFolder.at(path) or WandbOffline.at(path, artifacts)
        if found is not None:
            return found
        inside = [each for each in ("mlruns", "mlflow.db", "wandb") if (path / each).exists()]
        if inside:
            raise SourceError(f"{path}: holds {' and '.join(inside)}; give that: runstore import {path / inside[0]}")
        found = _folder_of_runs(path, artifacts)
        if found is not None:
            return found
        raise SourceError(f"{path}: is a folder of no format that is known; what is known: {KNOWN}")
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for who writes to it
            raise SourceError(f"{path}: is no plain file and no folder, so it is not read")
        with path.open("rb") as file:
            head = file.read(len(_SQLITE_HEAD))
    except FileNotFoundError:
        raise SourceError(f"{path}: there is no such file or folder") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    found = WandbOffline.at(path, artifacts) or _file_of_runs(path)
    if found is not None:
        return found
    if head == _SQLITE_HEAD:
        return _sqlite_source(path, artifacts)
    raise SourceError(f"{path}: is a file of no format that is known; what is known: {KNOWN}")


def _folder_of_runs(path: Path, artifacts: Sequence[Path]) -> Source | None:
    found = TensorBoardFolder.at(path) or LightningCsvFolder.at(path) or NeptuneFolder.at(path)
    return found or TrackioProjects.at(path) or SacredFolder.at(path, artifacts)


def _file_of_runs(path: Path) -> Source | None:
    return TensorBoardFolder.at(path) or LightningCsvFolder.at(path) or NeptuneFolder.at(path)


def _sqlite_source(path: Path, artifacts: Sequence[Path]) -> Source:
    tables = _tables_of(path)
    if tables >= MLFLOW_TABLES:
        _check_sqlalchemy("sql")
        from runstore.importing.mlflow_database import MlflowDatabase  # noqa: PLC0415 - imports SQLAlchemy

        return MlflowDatabase.of_file(path, artifacts)
    projects = TrackioProjects.at(path)
    if projects is not None:
        return projects
    if _OWN_TABLE in tables:
        raise SourceError(
            f"{path}: is a store of runstore itself; its runs are brought into another one by: "
            f"runstore copy sqlite:///{path} DST"
        )
    found = ", ".join(sorted(tables)[:5]) or "none"
    raise SourceError(
        f"{path}: is a database of SQLite with the tables of no format that is known (found: {found}); "
        f"what is known: {KNOWN}"
    )


def _tables_of(path: Path) -> set[str]:
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        finally:
            connection.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:  # what SQLite says may itself be no UTF-8
        raise SourceError(f"{path}: is a database of SQLite that cannot be read: {error}") from error
    return {name for (name,) in rows}


def _mlflow_server(url: str, scheme: str, artifacts: Sequence[Path]) -> Source:
    driver, extra = _SERVERS[scheme]
    _check_sqlalchemy(extra)
    from runstore.importing.mlflow_database import MlflowDatabase  # noqa: PLC0415 - imports SQLAlchemy

    try:
        return MlflowDatabase.of_server(f"{driver}://{url.partition('://')[2]}", redact(url), artifacts)
    except ImportError as error:
        raise _missing(f"the driver {driver.partition('+')[2]}", extra) from error


def _sacred_server(url: str) -> Source:
    if find_spec("pymongo") is None:
        raise _missing("pymongo", "mongo", of="Sacred")
    from runstore.importing.sacred_mongodb import SacredDatabase  # noqa: PLC0415 - imports pymongo

    return SacredDatabase.of(url)


def _check_sqlalchemy(extra: str) -> None:
    if find_spec("sqlalchemy") is None:
        raise _missing("SQLAlchemy", extra)


def _missing(what: str, extra: str, *, of: str = "MLflow") -> MissingDriverError:
    return MissingDriverError(
        f'to read a database of {of} takes {what}, which is not installed; install it: pip install "runstore[{extra}]"'
    )
