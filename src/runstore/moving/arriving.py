"""A run as it arrives from somewhere else: what every source of runs gives, and :func:`runstore.moving.bring` takes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final

from msgspec import Struct

from runstore.model import Run, SeriesSummary
from runstore.series import Columns, Series

MOST_POINTS_A_PIECE: Final = 100_000
"""So many points of a series come at once at most: a source of any size takes bounded memory."""


class ArrivingFile(Struct, frozen=True, kw_only=True):
    """A file that comes with a run: its bytes, or where they lie if they are not kept.

    Attributes:
        name: a relative POSIX path, unique within the run.
        artifact_type: what it is, in a word.
        metadata: nested and typed like a config.
        created_at: when it was recorded; ``None`` for the start of the run.
        open: gives the bytes at position 0, as often as it is called; ``None`` where they are not kept.
        uri: where they lie, if they are not kept.
        sha256: of the bytes, where the source knows it. Then a file that is there already is not read again, and bytes that
            turn out to be others are refused.
        size: how many bytes, where the source knows it.
        now: gives the file as its source has it now, or ``None`` if it is gone; for sources that go on meanwhile.
    """

    name: str
    artifact_type: str = "file"
    metadata: dict[str, Any] = {}
    created_at: datetime | None = None
    open: Callable[[], BinaryIO] | None = None
    uri: str | None = None
    sha256: str | None = None
    size: int | None = None
    now: "Callable[[], ArrivingFile | None] | None" = None

    def replaced(self) -> "ArrivingFile | None":
        """The file that its source has under this name now, if it is another one."""
        newer = None if self.now is None else self.now()
        return None if newer is None or newer.sha256 == self.sha256 else newer


class ArrivingRun(Struct, frozen=True, kw_only=True):
    """A whole run as it comes from another store, or from what another tool has left.

    What is called may be called later, and more than once, as long as the source of the run is open.

    Attributes:
        experiment: its name.
        description: of the experiment.
        run: every fact; ``experiment_id`` is :func:`runstore.values.experiment_id_of` the name.
        config: the whole configuration.
        pieces: its points, at most :data:`MOST_POINTS_A_PIECE` at once, of one series each. The steps of a piece ascend; of a
            step that comes twice the later piece counts.
        files: its files.
        summaries: of all its series, where the source knows them without reading the points. Points whose summaries are equal
            in the store that they come to are not read.
    """

    experiment: str
    description: str | None = None
    run: Run
    config: Mapping[str, Any] = {}
    pieces: Callable[[], Iterator[tuple[Series, Columns]]]
    files: Callable[[], Iterable[ArrivingFile]]
    summaries: Callable[[], Sequence[SeriesSummary]] | None = None
