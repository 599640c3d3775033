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
from runstore.importing.facts import Origin, config_of, run_of, series_of
from runstore.importing.folding import fit_name, fit_text
from runstore.importing.gathering import gathered
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.source import Source
from runstore.importing.tensorboard_run import TensorBoardRun
from runstore.model import RunFailure, RunStatus
from runstore.moving import ArrivingRun
from runstore.series import Columns, Series

FORMAT: Final = "tensorboard"
_RUNS: Final = uuid.UUID("0c7a54f5-2f63-5d0a-9a2b-6f4e1f6a7d21")
_MARK: Final = "tfevents"
_OTHERS: Final = frozenset({"mlruns", "wandb", "checkpoints"})
"""Folders of other formats, and those with no event files: nothing is looked for in them, nor in hidden ones."""

_MOST_DEPTH: Final = 20
_MOST_FOLDERS: Final = 100_000


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
        folders = _event_files(place)
        return cls(place, folders) if folders else None

    def count(self) -> int:
        """How many folders there are."""
        return len(self._folders)

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each folder that has events."""
        known: dict[str, str] = {}
        for folder, paths in self._folders.items():
            experiment, name = self._names(folder)
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

    def _names(self, folder: Path) -> tuple[str, str]:
        """The experiment and the run."""
        absolute = Path(os.path.abspath(folder))  # noqa: PTH100 - as above
        if absolute == self._place or self._place.is_file():
            return absolute.parent.name or "tensorboard", absolute.name or "run"
        return self._place.name or "tensorboard", absolute.relative_to(self._place).as_posix()

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


def _event_files(root: Path) -> dict[Path, list[Path]]:
    """The event files below a folder by their folders, in the order of names; links are not followed."""
    folders: dict[Path, list[Path]] = {}
    waiting = [(root, 0)]
    count = 0
    while waiting:
        folder, depth = waiting.pop()
        count += 1
        if depth > _MOST_DEPTH or count > _MOST_FOLDERS:
            raise SourceError(
                f"{folder}: lies over {_MOST_DEPTH} folders deep, or is one of over {_MOST_FOLDERS} folders"
            )
        try:
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            raise SourceError(f"{folder}: cannot be listed: {error.strerror or error}") from error
        found = [Path(entry.path) for entry in entries if _MARK in entry.name and entry.is_file(follow_symlinks=False)]
        if found:
            folders[folder] = found
        below = [each for each in entries if each.is_dir(follow_symlinks=False) and _is_looked_into(each.name)]
        waiting += [(Path(each.path), depth + 1) for each in reversed(below)]
    return folders


def _is_looked_into(name: str) -> bool:
    return name not in _OTHERS and not name.startswith(".")
