"""Folders of event files, as TensorBoard shows them: read without TensorBoard and TensorFlow.

=============================  ======================================================================================
in TensorBoard                 here
=============================  ======================================================================================
the folder that is given       the experiment
a folder with event files      a run, of the name that TensorBoard shows. Its id is made of the first event file's name,
                               the time in it and the folder's own name
scalars                        points; TensorBoard keeps 32 bits of each
hyperparameters                the configuration
how a session ended            the status; where that is not said, as mostly, ``completed``
=============================  ======================================================================================
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from runstore.errors import SourceError
from runstore.importing.facts import Origin, config_of, names_of, run_of, series_of
from runstore.importing.folding import fit_name, fit_text
from runstore.importing.gathering import gathered
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.source import Source, folders_with
from runstore.importing.tensorboard_run import TensorBoardRun
from runstore.model import RunFailure, RunStatus
from runstore.moving import ArrivingRun
from runstore.series import Columns, Series

FORMAT: Final = "tensorboard"
_RUNS: Final = uuid.UUID("0c7a54f5-2f63-5d0a-9a2b-6f4e1f6a7d21")
_MARK: Final = "tfevents"


class TensorBoardFolder(Source):
    """A folder below which event files lie, or one such file."""

    format = FORMAT

    def __init__(self, place: Path, folders: dict[Path, list[Path]]) -> None:
        """Reads nothing yet.

        Args:
            place: what was given.
            folders: with event files, and those.
        """
        self._place = Path(os.path.abspath(place))  # noqa: PTH100 - what a link leads to may be called otherwise
        self._folders = folders
        self.shown = str(self._place)

    @classmethod
    def at(cls, place: Path) -> Self | None:
        """The source, if a path is one."""
        if not place.is_dir():
            return cls(place, {place.parent: [place]}) if _MARK in place.name else None
        folders = folders_with(place, lambda name: _MARK in name)
        return cls(place, folders) if folders else None

    def count(self) -> int:
        """How many folders there are."""
        return len(self._folders)

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each folder that has events."""
        known: dict[str, str] = {}
        for folder, paths in self._folders.items():
            experiment, name = names_of(folder, self._place)
            found = findings.of(name)
            try:
                read = TensorBoardRun(paths, found)
                if read.began_us is None or not (read.spans or read.hparams.config):
                    found.tell(Told.LEFT_OUT, "has no numbers and no hyperparameters, and is left out")
                    continue
                origin = self._origin(folder, paths, read.began_us)
                other = known.setdefault(origin.run_id, name)
                if other != name:
                    text = f"{folder}: begins as {other!r} does, as a copy would; rename the folder to have it as well"
                    raise SourceError(text)  # noqa: TRY301 - told as what else cannot be read
            except SourceError as error:
                found.tell(Told.UNREADABLE, str(error))
            else:
                yield _run(read, origin, fit_name(experiment, found, what="the experiment"), name, found)

    def _origin(self, folder: Path, paths: list[Path], began_us: int) -> Origin:
        own = Path(os.path.abspath(folder)).name  # noqa: PTH100 - as above
        return Origin(namespace=_RUNS, format=FORMAT, source=self.shown, id=f"{own}/{paths[0].name}@{began_us}")


def _run(read: TensorBoardRun, origin: Origin, experiment: str, name: str, found: RunFindings) -> ArrivingRun:
    start_us = read.first_us or 0
    status = read.hparams.status or RunStatus.COMPLETED
    failure = RunFailure(type="Session", message="TensorBoard kept that the session failed", traceback="")
    group = fit_text(read.hparams.group)
    run = run_of(
        origin,
        found,
        experiment=experiment,
        name=name,
        status=status,
        start_us=start_us,
        last_us=read.last_us or start_us,
        tags={"group": group} if group else {},
        failure=failure if status is RunStatus.FAILED else None,
    )
    series = series_of(read.spans, found)

    def pieces() -> Iterator[tuple[Series, Columns]]:
        return gathered(read.points(), read.spans, series, found, instead_us=start_us)

    return ArrivingRun(
        experiment=experiment,
        run=run,
        config=config_of(read.hparams.config, found),
        pieces=pieces,
        files=lambda: (),
    )
