"""What an import folded, dropped or could not read: by run and key, never silent."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct


class Told(StrEnum):
    """What there may be to tell about a run. The texts stay as they are: programs read them."""

    UNREADABLE = "unreadable"
    DELETED = "deleted"
    LINE_CUT = "line_cut"
    STEPS_REPEATED = "steps_repeated"
    STEPS_SHIFTED = "steps_shifted"
    STEPS_COUNTED = "steps_counted"
    TAKEN_BACK = "taken_back"
    INFINITIES = "infinities"
    NO_NUMBERS = "no_numbers"
    TIMES_REPLACED = "times_replaced"
    NAME_CHANGED = "name_changed"
    LEFT_OUT = "left_out"
    FILE_LEFT_OUT = "file_left_out"
    FILES_ELSEWHERE = "files_elsewhere"
    PARENT_MISSING = "parent_missing"

    @property
    def is_failure(self) -> bool:
        """Whether it is about a run that is not in the store, though it is in the source."""
        return self is Told.UNREADABLE


class Finding(Struct, frozen=True, kw_only=True):
    """One thing to tell.

    Attributes:
        what: its kind.
        run: the run's id in the source; a place in the source where no run could be read.
        key: the metric, parameter, tag or file, as the source names it; ``None`` for the run as a whole.
        count: how many points, lines or files.
        text: what was found and what became of it, as a sentence.
    """

    what: Told
    run: str
    key: str | None
    count: int
    text: str


class Findings:
    """All that there is to tell of one import. What is told again of the same thing takes the place of what was told."""

    def __init__(self) -> None:
        """Nothing to tell yet."""
        self._found: dict[tuple[str, str | None, Told], Finding] = {}

    def tell(self, what: Told, text: str, *, run: str, key: str | None = None, count: int = 1) -> None:
        """Takes in one thing: a source that is read twice tells it twice."""
        self._found[run, key, what] = Finding(what=what, run=run, key=key, count=count, text=text)

    def of(self, run: str) -> "RunFindings":
        """Those of one run."""
        return RunFindings(self, run)

    def __iter__(self) -> Iterator[Finding]:
        """By run, in the order in which the runs were read."""
        return iter(self._found.values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._found)


class RunFindings:
    """What there is to tell of one run."""

    def __init__(self, findings: Findings, run: str) -> None:
        """A part of all that is found."""
        self._findings = findings
        self.run = run

    def tell(self, what: Told, text: str, *, key: str | None = None, count: int = 1) -> None:
        """Takes in one thing."""
        self._findings.tell(what, text, run=self.run, key=key, count=count)
