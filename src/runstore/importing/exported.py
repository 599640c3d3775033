"""A folder that ``runstore export`` has written: the runs come back as they were."""

import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from runstore.backend import NewExperiment
from runstore.errors import InvalidValueError, SourceError
from runstore.importing.export_tables import ExportTables
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.source import Source, bytes_of, opened_plainly
from runstore.model import from_microseconds
from runstore.moving import ArrivingFile, ArrivingRun
from runstore.moving.layout import (
    ARTIFACT_COLUMNS,
    ARTIFACTS,
    EXPERIMENT_COLUMNS,
    EXPERIMENTS,
    FORMAT,
    HEAD,
    POINT_COLUMNS,
    POINTS,
    RUN_COLUMNS,
    RUNS,
    VERSION,
    Form,
    Head,
    file_of_bytes,
    run_of_row,
)
from runstore.series import Columns, Series
from runstore.values import decode_config

_MOST_HEAD: Final = 2**16
_WHOLE: Final[dict[str, Form]] = {"parquet": "parquet", "json": "json"}
"""The forms that hold all of a run, as the head names them."""


class ExportedFolder(Source):
    """The tables of one export, in Parquet or in JSON."""

    format = "runstore"

    def __init__(self, folder: Path) -> None:
        """Opens the tables.

        Raises:
            SourceError: one of them cannot be read, or a newer release has written them.
            MissingDriverError: they are Parquet, and pyarrow is not installed.
        """
        self.shown = str(folder.absolute())
        self._folder = folder
        tables = ExportTables(folder, _form_in(folder / HEAD))
        self._table_of_runs = tables.place(RUNS)
        with ExitStack() as opened:
            self._runs = opened.enter_context(closing(tables.rows(RUNS, RUN_COLUMNS)))
            self._points = opened.enter_context(closing(tables.by_run(POINTS, POINT_COLUMNS)))
            self._artifacts = opened.enter_context(closing(tables.by_run(ARTIFACTS, ARTIFACT_COLUMNS)))
            self._experiments = None
            if tables.place(EXPERIMENTS).exists():  # early releases wrote none
                self._experiments = opened.enter_context(closing(tables.rows(EXPERIMENTS, EXPERIMENT_COLUMNS)))
            self._opened = opened.pop_all()

    @classmethod
    def at(cls, folder: Path) -> "ExportedFolder | None":
        """The source, if a folder is one; one of event files is as any other folder of them."""
        try:
            is_one = stat.S_ISREG((folder / HEAD).lstat().st_mode)
        except OSError:
            return None
        return cls(folder) if is_one and _head_in(folder / HEAD).tables != "tensorboard" else None

    def count(self) -> int:
        """The rows of the table of runs."""
        return self._runs.count

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each run, in the order of the table."""
        for number, row in enumerate(self._runs.rows()):
            found = findings.of(row["id"] or f"row {number} of {self._table_of_runs.name}")
            try:
                run = run_of_row(row, self._table_of_runs)
                config = _nested(row["config"], f"the config of run {run.id!r}")
            except SourceError as error:
                found.tell(Told.UNREADABLE, str(error))
                continue
            yield ArrivingRun(
                experiment=row["experiment"],
                description=row["experiment_description"],
                run=run,
                config=config,
                pieces=partial(self._pieces, run.id),
                files=partial(self._files, run.id, found),
            )

    def experiments(self, findings: Findings) -> Iterator[NewExperiment]:
        """Those without runs."""
        for row in () if self._experiments is None else self._experiments.rows():
            if not row["runs"]:
                try:
                    yield NewExperiment.checked(row["name"], description=row["description"])
                except InvalidValueError as error:
                    findings.of(f"experiment {row['name']!r:.100}").tell(Told.UNREADABLE, str(error))

    def close(self) -> None:
        """Closes the tables."""
        self._opened.close()

    def _pieces(self, run_id: str) -> Iterator[tuple[Series, Columns]]:
        for (name, kind), part in self._points.of(run_id, "name", "dataset_type"):
            yield (name, kind), Columns(part.numbers("step"), part.numbers("value"), part.numbers("logged_at"))

    def _files(self, run_id: str, found: RunFindings) -> Iterator[ArrivingFile]:
        for _, part in self._artifacts.of(run_id):
            for row in part.rows():
                try:
                    file = self._file(row)
                except SourceError as error:
                    found.tell(Told.FILE_LEFT_OUT, str(error), key=str(row["name"]))
                    continue
                yield file

    def _file(self, row: Mapping[str, Any]) -> ArrivingFile:
        name, created_at = row["name"], row["created_at"]
        if name is None or row["type"] is None or created_at is None:
            raise SourceError("its row has no name, no type or no time; each file has them")
        path = None
        if row["is_stored"]:
            # Its place follows from its bytes: what stands in the column `file` is for people, and could be any path.
            path = self._folder / file_of_bytes(row["sha256"] or "")
            if not path.is_file():
                raise SourceError(f"its bytes are not in the export ({path}); export it again, without --no-bytes")
        try:
            return ArrivingFile(
                name=name,
                artifact_type=row["type"],
                metadata=_nested(row["metadata"], "its metadata"),
                created_at=from_microseconds(created_at),
                open=None if path is None else partial(opened_plainly, path),
                uri=row["uri"],
                sha256=None if path is None else row["sha256"],
                size=None if path is None else row["size"],
            )
        except OverflowError as error:
            raise SourceError(f"its time {created_at} µs lies in no year from 1 to 9999") from error


def _head_in(path: Path) -> Head:
    try:
        head = msgspec.json.decode(bytes_of(path, _MOST_HEAD), type=Head)
    except msgspec.MsgspecError as error:
        raise SourceError(
            f"{path}: is no head of an export: {error}; restore the folder from where it comes"
        ) from error
    if head.format != FORMAT:
        raise SourceError(
            f"{path}: is of the format {head.format[:100]!r}, not {FORMAT!r}; give a folder of runstore export"
        )
    if head.version > VERSION:
        raise SourceError(
            f"{path}: was written by {head.made_by[:100] or 'a newer release'} in version {head.version}, and this one reads "
            f"up to {VERSION}; install a newer runstore"
        )
    return head


def _form_in(path: Path) -> Form:
    """What form the tables of the export have whose head this is."""
    head = _head_in(path)
    if head.tables in _WHOLE:
        return _WHOLE[head.tables]
    raise SourceError(
        f"{path}: is an export in {head.tables[:100]!r}, which does not hold all of a run; export the runs in Parquet or JSON"
    )


def _nested(text: str | None, what: str) -> dict[str, Any]:
    try:
        return decode_config(text or "{}")
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise SourceError(f"{what} is no JSON: {error}") from error
