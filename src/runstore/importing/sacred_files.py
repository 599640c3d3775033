"""Folders of Sacred's FileStorageObserver, ``<number>/run.json``, ``config.json``, ``metrics.json``, read without Sacred.

A folder is a run, called as the folder. Its id is made of the experiment, the start and the folder's name. Other files in it are
artifacts; for the rest see :mod:`.sacred_facts`.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from runstore.errors import SourceError
from runstore.importing.facts import config_of, series_of
from runstore.importing.gathering import Spans, gathered
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.sacred_facts import FORMAT, Metric, experiment_of, has_begun, metric_of, points_of, run_in
from runstore.importing.source import Source, arriving_files, bytes_of, folders_with
from runstore.model import to_microseconds
from runstore.moving import ArrivingFile, ArrivingRun

_RUN: Final = "run.json"
_OWN: Final = frozenset({_RUN, "config.json", "metrics.json"})
_MOST_FACTS: Final = 16 * 2**20
_MOST_METRICS: Final = 2**30


class SacredFolder(Source):
    """A folder with those of runs, or one run's."""

    format = FORMAT

    def __init__(self, place: Path, folders: Sequence[Path], named: Sequence[Path]) -> None:
        """Reads nothing yet.

        Args:
            place: what was given.
            folders: those of runs.
            named: to whose files links are followed.
        """
        self._folders = folders
        self._named = named
        self.shown = os.path.abspath(place)  # noqa: PTH100 - what a link leads to may be called otherwise

    @classmethod
    def at(cls, place: Path, named: Sequence[Path] = ()) -> Self | None:
        """The source, if a path is one."""
        folders = [folder for folder in folders_with(place, _RUN.__eq__) if (folder / "config.json").is_file()]
        return cls(place, folders, named) if folders else None

    def count(self) -> int:
        """How many folders there are."""
        return len(self._folders)

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each folder."""
        for folder in self._folders:
            found = findings.of(folder.name)
            try:
                facts = _mapping(folder / _RUN, _MOST_FACTS)
                if has_begun(facts, found):
                    yield self._run(folder, facts, found)
            except SourceError as error:
                found.tell(Told.UNREADABLE, str(error))

    def _run(self, folder: Path, facts: dict[str, Any], found: RunFindings) -> ArrivingRun:
        config = _mapping(folder / "config.json", _MOST_FACTS)
        experiment = experiment_of(facts, found)
        metrics = _metrics(folder / "metrics.json", found)
        spans = Spans()
        for key, step, _, _ in points_of(metrics):
            spans.take(key, step)
        run = run_in(facts, found, experiment=experiment, name=folder.name, source=self.shown, place=str(folder / _RUN))
        series = series_of(spans, found)
        start_us = to_microseconds(run.start_time)
        # The points are held: the whole file is one value of JSON.
        return ArrivingRun(
            experiment=experiment,
            run=run,
            config=config_of(config, found),
            pieces=lambda: gathered(points_of(metrics), spans, series, found, instead_us=start_us),
            files=lambda: self._files(folder, found),
        )

    def _files(self, folder: Path, found: RunFindings) -> Iterator[ArrivingFile]:
        return (each for each in arriving_files(folder, found, self._named) if each.name not in _OWN)


def _metrics(path: Path, found: RunFindings) -> dict[str, Metric]:
    told = _mapping(path, _MOST_METRICS) if path.exists() else {}
    return {key: metric_of(key, each, found, place=str(path)) for key, each in told.items()}


def _mapping(path: Path, most: int) -> dict[str, Any]:
    data = bytes_of(path, most)
    try:
        try:
            value = msgspec.json.decode(data)
        except msgspec.MsgspecError:  # NaN, as Python writes it
            value = json.loads(data)
    except json.JSONDecodeError as error:
        raise SourceError(f"{path}:{error.lineno}: is no JSON, or is cut off: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise SourceError(f"{path}: is no mapping of names to values")
    return value
