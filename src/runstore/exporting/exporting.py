"""Exports runs of a store to a folder: whole or not at all."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from runstore.errors import InvalidValueError
from runstore.exporting.csv_files import CsvTables
from runstore.exporting.folders import new_folder
from runstore.exporting.json_lines import JsonTables
from runstore.exporting.kept_bytes import KeptBytes
from runstore.exporting.parquet import ParquetTables, check_parquet
from runstore.exporting.tensorboard import EventFiles
from runstore.exporting.written import Written
from runstore.local.whole_files import write_whole
from runstore.moving import Outcome, Progress, Selection, leaving
from runstore.moving.layout import FORMAT, HEAD, VERSION, Form, Head
from runstore.moving.report import Quiet
from runstore.protocol import RunReader

_FORMS: Final[dict[Form, Callable[[Path], Written]]] = {
    "parquet": ParquetTables,
    "json": JsonTables,
    "csv": CsvTables,
    "tensorboard": EventFiles,
}


class Exported(Struct, frozen=True, kw_only=True):
    """What was written.

    Attributes:
        folder: where it lies.
        experiments: how many experiments, with runs and without.
        runs: how many runs.
        points: how many points.
        files: how many artifacts are listed.
        bytes: of those whose bytes were written; bytes that several artifacts share count once.
        left_out: what this form cannot hold, in words, and how often it was met; nothing but in event files of TensorBoard.
    """

    folder: str
    experiments: int
    runs: int
    points: int
    files: int
    bytes: int
    left_out: dict[str, int] = {}


def export(  # noqa: PLR0913 - a store, a place and what is wanted
    source: RunReader,
    folder: Path,
    selection: Selection | None = None,
    *,
    form: Form = "parquet",
    with_bytes: bool = True,
    replace: bool = False,
    told: Progress | None = None,
) -> Exported:
    """Writes runs to a new folder: as tables with all that they have, or as event files of TensorBoard.

    ``runstore import`` brings tables in Parquet and JSON back whole.

    The folder appears when all is written; what fails leaves none.

    Args:
        source: the store to read.
        folder: where they go; nothing may be there.
        selection: which runs; by default all, archived ones as well, and experiments without runs.
        form: of the files. CSV cannot tell an empty text from a missing one, so it is not read back. What event files of
            TensorBoard cannot hold is counted.
        with_bytes: whether the bytes of artifacts are written; otherwise they are listed only.
        replace: whether an earlier export of that name gives way. Nothing else ever does.
        told: who is told how it goes.

    Raises:
        QueryError: the filter cannot be understood.
        InvalidValueError: something is there already, or the folder cannot be written.
        MissingDriverError: pyarrow is not installed.
        StoreUnavailableError, StoreFailureError: the store cannot be read, or no longer has the bytes of an artifact.
    """
    if form not in _FORMS:
        raise InvalidValueError(f"form is {form!r}; known: {', '.join(_FORMS)}")
    if form == "parquet":
        check_parquet()
    selection, told = selection or Selection(), told or Quiet()
    selection.count(source)
    with new_folder(folder, replace=replace) as aside:
        kept = KeptBytes(aside, with_bytes=with_bytes and form != "tensorboard")
        with _FORMS[form](aside) as written:
            for arriving in leaving(source, selection):
                points = written.write_run(arriving)
                told.sent(points=points)
                for file in arriving.files():
                    written.write_artifact(arriving.run, *kept.keep(arriving.run.id, file))
                told.done(arriving.run.id, Outcome.NEW)
            for experiment in selection.experiments(source):
                written.take_experiment(experiment.name, experiment.description)
        head = Head(
            format=FORMAT,
            version=VERSION,
            tables=form,
            made_by=f"runstore {version('runstore')}",
            experiments=written.experiments,
            runs=written.runs,
            points=written.points,
            files=written.artifacts,
        )
        write_whole(aside / HEAD, msgspec.json.format(msgspec.json.encode(head)) + b"\n")
    return Exported(
        folder=str(folder.absolute()),
        experiments=written.experiments,
        runs=written.runs,
        points=written.points,
        files=written.artifacts,
        bytes=kept.bytes,
        left_out=dict(written.left_out),
    )
