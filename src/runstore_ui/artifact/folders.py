"""The files of a run by the folders in their names. A folder here is a part of a name; nothing is opened by it."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from runstore.model import Artifact
from runstore.texts import size_text
from runstore_ui.artifact.preview import is_picture
from runstore_ui.state import link

_MOST_THUMBNAIL = 4 * 1024 * 1024
_MOST_THUMBNAILS, _MOST_OF_ALL = 200, 64 * 1024 * 1024
"""A page shows so many small pictures, of so many bytes together; others are names."""


class Kept(Struct, frozen=True, kw_only=True):
    """A file.

    Attributes:
        name: the last part of its name.
        size: as text; empty for one whose bytes are not kept.
        page: the address of its preview.
        thumbnail: the address of its bytes where a small picture of it is shown.
        uri: where it lies, if the store does not keep its bytes.
    """

    name: str
    artifact_type: str
    size: str
    page: str
    thumbnail: str = ""
    uri: str = ""


class Folder(Struct, frozen=True, kw_only=True):
    """Files whose names begin alike.

    Attributes:
        name: how they begin; empty for files in none.
        files: the first of them.
        count: how many there are.
        size: of all together, as text.
    """

    name: str
    files: Sequence[Kept]
    count: int
    size: str


def folders_of(artifacts: Iterable[Artifact], *, most: int = 500) -> list[Folder]:
    """The files by folders, in the order of their names; of a folder with very many the first ``most``."""
    found: dict[str, list[Artifact]] = {}
    for each in artifacts:
        found.setdefault(each.name.rpartition("/")[0], []).append(each)
    shown = _thumbnails(each for _, files in sorted(found.items()) for each in files[:most])
    return [
        Folder(
            name=name,
            files=[_kept(each, is_shown=each.name in shown) for each in files[:most]],
            count=len(files),
            size=size_text(sum(each.size or 0 for each in files)),
        )
        for name, files in sorted(found.items())
    ]


def _thumbnails(files: Iterable[Artifact]) -> set[str]:
    """The names of the files of which a small picture is shown."""
    shown: set[str] = set()
    left = _MOST_OF_ALL
    for each in files:
        size = each.size or 0
        if is_picture(each) and size <= min(_MOST_THUMBNAIL, left) and len(shown) < _MOST_THUMBNAILS:
            shown.add(each.name)
            left -= size
    return shown


def _kept(artifact: Artifact, *, is_shown: bool) -> Kept:
    pairs = [("id", artifact.run_id), ("name", artifact.name)]
    return Kept(
        name=artifact.name.rpartition("/")[2],
        artifact_type=artifact.artifact_type,
        size="" if artifact.size is None else size_text(artifact.size),
        page=link("artifact", pairs),
        thumbnail=link("file", [*pairs, ("shown", "yes")]) if is_shown else "",
        uri="" if artifact.is_stored else artifact.uri,
    )
