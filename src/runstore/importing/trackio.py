"""The databases of Trackio, one a project, read without Trackio.

=============================  ======================================================================================
in Trackio                     here
=============================  ======================================================================================
project                        the experiment
run id                         the id is made of project and id; before Trackio 0.24, of project and name
name, group                    name, the tag ``group``
configuration                  the configuration
metrics                        points with their times; nested ones are named ``outer.inner``
readings of the machine        ``system/…``, at the second of the run
=============================  ======================================================================================
"""

import os
import uuid
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final, Self

from runstore.errors import SourceError
from runstore.importing.facts import Origin, config_of, run_of, series_of
from runstore.importing.folding import fit_name, fit_text
from runstore.importing.gathering import Spans, gathered
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.source import Source, opened_plainly
from runstore.importing.trackio_project import Found, TrackioProject
from runstore.model import RunStatus
from runstore.moving import ArrivingRun
from runstore.series import Columns, Series

FORMAT: Final = "trackio"
_RUNS: Final = uuid.UUID("d9b1c3e2-6a54-5e0b-b1f5-8f8c2f7f3a90")
"""Namespace of the ids of runs that come from Trackio. It must never change: a second import must find what the first made."""

_SQLITE_HEAD: Final = b"SQLite format 3\0"
_MOST_US: Final = 253_402_300_799_999_999


class TrackioProjects(Source):
    """A database of one project, or a folder with those of several."""

    format = FORMAT

    def __init__(self, place: Path, projects: list[TrackioProject]) -> None:
        """Reads nothing yet."""
        self._projects = projects
        self.shown = os.path.abspath(place)  # noqa: PTH100 - what a link leads to may be called otherwise

    @classmethod
    def at(cls, place: Path) -> Self | None:
        """The source, if a path is one."""
        paths = sorted(place.glob("*.db")) if place.is_dir() else [place]
        projects = [TrackioProject(path) for path in paths if _is_sqlite(path)]
        projects = [project for project in projects if project.is_one]
        return cls(place, projects) if projects else None

    def count(self) -> int:
        """How many runs there are."""
        return sum(len(project.runs()) for project in self._projects)

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each run of each project."""
        for project in self._projects:
            found = findings.of(project.path.stem)
            experiment = fit_name(project.path.stem, found, what="the project")
            for run in project.runs():
                found = findings.of(run.id)
                try:
                    yield self._run(project, run, experiment, found)
                except SourceError as error:
                    found.tell(Told.UNREADABLE, str(error))

    def _run(self, project: TrackioProject, one: Found, experiment: str, found: RunFindings) -> ArrivingRun:
        spans = Spans()
        no_numbers: Counter[str] = Counter()
        first_us, last_us = _MOST_US, 0
        for key, step, _, at_us in project.points(one, no_numbers):
            spans.take(key, step)
            if at_us <= _MOST_US:
                first_us, last_us = min(first_us, at_us), max(last_us, at_us)
        start_us = min(first_us, last_us)
        for key, step, _, at_us in project.readings(one, start_us):
            spans.take(key, step)
            last_us = max(last_us, at_us)
        for key, count in no_numbers.items():
            text = f"{count} × a text, a list, a picture or the like, which is left out"
            found.tell(Told.NO_NUMBERS, text, key=key, count=count)
        for table, count in project.left_out(one).items():
            found.tell(Told.LEFT_OUT, f"{count} rows of the table {table} are not brought", key=table, count=count)
        config = project.config(one)
        own = {key: config.pop(key) for key in list(config) if key.startswith("_")}
        origin = Origin(namespace=_RUNS, format=FORMAT, source=self.shown, id=f"{experiment}/{one.id}")
        series = series_of(spans, found)

        def pieces() -> Iterator[tuple[Series, Columns]]:
            points = chain(project.points(one, Counter()), project.readings(one, start_us))
            return gathered(points, spans, series, found, instead_us=start_us)

        return ArrivingRun(
            experiment=experiment,
            run=run_of(
                origin,
                found,
                experiment=experiment,
                name=one.name,
                status=RunStatus.COMPLETED,
                start_us=start_us,
                last_us=last_us,
                tags=_texts(own, {"_Group": "group"}),
                provenance=_user(own),
            ),
            config=config_of(config, found),
            pieces=pieces,
            files=partial(tuple[()]),
        )


def _texts(own: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    found = {name: own.get(key) for key, name in names.items()}
    return {name: fit_text(value)[:1000] for name, value in found.items() if isinstance(value, str) and value}


def _user(own: dict[str, Any]) -> dict[str, Any]:
    user = _texts(own, {"_Username": "user"})
    return {"process": user} if user else {}


def _is_sqlite(path: Path) -> bool:
    try:
        with opened_plainly(path) as file:
            return file.read(len(_SQLITE_HEAD)) == _SQLITE_HEAD
    except SourceError:
        return False
