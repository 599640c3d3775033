"""One run of TensorBoard: a folder's event files, in the order of their names, as TensorBoard itself reads them."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from runstore.errors import SourceError
from runstore.importing.facts import seconds_us
from runstore.importing.gathering import Point, Spans
from runstore.importing.report import RunFindings, Told
from runstore.importing.source import opened_plainly
from runstore.importing.tensorboard_events import MALFORMED, Number, Numbers, event_of
from runstore.importing.tensorboard_hparams import Hparams
from runstore.importing.tensorboard_records import records_in
from runstore.importing.wandb_records import CutOffError

_OUTSIDE_US: Final = 2**62
"""A time that is none: it is told, and replaced, where the points are folded."""


class _File(NamedTuple):
    path: Path
    records: int


class _Restart(NamedTuple):
    record: int
    step: int


class TensorBoardRun:
    """Looked through when it is made: each record of a number has the right checksum then.

    Attributes:
        spans: what the steps of each tag span.
        hparams: the hyperparameters.
        began_us: the time of the event that stands first; ``None`` if there is none.
        first_us: the earliest time of an event; ``None`` if there is none.
        last_us: that of the last one.
    """

    def __init__(self, paths: Sequence[Path], found: RunFindings) -> None:
        """Looks through files.

        Raises:
            SourceError: one of them is damaged or no event file; names the place.
        """
        self.spans = Spans()
        self.hparams = Hparams()
        self.began_us: int | None = None
        self.first_us: int | None = None
        self.last_us: int | None = None
        self._earliest, self._latest = math.inf, -math.inf
        self._found = found
        self._read = Numbers()
        self._files: list[_File] = []
        self._restarts: list[_Restart] = []
        self._others: Counter[str] = Counter()
        self._records = 0
        for path in paths:
            self._files.append(_File(path, self._scan(path)))
        self._restarts = [each for each in self._restarts if each.record]
        if self._restarts:
            self._leave_out_what_was_taken_back()
        for tag, count in self._others.items():
            text = f"{count} × a histogram, a picture, a text or the like, which is left out"
            found.tell(Told.NO_NUMBERS, text, key=tag, count=count)

    def points(self) -> Iterator[Point]:
        """The points that count, as many as there were when the files were looked through."""
        tags: dict[bytes, str] = {}
        for number in self._numbers():
            tag = tags.get(number.tag)
            if tag is None:
                tag = tags[number.tag] = _text(number.tag)
            time = seconds_us(number.seconds)
            yield tag, number.step, number.value, _OUTSIDE_US if time is None else time

    def _scan(self, path: Path) -> int:
        count = 0
        tags: dict[bytes, str] = {}
        with opened_plainly(path) as file:
            try:
                for offset, data in records_in(file, str(path), is_checked=True):
                    count += 1
                    try:
                        self._take(data, tags)
                    except MALFORMED as error:
                        raise SourceError(f"{path}: the record at byte {offset} is damaged: {error}") from error
                    self._records += 1
            except CutOffError as error:
                self._found.tell(Told.LINE_CUT, f"{error}; what came before is brought", key=path.name)
        return count

    def _take(self, data: bytes | None, tags: dict[bytes, str]) -> None:
        if data is None:
            return
        number = self._read.of(data)
        if number is not None:
            self._time(number.seconds)
            self._span(number, tags)
            return
        event = event_of(data)
        self._time(event.seconds)
        for number in event.numbers:
            self._span(number, tags)
        for tag in event.others:
            self._others[_text(tag)] += 1
        for message in event.hparams:
            self.hparams.take(message)
        if event.is_restart:
            self._restarts.append(_Restart(self._records, event.step))

    def _time(self, seconds: float) -> None:
        if self._earliest <= seconds <= self._latest:
            return
        time = seconds_us(seconds)
        if time is None:
            return
        self.began_us = time if self.began_us is None else self.began_us
        if seconds < self._earliest:
            self._earliest, self.first_us = seconds, time
        if seconds > self._latest:
            self._latest, self.last_us = seconds, time

    def _span(self, number: Number, tags: dict[bytes, str]) -> None:
        tag = tags.get(number.tag)
        if tag is None:
            tag = tags[number.tag] = _text(number.tag)
        self.spans.take(tag, number.step)

    def _numbers(self) -> Iterator[Number]:
        """The numbers, without those from whose step on the program began anew later."""
        restarts = list(self._restarts)
        floor = min((each.step for each in restarts), default=None)
        record = 0
        for file in self._files:
            for data in _records(file):
                while restarts and restarts[0].record <= record:
                    del restarts[0]
                    floor = min((each.step for each in restarts), default=None)
                record += 1
                number = None if data is None else self._read.of(data)
                numbers = [number] if number is not None else [] if data is None else event_of(data).numbers
                for each in numbers:
                    if floor is None or each.step < floor:
                        yield each

    def _leave_out_what_was_taken_back(self) -> None:
        before, self.spans = self.spans, Spans()
        tags: dict[bytes, str] = {}
        for number in self._numbers():
            self._span(number, tags)
        for tag, span in before.items():
            left = self.spans.get(tag)
            count = span.count - (0 if left is None else left.count)
            if count:
                text = f"{count} × logged before the program went on from an earlier step; TensorBoard does not show it, either"
                self._found.tell(Told.TAKEN_BACK, text, key=tag, count=count)


def _records(file: _File) -> Iterator[bytes | None]:
    """The records of a file, as many as there were when it was looked through."""
    with opened_plainly(file.path) as opened:
        if not file.records:
            return
        for index, (_, data) in enumerate(records_in(opened, str(file.path), is_checked=False), start=1):
            yield data
            if index == file.records:
                return


def _text(tag: bytes) -> str:
    return tag.decode("utf-8", "backslashreplace")
