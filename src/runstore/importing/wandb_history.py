"""The points of a ``.wandb`` file: its history, what its summary alone has, and the readings of the machine.

This is where the time goes: a row has many values, so each is taken from its bytes at once, and what is met again and again,
the bytes before a value, is looked up whole.
"""

from array import array
from collections.abc import Iterable, Iterator
from typing import Any, Final

from runstore.importing.folding import Chunk, SeriesFolding, StepRule, fit_name, time_us
from runstore.importing.report import RunFindings, Told
from runstore.importing.wandb_facts import HISTORY, SUMMARY
from runstore.importing.wandb_items import items_of, json_of, key_of, path_of, reading_us, step_of
from runstore.series import Columns, Series
from runstore.training import MetricNames

_MOST_POINTS: Final = 100_000
_WORDS: Final = {
    b"true": 1.0, b"false": 0.0, b'"NaN"': float("nan"), b'"Infinity"': float("inf"), b'"-Infinity"': float("-inf"),
}  # fmt: skip

_SYSTEM: Final = "system/"
_OF_THE_ROW: Final = frozenset({"_step", "_timestamp"})
_NOT_LOGGED: Final = frozenset({"_step", "_timestamp", "_runtime", "_wandb"})


class _Buffer:
    """The points of one series that were read and not given yet."""

    __slots__ = ("folding", "key", "series", "steps", "times", "values")

    def __init__(self, key: str, series: Series, folding: SeriesFolding) -> None:
        self.key = key
        self.series = series
        self.folding = folding
        self.steps = array("q")
        self.values = array("d")
        self.times = array("q")

    def add(self, step: int, value: float, time: int) -> None:
        self.steps.append(step)
        self.values.append(value)
        self.times.append(time)

    def take(self) -> Columns:
        """What is certain of it by now; the buffer is empty then."""
        chunk = Chunk(self.steps, self.values, self.times)
        self.steps, self.values, self.times = array("q"), array("d"), array("q")
        return self.folding.take(chunk)


class WandbHistory:
    """Reads the points of one run, in one pass."""

    def __init__(self, found: RunFindings, *, start_us: int, is_one_file: bool) -> None:
        """Nothing read yet.

        Args:
            found: what is told of the run.
            start_us: when the run began.
            is_one_file: whether its steps ascend, as they do within a file. Those of a resumed run may begin anew, so all
                of them are held.
        """
        self._found = found
        self._start_us = start_us
        self._most = _MOST_POINTS if is_one_file else None
        self._names = MetricNames()
        self._buffers: dict[str, _Buffer] = {}
        self._by_bytes: dict[bytes, _Buffer | str] = {}
        self._summary: dict[tuple[str, ...], bytes] = {}
        self._no_numbers: dict[str, int] = {}
        self._held = 0
        self._last = 0
        self._last_us = start_us

    def pieces(self, records: Iterable[tuple[int, bytes]]) -> Iterator[tuple[Series, Columns]]:
        """The points, by the fields of the records that have some."""
        for kind, data in records:
            if kind == HISTORY:
                self._row(data)
            elif kind == SUMMARY:
                self._summarize(data)
            else:
                self._reading(data)
            if self._most is not None and self._held > self._most:
                yield from self._flush()
        self._add_summary()
        yield from self._flush()
        for buffer in self._buffers.values():
            columns = buffer.folding.finish()
            if columns.steps:
                yield buffer.series, columns
        repeated = sum(each.folding.repeated for key, each in self._buffers.items() if key.startswith(_SYSTEM))
        if repeated:
            text = f"{repeated} × a later reading of the machine is of the same second, and is kept"
            self._found.tell(Told.STEPS_REPEATED, text, key=_SYSTEM, count=repeated)
        for key, count in self._no_numbers.items():
            text = f"{count} × a text, a list, a histogram or the like, which is left out"
            self._found.tell(Told.NO_NUMBERS, text, key=key, count=count)

    def _flush(self) -> Iterator[tuple[Series, Columns]]:
        self._held = 0
        for buffer in self._buffers.values():
            if buffer.steps:
                columns = buffer.take()
                if columns.steps:
                    yield buffer.series, columns

    def _row(self, data: bytes) -> None:
        values, facts = self._read(data)
        step = int(facts["_step"]) if "_step" in facts else step_of(data)
        at_us = time_us(facts["_timestamp"] * 1000) if "_timestamp" in facts else None
        if at_us is None:
            at_us = self._last_us
        for buffer, value in values:
            buffer.add(step, value, at_us)
        self._held += len(values)
        self._last, self._last_us = max(self._last, step), at_us

    def _read(self, data: bytes) -> tuple[list[tuple[_Buffer, float]], dict[str, float]]:
        """The values of a row, and what it says of itself."""
        facts: dict[str, float] = {}
        values: list[tuple[_Buffer, float]] = []
        others: list[tuple[bytes, bytes]] = []
        for head, text in items_of(data):
            known = self._by_bytes.get(head)
            if known is None:
                known = self._learn(head)
            if known.__class__ is _Buffer:
                try:
                    values.append((known, float(text)))
                except ValueError:
                    others.append((head, text))
            elif known in _OF_THE_ROW:
                facts[known] = float(text)
        return (self._with_others(values, others) if others else values), facts

    def _with_others(
        self, values: list[tuple[_Buffer, float]], others: list[tuple[bytes, bytes]]
    ) -> list[tuple[_Buffer, float]]:
        """The numbers of a row, together with those in values that are none themselves; without the parts of media."""
        texts = {key_of(head): text for head, text in others}
        media = tuple(f"{key.removesuffix('_type')}" for key in texts if key.endswith("._type"))
        for prefix in media:
            if f"{prefix}path" not in texts:  # as a histogram has none
                self._count_no_number(prefix.removesuffix("."))
        found = [(buffer, value) for buffer, value in values if not (media and buffer.key.startswith(media))]
        for key, text in texts.items():
            if media and key.startswith(media):
                continue
            word = _WORDS.get(text)
            numbers = self._numbers(key, json_of(text)) if word is None else [(key, word)]
            found += [(self._buffer(name), value) for name, value in numbers]
        return found

    def _learn(self, head: bytes) -> "_Buffer | str":
        """What the bytes before a value mean: a series, or the name of what is none."""
        key = key_of(head)
        known = key if key in _NOT_LOGGED else self._buffer(key)
        self._by_bytes[head] = known
        return known

    def _buffer(self, key: str, series: Series | None = None) -> _Buffer:
        buffer = self._buffers.get(key)
        if buffer is None:
            if series is None:
                name = self._names[fit_name(key, self._found, what="the metric")]
                series = (name.name, str(name.dataset_type))
            folding = SeriesFolding(
                key, StepRule(), self._found, instead_us=self._start_us, is_quiet=key.startswith(_SYSTEM)
            )
            buffer = _Buffer(key, series, folding)
            self._buffers[key] = buffer
        return buffer

    def _numbers(self, key: str, value: Any) -> Iterator[tuple[str, float]]:
        if isinstance(value, dict) and value and "_type" not in value:
            for name, inner in value.items():
                yield from self._numbers(f"{key}.{name}", inner)
        elif isinstance(value, (int, float)) or (isinstance(value, str) and f'"{value}"'.encode() in _WORDS):
            yield key, float(value)
        elif not (isinstance(value, dict) and "path" in value):
            self._count_no_number(key)

    def _count_no_number(self, key: str) -> None:
        self._no_numbers[key] = self._no_numbers.get(key, 0) + 1

    def _summarize(self, data: bytes) -> None:
        for head, text in items_of(data):
            known = self._by_bytes.get(head)
            if known is None:
                path = path_of(head)
                if path and path[0] not in _NOT_LOGGED:
                    self._summary[tuple(path)] = text

    def _add_summary(self) -> None:
        """Numbers that stand in the summary alone, as of ``run.summary["best"] = 0.9``: points at the last step."""
        for path, text in self._summary.items():
            if path[0] in self._buffers or ".".join(path) in self._buffers:
                continue
            for name, value in self._numbers(".".join(path), json_of(text)):
                if name not in self._buffers:
                    self._buffer(name).add(self._last, value, self._last_us)

    def _reading(self, data: bytes) -> None:
        """A reading of the machine; its step is the second of the run, as that of our own readings."""
        at_us = reading_us(data) or self._last_us
        step = max(0, (at_us - self._start_us) // 1_000_000)
        for head, text in items_of(data, item=3):
            key = key_of(head)
            try:
                value = float(text)
            except ValueError:
                continue
            name = f"{_SYSTEM}{key}"
            self._buffer(name, (fit_name(name, self._found, what="the metric"), "other")).add(step, value, at_us)
            self._held += 1
