"""Folders of Lightning's CSVLogger, ``lightning_logs/version_0`` with ``metrics.csv`` and ``hparams.yaml``, read without Lightning.

=============================  ======================================================================================
in the folder                  here
=============================  ======================================================================================
the folder that is given       the experiment
a folder with ``metrics.csv``  a run, called as its folder. Its id is made of the path
``metrics.csv``                points. The file has no times: each point has that of the run's start
``hparams.yaml``               the configuration; its time is the start
=============================  ======================================================================================
"""

import csv
import os
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from runstore.errors import SourceError
from runstore.importing.csv_metrics import CsvMetrics, header_of
from runstore.importing.facts import Origin, config_of, names_of, run_of, series_of
from runstore.importing.folding import fit_name
from runstore.importing.gathering import gathered
from runstore.importing.meta_yaml import read_settings
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.source import Source, folders_with, opened_plainly
from runstore.model import RunStatus
from runstore.moving import ArrivingRun

FORMAT: Final = "lightning-csv"
_RUNS: Final = uuid.UUID("5b0d6c58-7d2e-5c1e-8f0a-3f2f2f0f9b64")
"""Namespace of the ids of runs that come from such folders. It must never change: a second import must find what the first made."""

_METRICS: Final = "metrics.csv"
_SETTINGS: Final = "hparams.yaml"
_MOST_HEADER: Final = 2**20


class LightningCsvFolder(Source):
    """A folder below which files ``metrics.csv`` lie, or one such file."""

    format = FORMAT

    def __init__(self, place: Path, folders: list[Path]) -> None:
        """Reads nothing yet."""
        self._place = Path(os.path.abspath(place))  # noqa: PTH100 - what a link leads to may be called otherwise
        self._folders = folders
        self.shown = str(self._place)

    @classmethod
    def at(cls, place: Path) -> Self | None:
        """The source, if a path is one."""
        if not place.is_dir():
            return cls(place, [place.parent]) if place.name == _METRICS and _is_metrics(place) else None
        folders = [folder for folder in folders_with(place, _METRICS.__eq__) if _is_metrics(folder / _METRICS)]
        return cls(place, folders) if folders else None

    def count(self) -> int:
        """How many folders there are."""
        return len(self._folders)

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each folder."""
        for folder in self._folders:
            experiment, name = names_of(folder, self._place)
            found = findings.of(name)
            try:
                yield self._run(folder, fit_name(experiment, found, what="the experiment"), name, found)
            except SourceError as error:
                found.tell(Told.UNREADABLE, str(error))

    def _run(self, folder: Path, experiment: str, name: str, found: RunFindings) -> ArrivingRun:
        path, settings = folder / _METRICS, folder / _SETTINGS
        last_us = _changed_us(path)
        config: dict[str, Any] = {}
        start_us = last_us
        if settings.exists():
            config = read_settings(settings)
            start_us = min(start_us, _changed_us(settings))
        metrics = CsvMetrics(path, found, time_us=start_us)
        found.tell(Told.TIMES_REPLACED, "the file has no times; each point has that of the run's start here")
        origin = Origin(namespace=_RUNS, format=FORMAT, source=self.shown, id=os.path.abspath(folder))  # noqa: PTH100 - as above
        run = run_of(
            origin, found, experiment=experiment, name=name, status=RunStatus.COMPLETED, start_us=start_us, last_us=last_us
        )  # fmt: skip
        series = series_of(metrics.spans, found)
        return ArrivingRun(
            experiment=experiment,
            run=run,
            config=config_of(config, found),
            pieces=lambda: gathered(metrics.points(), metrics.spans, series, found, instead_us=start_us),
            files=partial(tuple[()]),
        )


def _changed_us(path: Path) -> int:
    return path.stat().st_mtime_ns // 1000


def _is_metrics(path: Path) -> bool:
    """Whether the first line names a step: other tools' files are called so, too."""
    try:
        with opened_plainly(path) as file:
            line = file.readline(_MOST_HEADER).decode("utf-8", "backslashreplace")
        header_of(next(csv.reader([line]), []), path)
    except (SourceError, csv.Error):
        return False
    return True
