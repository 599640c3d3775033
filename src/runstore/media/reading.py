"""What was kept of a series, read back in the order of its steps."""

import difflib
import logging
from collections.abc import Iterable
from typing import Any, BinaryIO, Final

from msgspec import Struct

from runstore.media.files import KEY
from runstore.model import Artifact
from runstore.protocol import RunReader

_log = logging.getLogger("runstore.media")

_MOST_NAMED: Final = 10


class MediaItem(Struct, frozen=True, kw_only=True):
    """One picture, table or text of a run. Its bytes are read when they are asked for, and checked then.

    Attributes:
        name: the name of its series, or its own.
        step: ``None`` where it was kept without one.
        kind: ``"figure"``, ``"image"``, ``"table"``, ``"text"`` or ``"histogram"``.
        about: what its kind knows of itself: a width, the number of rows, a histogram's counts and edges.
        artifact: the record of its file.
        reader: where the bytes are read from; it must still be open then.
    """

    name: str
    step: int | None
    kind: str
    about: dict[str, Any]
    artifact: Artifact
    reader: RunReader

    def open(self) -> BinaryIO:
        """The file's bytes, as a file to read from.

        Raises:
            CorruptArtifactError: they are not those that were kept.
        """
        return self.reader.open_artifact(self.artifact.run_id, self.artifact.name)

    def read(self) -> bytes:
        """The file's bytes."""
        with self.open() as file:
            return file.read()

    def __repr__(self) -> str:
        """What it is, without what tells of it."""
        return f"MediaItem({self.artifact.name!r}, step={self.step}, kind={self.kind!r})"


def read_series(reader: RunReader, run_id: str, name: str) -> list[MediaItem]:
    """What a run has kept under a name, by ascending step; what has no step comes first.

    Of an unknown name nothing, and a warning says which names there are.

    Several images that Lightning's ``log_image`` has kept in one call, as ``overlay/0``, ``overlay/1`` and so on, are read by
    their own names, or all of them as ``overlay``: step after step, those of a step in the order of the call.

    One read of the run's records; no file is opened.

    Raises:
        RunNotFoundError: no such run.
    """
    found = list_series(reader, run_id)
    if name in found:
        return found[name]
    numbered = [(int(each[len(name) + 1 :]), found[each]) for each in found if _is_one_of_several(each, name)]
    if not numbered:
        _log.warning("run %s has kept no %r%s", run_id, name, _instead(name, list(found)))
    items = [(number, item) for number, series in numbered for item in series]
    items.sort(key=lambda pair: (-1 if pair[1].step is None else pair[1].step, pair[0]))
    return [item for _, item in items]


def _instead(name: str, found: list[str]) -> str:
    if like := difflib.get_close_matches(name, found):
        return f"; did you mean {' or '.join(map(repr, like))}?"
    if not found:
        return ", nor any other figure, image, table, text or histogram"
    return f"; it has {', '.join(map(repr, found[:_MOST_NAMED]))}{', ...' if found[_MOST_NAMED:] else ''}"


def _is_one_of_several(name: str, of: str) -> bool:
    start, _, number = name.rpartition("/")
    return start == of and number.isascii() and number.isdecimal()


def list_series(reader: RunReader, run_id: str) -> dict[str, list[MediaItem]]:
    """Everything of this sort that a run has kept, by name; each series by ascending step.

    Raises:
        RunNotFoundError: no such run.
    """
    return group_series(reader, reader.list_artifacts(run_id))[0]


def group_series(reader: RunReader, artifacts: Iterable[Artifact]) -> tuple[dict[str, list[MediaItem]], list[Artifact]]:
    """The records of a run's files: what is of this sort as :func:`list_series` gives it, and the others as they come."""
    found: dict[str, list[MediaItem]] = {}
    others: list[Artifact] = []
    for artifact in artifacts:
        item = _item(reader, artifact)
        if item is None:
            others.append(artifact)
        else:
            found.setdefault(item.name, []).append(item)
    for items in found.values():
        items.sort(key=lambda item: (-1 if item.step is None else item.step, item.artifact.name))
    return found, others


def _item(reader: RunReader, artifact: Artifact) -> MediaItem | None:
    """What an artifact's metadata says of it; ``None`` where it is another sort of file, or says odd things."""
    about = artifact.metadata.get(KEY)
    if not isinstance(about, dict):
        return None
    rest = dict(about)
    kind, name, step = (rest.pop(part, None) for part in ("kind", "name", "step"))
    if isinstance(kind, str) and isinstance(name, str) and (step is None or type(step) is int):
        return MediaItem(name=name, step=step, kind=kind, about=rest, artifact=artifact, reader=reader)
    return None
