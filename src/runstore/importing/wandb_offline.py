"""The folders that W&B leaves: ``wandb/offline-run-…/run-ID.wandb`` and ``files/`` beside it, read without W&B.

=============================  ======================================================================================
in W&B                         here
=============================  ======================================================================================
project                        the experiment
run id                         the id is made of project and id: folders of one run that was resumed are one run
display name, notes            name, note
group, job type, sweep, tags   tags; a tag of W&B has the text ``true``
configuration                  the configuration
exit code 0, 255, others       ``completed``, ``interrupted`` (Ctrl-C), ``failed``; ``in_progress`` where there is none
history                        points at W&B's own step
numbers of the summary alone   points at the last step
readings of the machine        ``system/…``, at the second of the run
``files/``, ``log_artifact``   artifacts
=============================  ======================================================================================
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

from runstore.errors import SourceError
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.source import Source, arriving_files, opened_plainly
from runstore.importing.wandb_artifacts import files_of
from runstore.importing.wandb_facts import FORMAT, HISTORY, STATS, SUMMARY, WandbFacts
from runstore.importing.wandb_history import WandbHistory
from runstore.importing.wandb_records import HEAD, CutOffError, fields_of, records_in
from runstore.moving import ArrivingFile, ArrivingRun
from runstore.series import Columns, Series

_POINTS: Final = frozenset({HISTORY, SUMMARY, STATS})
_META: Final = frozenset({1, 16, 200})
"""Fields of each record that tell of the record itself."""

_MALFORMED: Final = (ValueError, IndexError, OverflowError, RecursionError)


class _File(NamedTuple):
    path: Path
    records: int


class WandbOffline(Source):
    """One file, the folder of one run, or a folder ``wandb`` with those of several."""

    format = FORMAT

    def __init__(self, place: Path, files: Sequence[Path], folders: Sequence[Path]) -> None:
        """Reads nothing yet.

        Args:
            place: what was given.
            files: those found in it, in the order of time.
            folders: to whose files links are followed.
        """
        self._place = place if place.is_dir() else place.parent
        self._files = files
        self._folders = folders
        self.shown = str(place.absolute())

    @classmethod
    def at(cls, place: Path, folders: Sequence[Path] = ()) -> Self | None:
        """The source, if a path is one."""
        if place.is_dir():
            files = sorted(place.glob("*.wandb")) or sorted(place.glob("*run-*/*.wandb"))
        else:
            files = [place] if _is_wandb(place) else []
        files = [each for each in files if not each.parent.is_symlink()]  # as latest-run is
        return cls(place, files, folders) if files else None

    def count(self) -> int:
        """The files."""
        return len(self._files)

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each run; of several files of one run the later ones go on with the earlier ones."""
        groups: dict[tuple[str, str], list[_File]] = {}
        for path in self._files:
            found = findings.of(path.stem)
            try:
                facts = WandbFacts()
                size = _scan(path, facts, found)
                groups.setdefault(facts.identity, []).append(_File(path, size))
            except SourceError as error:
                found.tell(Told.UNREADABLE, str(error))
        for (_, run_id), files in groups.items():
            found = findings.of(run_id)
            try:
                arriving = self._run(files, found)
            except SourceError as error:
                found.tell(Told.UNREADABLE, str(error))
            except _MALFORMED as error:
                found.tell(Told.UNREADABLE, f"{files[-1].path}: a record is damaged: {error}")
            else:
                yield arriving

    def _run(self, files: Sequence[_File], found: RunFindings) -> ArrivingRun:
        facts = WandbFacts()
        for file in files:
            _scan(file.path, facts, found)

        def pieces() -> Iterator[tuple[Series, Columns]]:
            history = WandbHistory(found, start_us=facts.start_us, is_one_file=len(files) == 1)
            records = (each for file in files for each in _points(file))
            try:
                yield from history.pieces(records)
            except _MALFORMED as error:
                raise SourceError(f"{files[-1].path}: a record of the history is damaged: {error}") from error

        def arriving() -> Iterator[ArrivingFile]:
            kept: dict[str, ArrivingFile] = {}
            for file in files:
                for each in arriving_files(file.path.parent / "files", found, self._folders):
                    kept[each.name] = each
            for each in files_of(facts.artifacts, self._place, self._folders, found):
                kept.setdefault(each.name, each)
            return iter(kept.values())

        return ArrivingRun(
            experiment=facts.experiment(found),
            run=facts.run(self.shown, found),
            config=facts.checked_config(found),
            pieces=pieces,
            files=arriving,
        )


def _is_wandb(path: Path) -> bool:
    try:
        with opened_plainly(path) as file:
            return file.read(len(HEAD)) == HEAD
    except SourceError:
        return False


def _scan(path: Path, facts: WandbFacts, found: RunFindings) -> int:
    """Looks through a file, each record of which has the right checksum; how many records there are."""
    count = 0
    with opened_plainly(path) as file:
        try:
            for offset, record in records_in(file, str(path)):
                count += 1
                try:
                    kind, data = _payload(record)
                    if kind != SUMMARY:
                        facts.take(kind, data)
                except _MALFORMED as error:
                    raise SourceError(f"{path}: the record at byte {offset} is damaged: {error}") from error
        except CutOffError as error:
            found.tell(Told.LINE_CUT, f"{error}; what came before is brought")
    if not facts.identity[1]:
        raise SourceError(f"{path}: no record tells which run it is of, so it was cut off at its beginning")
    return count


def _points(file: _File) -> Iterator[tuple[int, bytes]]:
    """The records with points, as many as there were when the file was looked through."""
    with opened_plainly(file.path) as opened:
        for index, (_, record) in enumerate(records_in(opened, str(file.path)), start=1):
            kind, data = _payload(record)
            if kind in _POINTS:
                yield kind, data
            if index == file.records:
                return


def _payload(record: bytes) -> tuple[int, bytes]:
    """What a record is about, and its bytes."""
    for field, value in fields_of(record):
        if field not in _META and isinstance(value, bytes):
            return field, value
    return 0, b""
