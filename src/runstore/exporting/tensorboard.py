"""Runs as event files, which TensorBoard shows: a folder a run, written without TensorBoard and TensorFlow."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final
from unicodedata import normalize

import msgspec

from runstore.exporting.event_records import (
    Setting,
    file_begins,
    has_status,
    is_number_kept,
    number_records,
    record,
    rounded,
    session_begins,
    session_ends,
)
from runstore.exporting.written import Written
from runstore.model import DatasetType, Run, to_microseconds
from runstore.moving import ArrivingFile, ArrivingRun
from runstore.moving.layout import LISTING
from runstore.series import Columns, Series
from runstore.values import ConfigDocument, ConfigLeaf

_GROUP: Final = "group"
"""The tag by which TensorBoard groups runs."""

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_]+")
_MOST_WORDS: Final = 40
_EXACT_US: Final = 2**52
"""A float64 of seconds keeps each microsecond up to the year 2112."""


class EventFiles(Written):
    """A folder with folders of event files, and a list of them.

    TensorBoard calls a run as its folder, so that some of the run's name stands there: behind a number that is the folder's
    own, and letters, digits and ``_`` alone.
    """

    def __init__(self, folder: Path) -> None:
        """Makes the list, in which nothing is yet."""
        super().__init__()
        self._folder = folder
        self._names: set[str] = set()
        self._list: BinaryIO = (folder / LISTING).open("xb")

    @property
    def experiments(self) -> int:
        """How many experiments the runs are of."""
        return len(self._names)

    def take_experiment(self, name: str, description: str | None) -> None:  # noqa: ARG002 - as a table has it
        """Counts one without runs as left out."""
        if name not in self._names:
            self.left_out["experiments without runs"] += 1

    def write_run(self, arriving: ArrivingRun) -> int:
        """Writes a run's file."""
        run, before = arriving.run, self.points
        self.runs += 1
        self._count_what_is_left_out(arriving)
        self._names.add(arriving.experiment)
        folder = self._folder / f"{self.runs:04d}{_words_of(run.name)}"
        folder.mkdir()
        began = to_microseconds(run.start_time)
        with (folder / f"events.out.tfevents.{max(began, 0) // 1_000_000:010d}.runstore").open("xb") as file:
            file.write(record(file_begins(began / 1_000_000)))
            settings = dict(self._settings_of(ConfigDocument.checked(arriving.config).leaves))
            file.write(record(session_begins(settings, run.tags.get(_GROUP, ""), began / 1_000_000)))
            for records in self._numbers(arriving.pieces()):
                file.writelines(records)
            ended = to_microseconds(run.end_time or run.heartbeat_at)
            file.write(record(session_ends(run.status, ended / 1_000_000)))
        self._write_line(folder.name, arriving)
        return self.points - before

    def write_artifact(self, run: Run, file: ArrivingFile, kept_at: str | None) -> None:  # noqa: ARG002 - as a table has them
        """Counts it as left out."""
        self.left_out["artifacts"] += 1

    def finish(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Closes the list."""
        self._list.close()

    def _numbers(self, pieces: Iterable[tuple[Series, Columns]]) -> Iterator[Iterable[bytes]]:
        tags: dict[str, Series] = {}
        for series, piece in pieces:
            tag = _tag_of(series)
            while tags.setdefault(tag, series) != series:  # "loss" of the train set, and "train/loss" of none
                tag = f"{tag} ({series[1]})"
            if tag != _tag_of(series):
                self.left_out["points under another name"] += len(piece.steps)
            if max(map(abs, piece.logged_at_us), default=0) > _EXACT_US:
                self.left_out["times, rounded"] += sum(abs(each) > _EXACT_US for each in piece.logged_at_us)
            if count := rounded(piece.values):
                self.left_out["values, rounded to 32 bits"] += count
            self.points += len(piece.steps)
            yield number_records(tag, piece)

    def _settings_of(self, leaves: Iterable[ConfigLeaf]) -> Iterator[tuple[str, Setting]]:
        """Each setting as the page HPARAMS can show it, which knows numbers, truth values and texts."""
        for leaf in leaves:
            value: Setting = leaf.text
            if leaf.kind == "bool":
                value = leaf.text == "true"
            elif leaf.kind in {"int", "float"}:
                exact = int(leaf.text) if leaf.kind == "int" else float(leaf.text)
                if is_number_kept(exact):
                    value = float(exact)
                    if leaf.kind == "float" and value.is_integer():
                        self.left_out["settings, read as whole numbers"] += 1
                else:
                    self.left_out["settings, written as texts"] += 1
            elif leaf.kind != "str":
                self.left_out["settings, written as texts"] += 1
            yield leaf.key, value

    def _count_what_is_left_out(self, arriving: ArrivingRun) -> None:
        run = arriving.run
        for what, count in (
            ("tags", len(run.tags.keys() - {_GROUP})),
            ("notes", bool(run.note)),
            ("provenances", bool(run.provenance)),
            ("parents", run.parent_run_id is not None),
            ("clients", run.client_id is not None),
            ("attempts before the last", run.attempt - 1),
            ("failures' reasons", run.failure is not None),
            ("statuses", not has_status(run.status)),
            ("marks of the archive", run.archived_at is not None),
            ("descriptions of experiments", arriving.experiment not in self._names and bool(arriving.description)),
        ):
            if count:
                self.left_out[what] += count

    def _write_line(self, folder: str, arriving: ArrivingRun) -> None:
        run = arriving.run
        line = {"folder": folder, "id": run.id, "name": run.name, "experiment": arriving.experiment}
        self._list.write(msgspec.json.encode(line) + b"\n")


def _tag_of(series: Series) -> str:
    name, dataset_type = series
    return name if dataset_type == DatasetType.OTHER else f"{dataset_type}/{name}"


def _words_of(name: str | None) -> str:
    plain = normalize("NFKD", name or "").encode("ascii", "ignore").decode()
    words = _UNSAFE.sub("-", plain).strip("-")[:_MOST_WORDS].strip("-")
    return f"-{words}" if words else ""
