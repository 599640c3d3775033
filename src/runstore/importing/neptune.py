"""Folders that Neptune's exporter has written, ``<project>/<run>_part_<n>.parquet``.

=============================  ======================================================================================
in Neptune                     here
=============================  ======================================================================================
project                        the experiment
run                            the id is made of project and run
``sys/name``                   the name; without one, the run's id in Neptune
``sys/description``            the note
``sys/tags``                   tags of the text ``true``
``sys/failed``                 ``failed``; every other run is ``completed``
other ``sys/…``                provenance
other values                   the configuration; a ``/`` nests
series of numbers              points
files                          artifacts, from the folders that a person names
=============================  ======================================================================================
"""

import os
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from msgspec.structs import replace

from runstore.errors import SourceError
from runstore.importing.facts import Origin, cleaned, config_of, run_of, series_of
from runstore.importing.folding import fit_name, fit_text
from runstore.importing.gathering import Spans, gathered
from runstore.importing.neptune_parquet import NeptuneParquet, check_pyarrow
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.source import Source, folders_with
from runstore.model import RunFailure, RunStatus, to_microseconds
from runstore.moving import ArrivingRun
from runstore.values.checks import MAX_TEXT_LENGTH

FORMAT: Final = "neptune"
_RUNS: Final = uuid.UUID("7f1f9d4c-3c1b-5b9e-9a53-20c5f8d0a6e4")
"""Namespace of the ids of runs that come from Neptune. It must never change: a second import must find what the first made."""

_PART: Final = re.compile(r"(.+)_part_(\d{1,9})\.parquet")
_MOST_US: Final = 253_402_300_799_999_999
_SYSTEM: Final = "sys/"


class NeptuneFolder(Source):
    """A folder of the exporter, ``exports/data``, or that of a project in it, or one file."""

    format = FORMAT

    def __init__(self, place: Path, runs: dict[tuple[str, str], list[Path]], broken: dict[Path, str]) -> None:
        """Reads nothing yet.

        Args:
            place: what was given.
            runs: the files of each run, by project and id.
            broken: why a file cannot be read.
        """
        self._runs = runs
        self._broken = broken
        self.shown = os.path.abspath(place)  # noqa: PTH100 - what a link leads to may be called otherwise

    @classmethod
    def at(cls, place: Path) -> Self | None:
        """The source, if a path is one.

        Raises:
            MissingDriverError: pyarrow is not installed.
        """
        if place.is_dir():
            folders = folders_with(place, lambda name: _PART.fullmatch(name) is not None)
            paths = [path for each in folders.values() for path in sorted(each, key=_order)]
        else:
            paths = [place] if _PART.fullmatch(place.name) else []
        if not paths:
            return None
        check_pyarrow()
        runs: dict[tuple[str, str], list[Path]] = {}
        broken: dict[Path, str] = {}
        for path in paths:
            try:
                identity = NeptuneParquet.identity(path)
            except SourceError as error:
                broken[path] = str(error)
                continue
            if identity is not None:
                runs.setdefault(identity, []).append(path)
        return cls(place, runs, broken) if runs or broken else None

    def count(self) -> int:
        """How many runs there are."""
        return len(self._runs) + len(self._broken)

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each run; one of whose parts is broken is told, and not brought in part."""
        incomplete = {(path.parent, _order(path)[0]): text for path, text in self._broken.items()}
        for path, text in self._broken.items():
            findings.tell(Told.UNREADABLE, text, run=path.stem)
        for (project, run_id), paths in self._runs.items():
            found = findings.of(run_id)
            if (paths[0].parent, _order(paths[0])[0]) in incomplete:
                continue
            try:
                yield self._run(project, run_id, paths, found)
            except SourceError as error:
                found.tell(Told.UNREADABLE, str(error))

    def _run(self, project: str, run_id: str, paths: Sequence[Path], found: RunFindings) -> ArrivingRun:
        file = NeptuneParquet(paths)
        others: Counter[tuple[str, str]] = Counter()
        files: dict[str, str] = {}
        attributes = file.attributes(others, files)
        spans = Spans()
        first_us, last_us = _MOST_US, 0
        for key, step, _, at_us in file.points():
            spans.take(key, step)
            if at_us <= _MOST_US:
                first_us, last_us = min(first_us, at_us), max(last_us, at_us)
        for (kind, key), count in others.items():
            found.tell(Told.NO_NUMBERS, f"{count} × {kind}, which is left out", key=key, count=count)
        for key, place in files.items():
            found.tell(Told.FILES_ELSEWHERE, f"the file {place!r} is not brought", key=key)
        own = {key.removeprefix(_SYSTEM): attributes.pop(key) for key in list(attributes) if key.startswith(_SYSTEM)}
        start_us = _us(own.get("creation_time")) or min(first_us, last_us)
        experiment = fit_name(project, found, what="the project")
        is_failed = own.get("failed") is True
        run = run_of(
            Origin(namespace=_RUNS, format=FORMAT, source=self.shown, id=f"{project}/{run_id}"),
            found,
            experiment=experiment,
            name=str(own.get("name") or run_id),
            status=RunStatus.FAILED if is_failed else RunStatus.COMPLETED,
            start_us=start_us,
            last_us=last_us or _us(own.get("modification_time")) or start_us,
            tags={fit_name(str(tag), found, what="the tag"): "true" for tag in own.get("tags") or ()},
            provenance={"neptune": _facts(own)},
            failure=RunFailure(type="Neptune", message="Neptune kept that the run failed", traceback="")
            if is_failed
            else None,
        )
        note = fit_text(str(own.get("description") or ""))
        if len(note) > MAX_TEXT_LENGTH:
            found.tell(
                Told.LEFT_OUT, f"of {len(note)} characters the first {MAX_TEXT_LENGTH} are kept", key="sys/description"
            )
        series = series_of(spans, found)
        return ArrivingRun(
            experiment=experiment,
            run=replace(run, note=note[:MAX_TEXT_LENGTH] or None),
            config=config_of(_nested(attributes), found),
            pieces=lambda: gathered(file.points(), spans, series, found, instead_us=start_us),
            files=partial(tuple[()]),
        )


def _order(path: Path) -> tuple[str, int]:
    """By run, and by the number of the part."""
    found = _PART.fullmatch(path.name)
    return (found[1], int(found[2])) if found else (path.name, 0)


def _us(value: object) -> int | None:
    if not isinstance(value, datetime):
        return None
    return to_microseconds(value if value.tzinfo else value.replace(tzinfo=UTC))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _facts(own: dict[str, Any]) -> dict[str, Any]:
    """What Neptune kept of a run itself, without what has a place of its own here."""
    taken = {"name", "description", "tags", "failed"}
    return {
        fit_text(key): cleaned(_plain(value))
        for key, value in sorted(own.items())
        if key not in taken and value is not None
    }


def _nested(attributes: dict[str, Any]) -> dict[str, Any]:
    """The values by the parts of their paths; one below another value stays as it is called."""
    nested: dict[str, Any] = {}
    for path, value in sorted(attributes.items()):
        *above, key = path.split("/")
        place: Any = nested
        for part in above:
            place = place.setdefault(part, {}) if isinstance(place, dict) else None
        if isinstance(place, dict) and key not in place:
            place[key] = _plain(value)
        else:
            nested[path] = _plain(value)
    return nested
